"""What scripts write for TensorBoard is logged too."""

import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboardX import SummaryWriter

from runstone import wandb
from runstone.wandb import tensorboard
from runstone.wandb.tensorboard import events
from tests.wandb.asking import items, points, told


PATIENCE_SECONDS = 30


def written(folder: Path, fill: Any) -> Path:
    """Return the event file that a writer leaves."""
    with SummaryWriter(str(folder)) as writer:
        fill(writer)
    (path,) = folder.glob("*tfevents*")

    return path


@given(
    values=st.lists(st.tuples(st.floats(width=32), st.integers(0, 2**62)), max_size=20)
)
def test_numbers_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, values: list[tuple[float, int]]
) -> None:
    """Every float and every step, beside a real writer."""

    def fill(writer: Any) -> None:
        for value, step in values:
            writer.add_scalar("loss", value, step, walltime=1_700_000_000.5)

    path = written(tmp_path_factory.mktemp("events"), fill)

    found = [
        (value.number, event.step)
        for event in events.Reader(path).events()
        for value in event.values
    ]
    assert repr(found) == repr([(float(v), step) for v, step in values])


def test_a_file_is_read_as_it_grows(tmp_path: Path) -> None:
    """Half a record is waited for; nothing is read twice."""
    path = written(tmp_path, lambda w: [w.add_scalar("a", n, n) for n in range(10)])
    whole = path.read_bytes()
    growing = tmp_path / "growing"
    growing.write_bytes(b"")
    reader, steps = events.Reader(growing), []

    for end in range(0, len(whole) + 1, 7):
        growing.write_bytes(whole[:end])
        steps += [e.step for e in reader.events() if e.values]
    growing.write_bytes(whole)
    steps += [e.step for e in reader.events() if e.values]

    assert steps == list(range(10))


@given(place=st.integers(0, 400), bit=st.integers(0, 7))
def test_a_broken_file_breaks_nothing(
    tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    """A checksum tells; values that come are values that were written."""
    path = written(
        tmp_path_factory.mktemp("events"),
        lambda w: [w.add_scalar("a", n, n) for n in range(10)],
    )
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= 1 << bit
    path.write_bytes(content)

    found = [
        (value.number, event.step)
        for event in events.Reader(path).events()
        for value in event.values
    ]

    assert set(found) <= {(float(n), n) for n in range(10)}


@given(record=st.binary(max_size=200))
def test_bytes_that_are_no_event_say_nothing_wrong(record: bytes) -> None:
    """Files come from anywhere."""
    events.event(record)


def test_the_checksum_is_the_one_of_the_rfc() -> None:
    """RFC 3720, B.4: 32 bytes of zeros have 8a9136aa."""
    found = events.masked(bytes(32))

    rotated = (found - 0xA282EAD8) & 0xFFFFFFFF
    assert (rotated >> 17 | rotated << 15) & 0xFFFFFFFF == 0x8A9136AA


def test_a_number_as_a_tensor_is_a_number() -> None:
    """TensorFlow 2 and Keras write tensors for scalars."""
    content = struct.pack("<f", 0.5)
    tensor = bytes([8, 1, 0x22, len(content)]) + content
    metadata = b"\x0a\x09\x0a\x07scalars"
    value = b"\x0a\x04loss" + bytes([0x42, len(tensor)]) + tensor
    value += bytes([0x4A, len(metadata)]) + metadata
    summary = bytes([0x0A, len(value)]) + value

    (found,) = events.event(bytes([0x2A, len(summary)]) + summary).values

    assert (found.tag, found.number) == ("loss", 0.5)


def test_what_goes_to_tensorboard_is_followed_live(store: Path) -> None:
    """S2.44: values arrive while the script runs; the global step is the step."""
    run = wandb.init(project="p", sync_tensorboard=True)
    writer = SummaryWriter(str(store / "logs"))

    writer.add_scalar("loss", 0.5, 100)
    writer.flush()

    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := run.summary.get("loss")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert found == 0.5
    assert points(run, "loss") == [(100, 0.5)]
    writer.close()


def test_all_is_there_at_the_end(store: Path) -> None:
    """Also what was never flushed, and images, histograms and texts."""
    run = wandb.init(project="p", sync_tensorboard=True)
    writer = SummaryWriter(str(store / "logs"))
    for step in range(5):
        writer.add_scalar("loss", step / 2, step)
    writer.add_image("seen", np.zeros((3, 4, 5), np.uint8), 4)
    writer.add_histogram("weights", np.arange(100), 4)
    writer.add_text("note", "hello", 4)

    run.finish()
    writer.close()

    assert points(run, "loss") == [(n, n / 2) for n in range(5)]
    assert items(run, "seen")[0]["path"].endswith(".png")
    assert sum(items(run, "weights")[0]["counts"]) == 100
    texts = [key for key in told(run).history(pandas=False)[-1] if "note" in key]
    assert texts


def test_folders_below_the_root_stand_in_the_names(store: Path) -> None:
    """Train and validation write side by side."""
    tensorboard.patch(root_logdir=str(store / "logs"))
    run = wandb.init(project="p")
    for part in ("train", "val"):
        with SummaryWriter(str(store / "logs" / part)) as writer:
            writer.add_scalar("loss", 1.0, 0)

    run.finish()
    tensorboard.unpatch()

    assert set(told(run).summary) >= {"train/loss", "val/loss"}


def test_files_of_earlier_runs_are_left_alone(store: Path) -> None:
    """The same folder again holds what another run wrote."""
    old = written(store / "logs", lambda w: w.add_scalar("old", 1.0, 0))
    past = time.time() - 60
    import os

    os.utime(old, (past, past))
    run = wandb.init(project="p", sync_tensorboard=True)
    with SummaryWriter(str(store / "logs")) as writer:
        writer.add_scalar("new", 1.0, 0)

    run.finish()

    assert "new" in told(run).summary
    assert "old" not in told(run).summary


def test_a_file_that_is_open_already_is_followed(store: Path) -> None:
    """The writer may be made before the run."""
    with SummaryWriter(str(store / "logs")) as writer:
        writer.add_scalar("before", 1.0, 0)
        writer.flush()
        run = wandb.init(project="p", sync_tensorboard=True)
        writer.add_scalar("after", 2.0, 1)
        writer.flush()
        run.finish()

    assert {"before", "after"} <= set(told(run).summary)
