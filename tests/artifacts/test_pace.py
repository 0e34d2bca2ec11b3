"""Small files are written on the event loop, unless the disk is slow."""

import asyncio
import threading
from pathlib import Path

import pytest

from runstone.artifacts import staging
from runstone.artifacts.local import LocalStore
from runstone.artifacts.staging import Pace, Staged
from tests.artifacts.sending import chunks_of


def test_a_disk_that_was_slow_is_left_to_the_threads_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody else's request waits for a network disk, and it may recover."""
    pace = Pace()
    assert pace.suits(4_096)

    monkeypatch.setattr(staging, "PATIENCE_SECONDS", 0.0)
    with pace.watched():
        pass
    assert not pace.suits(4_096)

    monkeypatch.setattr(staging, "RELIEF_SECONDS", 0.0)
    recovered = Pace()
    with recovered.watched():
        pass
    assert recovered.suits(4_096)


@pytest.mark.parametrize(
    ("size_bytes", "on_loop"),
    [
        (0, True),
        (staging.SMALL_BYTES, True),
        (staging.SMALL_BYTES + 1, False),
        (3 * staging.CHUNK_BYTES, False),
    ],
)
def test_only_small_files_are_written_on_the_event_loop(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size_bytes: int,
    on_loop: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    """A big one would hold everybody up, however quick the disk."""
    threads = []
    publish = Staged.publish

    def noted(staged: Staged, *pieces: bytes) -> object:
        threads.append(threading.current_thread())
        return publish(staged, *pieces)

    monkeypatch.setattr(Staged, "publish", noted)
    asyncio.run(LocalStore(tmp_path).put("a.bin", chunks_of(bytes(size_bytes))))

    assert (threads == [threading.main_thread()]) is on_loop
    assert (tmp_path / "a.bin").stat().st_size == size_bytes
