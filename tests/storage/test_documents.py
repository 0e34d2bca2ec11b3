"""A prepared run is what a fresh one would be, or it is not used."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from runstone.model import Dataset, DatasetInput, Param, Point, RunStatus, Tag
from runstone.storage import compaction, datasets, documents, experiments, runs, search
from runstone.storage.datasets import ModelOutput
from runstone.storage.db import Database
from runstone.storage.documents import Document, Whole
from runstone.storage.search import Query
from tests.factories import log, new_experiment, new_run


Write = Callable[[Database, int, str], None]


def set_tag(db: Database, _experiment: int, run_id: str) -> None:
    """Set a tag."""
    db.transact(runs.set_tags, run_id, [Tag("a", str(version(db, run_id)))])


def delete_tag(db: Database, _experiment: int, run_id: str) -> None:
    """Remove a tag."""
    db.transact(runs.set_tags, run_id, [Tag("b", "")])
    db.transact(runs.delete_tag, run_id, "b")


def log_param(db: Database, _experiment: int, run_id: str) -> None:
    """Write a param."""
    db.transact(runs.log_params, run_id, [Param(f"p{version(db, run_id)}", "1")])


def log_point(db: Database, _experiment: int, run_id: str) -> None:
    """Write a point."""
    log(db, run_id, [Point("m", version(db, run_id), 0, 0.5)])


def end(db: Database, _experiment: int, run_id: str) -> None:
    """End the run."""
    db.transact(runs.update, run_id, status=RunStatus.FAILED, end_ms=3, name="x")


def use(db: Database, _experiment: int, run_id: str) -> None:
    """Note an input and an output."""
    item = DatasetInput(Dataset(f"d{version(db, run_id)}", "d", "t", "s"))
    db.transact(datasets.log_inputs, run_id, [item])
    db.transact(datasets.log_outputs, run_id, [ModelOutput("m", 0)])


def bin_run(db: Database, _experiment: int, run_id: str) -> None:
    """Delete the run and take it back."""
    db.transact(runs.delete, run_id, now_ms=1)
    keep(db, run_id)
    db.transact(runs.restore, run_id)


def bin_experiment(db: Database, experiment: int, run_id: str) -> None:
    """Delete the experiment and take it back."""
    db.transact(experiments.delete, experiment, now_ms=1)
    keep(db, run_id)
    db.transact(experiments.restore, experiment, now_ms=1)


def compact(db: Database, _experiment: int, _run_id: str) -> None:
    """Merge what is in blocks."""
    compaction.compact_all(db)


WRITES = [
    set_tag,
    delete_tag,
    log_param,
    log_point,
    end,
    use,
    bin_run,
    bin_experiment,
    compact,
]


def version(db: Database, run_id: str) -> int:
    """Return how often the run was written to."""
    return db.look(documents.by_id, run_id).version


def render(item: Whole) -> bytes:
    """Make the bytes of a run: everything but its version."""
    return repr(item._replace(version=0)).encode()


def keep(db: Database, run_id: str) -> None:
    """Keep the run as it is now."""
    item = db.look(documents.by_id, run_id)
    made = Document(item.run.number, item.version, render(item))
    db.transact(documents.keep, [made])


@settings(max_examples=40)
@given(
    writes=st.lists(st.sampled_from(WRITES), max_size=6),
    kept=st.sets(st.integers(0, 5)),
)
def test_a_stale_form_is_never_served(
    db: Database, writes: list[Write], kept: set[int]
) -> None:
    """Whatever is written, a page holds the runs as they are."""
    experiment = new_experiment(db)
    run_id = new_run(db, experiment)
    keep(db, run_id)
    for place, write in enumerate(writes):
        write(db, experiment, run_id)
        if place in kept:
            keep(db, run_id)

    page = db.look(search.run_documents, Query((experiment,)), render)

    assert page.bodies == [render(db.look(documents.by_id, run_id))]


def test_a_form_is_made_once(db: Database) -> None:
    """The second page of the same runs is spliced from what was kept."""
    experiment = new_experiment(db)
    for _ in range(3):
        new_run(db, experiment)
    first = db.look(search.run_documents, Query((experiment,)), render)
    db.transact(documents.keep, first.made)

    second = db.look(search.run_documents, Query((experiment,)), render)

    assert (len(first.made), second.made) == (3, [])
    assert second.bodies == first.bodies


def test_an_older_form_never_displaces_a_newer(db: Database) -> None:
    """Two servers keep what they made, in any order."""
    run_id = new_run(db)
    item = db.look(documents.by_id, run_id)
    number = item.run.number
    old = Document(number, item.version, b"old")
    db.transact(runs.set_tags, run_id, [Tag("a", "b")])
    new = Document(number, item.version + 1, b"new")

    db.transact(documents.keep, [new])
    db.transact(documents.keep, [old])

    assert db.look(documents.fresh, [number]) == {number: b"new"}
