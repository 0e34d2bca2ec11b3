"""`init` and `finish`: which run is under way, and how it goes on."""

from pathlib import Path

import pytest

from runstone import journal, wandb
from runstone.model import RunStatus
from runstone.sdk.session import session
from runstone.wandb import asking, runs
from tests.wandb.asking import points, told


pytestmark = pytest.mark.usefixtures("store")


def test_a_run_has_what_it_was_begun_with() -> None:
    """S2.23: each argument is found again."""
    run = wandb.init(
        project="images",
        entity="team",
        name="resnet50",
        notes="first try",
        tags=["baseline", "v1"],
        group="resnets",
        job_type="train",
        config={"lr": 0.1, "drop": 1, "secret": 2},
        config_exclude_keys=["secret"],
    )
    run.finish()

    found = told(run)
    assert (found.name, found.entity, found.notes) == ("resnet50", "team", "first try")
    assert (found.tags, found.group, found.job_type) == (
        ["baseline", "v1"],
        "resnets",
        "train",
    )
    assert found.config == {"lr": 0.1, "drop": 1}
    assert found.state == "finished"
    assert found.path == ["team", "images", run.id]
    assert wandb.run is None


def test_the_environment_says_what_the_script_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The script's word goes before the environment's."""
    for name, value in {
        "PROJECT": "envp",
        "NAME": "envname",
        "TAGS": "a, b",
        "RUN_GROUP": "g",
        "JOB_TYPE": "eval",
        "NOTES": "n",
        "ENTITY": "e",
        "RUN_ID": "abc",
    }.items():
        monkeypatch.setenv(f"WANDB_{name}", value)

    run = wandb.init(name="script")

    assert (run.project, run.name, run.tags) == ("envp", "script", ("a", "b"))
    assert (run.group, run.job_type, run.notes) == ("g", "eval", "n")
    assert (run.entity, run.id, run.path) == ("e", "abc", "e/envp/abc")


def test_what_is_changed_later_is_kept() -> None:
    """S2.26: the name is settable, and so are notes and tags."""
    run = wandb.init(project="p", name="before", tags=["old", "kept"])

    wandb.run.name = "after"  # type: ignore[union-attr]
    run.notes = "more"
    run.tags = ("kept", "new")

    found = told(run)
    assert (found.name, found.notes) == ("after", "more")
    assert set(found.tags) == {"kept", "new"}


def test_a_run_without_a_name_gets_one() -> None:
    """Names are what people see first."""
    made = wandb.init(project="p")
    made.finish()
    by_id = wandb.init(project="p", id="trial-7")

    assert made.name
    assert told(made).name == made.name
    assert told(by_id).name


def test_the_same_id_is_the_same_run() -> None:
    """W&B's ids are free text; what is logged is never replaced."""
    first = wandb.init(project="p", id="trial 7")
    first.log({"a": 1})
    first.finish()

    second = wandb.init(project="p", id="trial 7")
    second.log({"a": 2}, step=5)
    second.finish()
    other = wandb.init(project="q", id="trial 7")

    assert second.id == "trial 7"
    assert points(second, "a") == [(0, 1), (5, 2)]
    assert len(wandb.Api().runs("p")) == 1
    assert asking.number("q/trial 7") != asking.number("p/trial 7")
    assert told(other).summary.get("a") is None


def test_a_resumed_run_goes_on_behind_its_last_step() -> None:
    """Steps, config and summary are those of before."""
    first = wandb.init(project="p", id="x", name="kept", config={"lr": 0.1})
    for step in range(5):
        first.log({"a": step})
    first.summary["best"] = 3
    first.finish()

    again = wandb.init(project="p", id="x", resume="allow", config={"more": 1})
    again.log({"a": 5})

    assert again.resumed
    assert (again.starting_step, again.step) == (5, 6)
    assert again.config.as_dict() == {"more": 1, "lr": 0.1}
    assert again.summary["best"] == 3
    assert [step for step, _ in points(again, "a")] == [0, 1, 2, 3, 4, 5]
    assert told(again).name == "kept"
    assert told(again).config == {"lr": 0.1, "more": 1}


def test_resume_must_and_never_say_no() -> None:
    """Who says so wants to know before training begins."""
    with pytest.raises(wandb.UsageError, match="must"):
        wandb.init(project="p", id="x", resume="must")
    wandb.init(project="p", id="x", resume="never").finish()

    with pytest.raises(wandb.UsageError, match="never"):
        wandb.init(project="p", id="x", resume="never")
    assert wandb.init(project="p", id="x", resume="must").resumed


def test_a_run_that_did_not_end_well_is_found_again(store: Path) -> None:
    """`resume="auto"`: after a crash the same line goes on."""
    first = wandb.init(project="p", resume="auto")
    first.log({"a": 1})
    first.finish(exit_code=1)
    again = wandb.init(project="p", resume="auto")
    assert (again.id, again.step) == (first.id, 1)

    again.finish()

    assert wandb.init(project="p", resume="auto").id != first.id
    assert (store / "wandb").is_dir()


