"""Distributed training: one run, whoever writes to it."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from runstone.sdk import ranks
from runstone.sdk.ranks import Place
from tests.sdk.conftest import PREFACE, Script, environment
from tests.sdk.test_sender import only_run, points, runs
from tests.server.running import Server


Start = Callable[..., Server]

WORLD = 8

TRAINING = """
rank = int(os.environ["RANK"])
run = begin()
run.log_params({"world_size": "8"})
for step in range(100):
    run.log({"loss": step + rank / 10, f"loss{rank}": step}, step=step)
run.set_tags({f"rank{rank}": "here"})
session.finish(run, RunStatus.FINISHED)
assert session.flush()
"""


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        ({}, Place(0, 1, 0)),
        ({"RANK": "3", "WORLD_SIZE": "8", "LOCAL_RANK": "1"}, Place(3, 8, 1)),
        ({"RANK": "0", "WORLD_SIZE": "1"}, Place(0, 1, 0)),
        ({"RANK": "x", "WORLD_SIZE": "8"}, Place(0, 1, 0)),
        ({"RANK": "5"}, Place(5, 6, 0)),
        (
            {"OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "4"},
            Place(2, 4, 0),
        ),
        ({"PMI_RANK": "1", "PMI_SIZE": "2"}, Place(1, 2, 0)),
        (
            {
                "SLURM_PROCID": "6",
                "SLURM_NTASKS": "8",
                "SLURM_LOCALID": "2",
                "SLURM_STEP_ID": "0",
            },
            Place(6, 8, 2),
        ),
        # The batch script itself stands for all its tasks.
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "8"}, Place(0, 1, 0)),
    ],
)
def test_the_place_is_what_the_launcher_says(
    monkeypatch: pytest.MonkeyPatch, environ: Mapping[str, str], place: Place
) -> None:
    """torchrun, mpirun, MPICH and srun each have names of their own."""
    for names in ranks.NAMES:
        for name in names:
            monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert ranks.here() == place


def test_ranks_agree_on_a_run_only_where_something_tells_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next launch, and the next run of the same process, are others."""
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "job-1")
    first, second = ranks.agreed_id(0), ranks.agreed_id(1)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "job-2")
    other = ranks.agreed_id(0)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    nothing = ranks.agreed_id(0)
    monkeypatch.setenv("RUNSTONE_RUN_ID", "ab" * 16)

    assert len({first, second, other}) == 3
    assert nothing is None
    assert ranks.agreed_id(0) == "ab" * 16


def test_rank_0_logs_for_all(start: Start, spool: Path, tmp_path: Path) -> None:
    """The others may say what they want: every name works, and nothing comes."""
    server = start()

    launch(tmp_path, spool, server)

    run = only_run(server)
    assert run["info"]["status"] == "FINISHED"
    assert points(server, run, "loss") == list(range(100))
    assert points(server, run, "loss1") == []
    assert list(spool.glob("*")) == []


def test_eight_ranks_write_one_run_and_lose_nothing(
    start: Start, spool: Path, tmp_path: Path
) -> None:
    """They agree on it without talking; the first begins and ends it."""
    server = start()

    launch(tmp_path, spool, server, RUNSTONE_RANKS="all", TORCHELASTIC_RUN_ID="job-7")

    run = only_run(server)
    assert run["info"]["status"] == "FINISHED"
    assert len(points(server, run, "loss")) == 100 * WORLD
    for rank in range(WORLD):
        assert points(server, run, f"loss{rank}") == list(range(100))
    tags = {tag["key"] for tag in run["data"]["tags"]}
    assert {f"rank{rank}" for rank in range(WORLD)} <= tags


def test_a_rank_that_is_done_does_not_end_the_run(
    start: Start, spool: Path, tmp_path: Path
) -> None:
    """Rank 0 began it and ends it, however long it takes."""
    server = start()
    chosen = {
        "RUNSTONE_TRACKING_URI": server.url,
        "RUNSTONE_RANKS": "all",
        "RUNSTONE_RUN_ID": "slow-first",
        "WORLD_SIZE": "2",
    }
    file = tmp_path / "first.py"
    file.write_text(
        PREFACE
        + "run = begin()\nassert session.flush()\nprint('up', flush=True)\ninput()"
    )
    with subprocess.Popen(
        [sys.executable, file],
        env=environment(spool, RANK="0", **chosen),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdout
        assert first.stdout.readline() == "up\n"
        (tmp_path / "second.py").write_text(PREFACE + TRAINING)
        subprocess.run(
            [sys.executable, tmp_path / "second.py"],
            env=environment(spool, RANK="1", **chosen),
            check=True,
            timeout=120,
        )

        assert only_run(server)["info"]["status"] == "RUNNING"
        first.communicate("end\n")

    run = only_run(server)
    assert run["info"]["status"] == "FINISHED"
    assert points(server, run, "loss1") == list(range(100))


def test_ranks_that_cannot_agree_leave_it_to_the_first(
    start: Start, spool: Path, tmp_path: Path
) -> None:
    """Eight runs would be a surprise; one line says what to set."""
    server = start()

    said = launch(tmp_path, spool, server, RUNSTONE_RANKS="all")

    assert len(runs(server)) == 1
    assert sum("RUNSTONE_RUN_ID" in words for words in said) == 1


def test_other_ranks_may_only_be_measured(
    start: Start, spool: Path, tmp_path: Path
) -> None:
    """How busy each machine is stands beside the curves, with the rank in its name."""
    server = start()

    launch(
        tmp_path,
        spool,
        server,
        text=TRAINING.replace("session.finish", "time.sleep(1); session.finish"),
        world=2,
        RUNSTONE_RANKS="system",
        RUNSTONE_RUN_ID="the-run",
        RUNSTONE_CAPTURE="system",
        RUNSTONE_SYSTEM_SECONDS="0.1",
    )

    run = only_run(server)
    metrics = {metric["key"] for metric in run["data"]["metrics"]}
    assert "system/cpu_utilization_percentage" in metrics
    assert "system/rank_1/cpu_utilization_percentage" in metrics
    assert "loss1" not in metrics


def test_spawned_workers_write_one_run(script: Script, start: Start) -> None:
    """As `torch.multiprocessing.spawn` does: each sets its rank before it begins."""
    server = start()

    done = script(
        """
import multiprocessing

def work(rank):
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "8"}
    run = begin()
    for step in range(50): run.log({f"loss{rank}": step}, step=step)
    session.finish(run, RunStatus.FINISHED)
    session.close()

if __name__ == "__main__":
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=work, args=(rank,)) for rank in range(8)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 8
""",
        uri=server.url,
        RUNSTONE_RANKS="all",
        RUNSTONE_RUN_ID="spawned-1",
    )

    assert done.returncode == 0, done.stderr
    run = only_run(server)
    for rank in range(8):
        assert points(server, run, f"loss{rank}") == list(range(50))


def launch(
    folder: Path,
    spool: Path,
    server: Server,
    *,
    text: str = TRAINING,
    world: int = WORLD,
    **environ: str,
) -> list[str]:
    """Start all ranks as a launcher does; return what each said on standard error."""
    file = folder / "train.py"
    file.write_text(PREFACE + text)
    processes = [
        subprocess.Popen(
            [sys.executable, file],
            env=environment(
                spool,
                RUNSTONE_TRACKING_URI=server.url,
                RANK=str(rank),
                WORLD_SIZE=str(world),
                **environ,
            ),
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(world)
    ]
    said = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * world, said

    return said
