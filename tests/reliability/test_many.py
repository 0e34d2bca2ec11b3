"""Several server processes on one database are one server."""

import time
from pathlib import Path

import pytest

from tests.reliability.crowd import assert_all_there, crowd
from tests.reliability.servers import assert_calm, served
from tests.reliability.writers import Ledger


WRITING_SECONDS = 6
HASTY = "tests.reliability.hasty:create"


@pytest.mark.parametrize("app", ["", HASTY], ids=["at its own pace", "compacting"])
def test_four_workers_on_one_sqlite_file_agree(tmp_path: Path, app: str) -> None:
    """Nothing is lost or doubled, and a read in any worker sees every write."""
    with (
        served(tmp_path / "server", "--workers", "4", app=app) as server,
        crowd([server.port], tmp_path) as writers,
    ):
        time.sleep(WRITING_SECONDS)
        ledgers = writers.finish()

        _assert_smooth(ledgers)
        assert_all_there(server.port, ledgers)
        assert_calm(server)


@pytest.mark.parametrize("app", ["", HASTY], ids=["at its own pace", "compacting"])
def test_two_servers_on_one_postgresql_agree(
    tmp_path: Path, fresh_postgresql_url: str, app: str
) -> None:
    """A balancer may send each request of a client to another machine."""
    url = fresh_postgresql_url
    with (
        served(tmp_path / "a", store=url, app=app) as a,
        served(tmp_path / "b", store=url, app=app, artifacts=a.artifacts) as b,
        crowd([a.port, b.port], tmp_path) as writers,
    ):
        time.sleep(WRITING_SECONDS)
        ledgers = writers.finish()

        _assert_smooth(ledgers)
        assert_all_there(a.port, ledgers)
        assert_all_there(b.port, ledgers)
        assert_calm(a)
        assert_calm(b)


def _assert_smooth(ledgers: list[Ledger]) -> None:
    """Nobody was refused, left without an answer, or shown an old state."""
    assert sum(len(run.points) for ledger in ledgers for run in ledger.runs.values())
    assert [line for ledger in ledgers for line in ledger.refused] == []
    assert [line for ledger in ledgers for line in ledger.unseen] == []
    assert sum(ledger.resent for ledger in ledgers) == 0