def test_a_second_init_is_the_run_that_is_there() -> None:
    """A library that says init too does not split a run."""
    first = wandb.init(project="p")

    second = wandb.init(project="other", config={"a": 1})

    assert second is first
    assert first.config.a == 1


def test_reinit_ends_the_run_before() -> None:
    """A loop over trials needs no finish."""
    first = wandb.init(project="p")
    second = wandb.init(project="p", reinit=True)

    assert second.id != first.id
    assert told(first).state == "finished"
    assert told(second).state == "running"


def test_a_run_may_be_made_beside_another() -> None:
    """W&B's `create_new`: `wandb.log` stays with the first."""
    first = wandb.init(project="p")
    beside = wandb.init(project="p", reinit="create_new")

    wandb.log({"a": 1})
    beside.log({"a": 2})
    beside.finish()

    assert wandb.run is first
    assert (points(first, "a"), points(beside, "a")) == ([(0, 1)], [(0, 2)])
    assert told(first).state == "running"


def test_an_exception_makes_the_run_failed() -> None:
    """Its words are kept with it."""

    def train() -> None:
        with wandb.init(project="p"):
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        train()

    (run,) = wandb.Api().runs("p", {"state": "failed"})
    assert run._record.tags["runstone.error"] == "RuntimeError: out of memory"


def test_an_exit_code_makes_the_run_failed() -> None:
    """As W&B's."""
    run = wandb.init(project="p")

    wandb.finish(exit_code=3)

    assert told(run).state == "failed"


def test_disabled_is_nothing_at_all(store: Path) -> None:
    """Not even a folder is made; the script runs on as if."""
    run = wandb.init(project="p", mode="disabled", config={"a": 1}, save_code=True)

    run.log({"x": 1, "image": wandb.Html("<b>")})
    run.summary["y"] = 1
    run.alert("t", "t")
    run.name = "other"
    run.finish()

    assert run.disabled
    assert run.url is None
    assert run.config.a == 1
    assert not (store / "spool").exists()
    assert not (store / "store").exists()


def test_offline_waits_on_this_machine(store: Path) -> None:
    """Nothing is sent, and nothing is asked."""
    run = wandb.init(project="p", mode="offline")

    run.log({"x": 1})
    run.finish()

    assert run.offline
    assert list((store / "spool").rglob("*.journal"))
    assert not (store / "store").exists()


@pytest.mark.parametrize(
    ("argument", "value"),
    [("mode", "sometimes"), ("resume", "perhaps"), ("reinit", "often")],
)
def test_a_word_that_means_nothing_is_refused(argument: str, value: str) -> None:
    """The error names those that do."""
    with pytest.raises(wandb.UsageError, match="expected one of"):
        wandb.init(project="p", **{argument: value})  # type: ignore[arg-type]

    assert wandb.run is None


@pytest.mark.parametrize("name", ["sweep", "agent", "use_artifact", "Artifact"])
def test_what_is_not_built_says_what_to_use(name: str) -> None:
    """No silence where a script expects an effect."""
    with pytest.raises(wandb.Error, match="meanwhile"):
        getattr(wandb, name)("x")


def test_both_names_say_one_run_and_each_point_once() -> None:
    """S2.43: a script that logs everything twice leaves it once."""
    run = wandb.init(project="my-project")
    begin = journal.Begin(experiment="my-experiment", name="other")
    core = session.join("mlflow", begin)

    for epoch in range(5):
        core.log({"loss": 1 / (epoch + 1), "acc": 0.5}, step=epoch)
        wandb.log({"loss": 1 / (epoch + 1), "acc": 0.5})
    session.leave("mlflow", core, RunStatus.FINISHED)
    wandb.log({"loss": 0.1})
    wandb.finish()

    assert points(run, "loss") == [(n, 1 / (n + 1)) for n in range(5)] + [(5, 0.1)]
    assert len(points(run, "acc")) == 5
    assert told(run).state == "finished"
    assert len(wandb.Api().runs("my-project")) == 1
    assert asking.projects().count("my-experiment") == 0


def test_wandb_joins_the_run_that_mlflow_began() -> None:
    """Whichever comes first."""
    begin = journal.Begin(experiment="theirs", name="first")
    core = session.join("mlflow", begin)

    run = wandb.init(project="ours", tags=["both"])
    run.log({"a": 1})
    run.finish()
    assert core.ended is None
    session.leave("mlflow", core, RunStatus.FINISHED)

    (found,) = wandb.Api().runs("theirs")
    assert (found.name, found.tags, found.id) == ("first", ["both"], run.id)
    assert runs.current() is None
