"""The spool: what `log` returned from is on this machine, whatever happens."""

import threading
from pathlib import Path

import pytest

from runstone import errors, journal
from runstone.journal import Call, Tags
from runstone.sdk.spool import SEGMENT_BYTES, Journal, Writer, segments
from tests.sdk.conftest import Script, killed


RUN = "0" * 32


def test_a_killed_process_loses_nothing(script: Script, spool: Path) -> None:
    """SIGKILL right after `log` returned: every call is in the file."""
    done = script(
        "run = begin()\nfor step in range(500): run.log({'loss': 0.5}, step=step)\n"
        "die()",
        uri="http://127.0.0.1:1",
        RUNSTONE_MODE="offline",
    )

    assert killed(done), done.stderr
    assert steps(only(spool)) == list(range(500))


def test_threads_share_a_writer(spool: Path) -> None:
    """Each call is whole, and none is missing."""
    writer = Writer(spool, "http://localhost", RUN)

    def work(number: int) -> None:
        for step in range(200):
            writer.log(number * 1000 + step, 1, {"loss": 1.0, f"k{number}": 2.0})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    expected = sorted(n * 1000 + step for n in range(8) for step in range(200))
    assert sorted(steps(only(spool))) == expected


def test_a_full_disk_is_waited_for(script: Script, spool: Path) -> None:
    """
    Training goes on, one line says why, and all is there once there is room.

    The kernel's own limit of a file's size stands for the disk: it takes a part of
    a write and then nothing.
    """
    done = script(
        """
import resource
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
run = begin()
run.log({"loss": 0.0}, step=0)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
for step in range(1, 400): run.log({"loss": 0.5}, step=step)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
session.finish(run, RunStatus.FINISHED)
""",
        uri="http://127.0.0.1:1",
        RUNSTONE_MODE="offline",
    )

    assert done.returncode == 0, done.stderr
    assert steps(only(spool)) == list(range(400))
    assert done.stderr.count("cannot write") == 1


def test_a_torn_record_is_stepped_over(spool: Path) -> None:
    """What was written behind it is sent; only the torn call is given up."""
    writer = Writer(spool, "http://localhost", RUN)
    writer.log(1, 1, {"loss": 1.0})
    with (writer.folder / "00000001.journal").open("ab") as file:
        file.write(journal.packer(("loss",)).record(2, 2, [2.0])[:-3])
    writer.log(3, 3, {"loss": 3.0})

    assert steps(only(spool), ended=True) == [1, 3]


def test_half_a_record_at_the_end_waits_for_the_rest(spool: Path) -> None:
    """A writer that lives may be in the middle of it."""
    writer = Writer(spool, "http://localhost", RUN)
    writer.log(1, 1, {"loss": 1.0})
    record = journal.packer(("loss",)).record(2, 2, [2.0])
    path = writer.folder / "00000001.journal"
    with path.open("ab") as file:
        file.write(record[:-3])
    found = Journal(writer.folder)
    first = found.portion()
    assert first
    found.sent(first.after)

    assert found.portion() is None
    with path.open("ab") as file:
        file.write(record[-3:])

    assert steps(found) == [2]


def test_what_was_sent_is_not_sent_again(spool: Path) -> None:
    """Another process goes on where the first one was."""
    writer = Writer(spool, "http://localhost", RUN)
    writer.log(1, 1, {"loss": 1.0})
    first = only(spool)
    portion = first.portion()
    assert portion
    first.sent(portion.after)
    writer.log(2, 2, {"loss": 2.0})

    second = only(spool)

    assert second.mark.position == len(portion.body)
    assert steps(second) == [2]


def test_long_journals_are_deleted_piece_by_piece(spool: Path) -> None:
    """A run of weeks needs room for what is not sent yet, and no more."""
    writer = Writer(spool, "http://localhost", RUN)
    long = "x" * 1_000_000
    for number in range(2 * SEGMENT_BYTES // len(long) + 3):
        writer.change(Tags({str(number): long}))
    found = only(spool)
    assert len(list(segments(writer.folder))) == 3

    while portion := found.portion():
        found.sent(portion.after)

    assert [path.stem for path in segments(writer.folder)] == ["00000003"]
    assert found.waiting_bytes() == 0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"loss": "high"}, "'loss' is str"),
        ({"a": 1.0, "b": None}, "'b' is NoneType"),
        ({"": 1.0}, "empty"),
    ],
)
def test_what_is_no_metric_is_named(
    spool: Path, values: dict[str, float], words: str
) -> None:
    """The line that logged it is on the stack, so it raises there and then."""
    writer = Writer(spool, "http://localhost", RUN)

    with pytest.raises(errors.InvalidInput, match=words):
        writer.log(1, 1, values)

    assert only(spool).portion() is None


def test_a_step_beyond_64_bits_is_named(spool: Path) -> None:
    """And nothing half is written."""
    writer = Writer(spool, "http://localhost", RUN)

    with pytest.raises(errors.InvalidInput, match="64 bits"):
        writer.log(2**63, 1, {"loss": 1.0})


def only(spool: Path) -> Journal:
    """Open the one journal of a spool."""
    (path,) = spool.glob("*/*/target.json")

    return Journal(path.parent)


def steps(found: Journal, *, ended: bool = False) -> list[int]:
    """Return the step of every call that is not sent yet."""
    said = []
    while portion := found.portion(ended=ended):
        said += [item.said for item in journal.read(portion.body)]
        found.mark = portion.after

    return [item.step for item in said if isinstance(item, Call)]
