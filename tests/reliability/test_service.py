"""Servers end and lose workers while others write to them."""

import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.reliability import raw
from tests.reliability.client import Client, Unanswered
from tests.reliability.crowd import assert_all_there, crowd
from tests.reliability.servers import PATIENCE_SECONDS, Served, assert_calm, served


ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/"


@pytest.mark.parametrize("workers", ["1", "3"])
def test_sigterm_in_the_middle_of_writing_loses_nothing(
    tmp_path: Path, workers: str
) -> None:
    """A rolling update stops a busy server every time."""
    with (
        served(tmp_path / "server", "--workers", workers) as server,
        crowd([server.port], tmp_path) as writers,
    ):
        for _ in range(2):
            _wait_for_writes(server)
            assert server.stop() == 0
            server.start()
        ledgers = writers.finish()

        assert sum(ledger.resent for ledger in ledgers) > 0, "no end was felt"
        assert [line for ledger in ledgers for line in ledger.refused] == []
        assert [line for ledger in ledgers for line in ledger.unseen] == []
        assert_all_there(server.port, ledgers)
        assert server.stop() == 0
        assert_calm(server)


def test_sigterm_during_an_upload_leaves_no_part_of_it(tmp_path: Path) -> None:
    """The client sends it again, and until then there is none."""
    with served(tmp_path / "server") as server:
        size = 64 * 1024 * 1024
        with raw.connected(server.port) as client:
            head = raw.head("PUT", ARTIFACTS + "big", f"Content-Length: {size}")
            client.sendall(head + bytes(size // 2))

            assert server.stop() == 0
            assert b" 200 " not in raw.rest(client)

        found = [path for path in server.artifacts.rglob("*") if path.is_file()]
        assert found == []
        server.start()
        with Client(server.port) as again:
            assert again.ask("GET", ARTIFACTS + "big")[0] == 404


@pytest.mark.crash
def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    """The out-of-memory killer takes one process; the others go on."""
    with (
        served(tmp_path / "server", "--workers", "4") as server,
        crowd([server.port], tmp_path) as writers,
    ):
        before = _workers(server)
        assert len(before) == 4
        _wait_for_writes(server)
        before[0].kill()
        _wait_for_writes(server)
        _until_replaced(server, before[0])
        _wait_for_writes(server)
        ledgers = writers.finish()

        assert [line for ledger in ledgers for line in ledger.refused] == []
        assert [line for ledger in ledgers for line in ledger.unseen] == []
        assert_all_there(server.port, ledgers)
        assert_calm(server)
        assert server.stop() == 0


def _workers(server: Served) -> list[psutil.Process]:
    """Return the processes that serve: not Python's resource tracker."""
    return [
        child
        for child in server.process.children()
        if "spawn_main" in " ".join(child.cmdline())
    ]


def _until_replaced(server: Served, dead: psutil.Process) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while dead in (alive := _workers(server)) or len(alive) < 4:
        assert time.monotonic() < deadline, "nobody took its place"
        time.sleep(0.05)


def _wait_for_writes(server: Served, runs: int = 8) -> None:
    """Return when eight more runs have been created: every writer is at work."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    first = None
    while time.monotonic() < deadline:
        with suppress(Unanswered), Client(server.port) as client:
            count = client.get("/api/v1/experiments")["experiments"][0]["runs"]
            first = count if first is None else first
            if count - first >= runs:
                return
        time.sleep(0.05)

    raise AssertionError("nobody writes any more")
