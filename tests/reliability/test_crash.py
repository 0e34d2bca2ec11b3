"""A server that is killed at any moment has everything that it acknowledged."""

import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from runstone.locations import locate
from runstone.storage import documents, series
from runstone.storage.compaction import compact_all
from runstone.storage.db import Database
from tests.reliability.crowd import Crowd, assert_all_there, crowd, merged
from tests.reliability.servers import Served, assert_calm, served
from tests.reliability.writers import Ledger


pytestmark = pytest.mark.crash

KILLS = 5
HASTY = "tests.reliability.hasty:create"


@pytest.mark.parametrize(
    ("app", "seed"), [("", 1), (HASTY, 2)], ids=["at its own pace", "compacting"]
)
def test_a_killed_server_has_all_that_it_acknowledged(
    tmp_path: Path, app: str, seed: int
) -> None:
    """Training goes on for weeks; the server's machine does not always."""
    moments = random.Random(seed)
    with (
        served(tmp_path / "server", app=app) as server,
        crowd([server.port], tmp_path) as writers,
    ):
        for _ in range(KILLS):
            _let_them_write(server, writers, moments)
            server.kill()
            server.start()
        _let_them_write(server, writers, moments)
        ledgers = writers.finish()

        assert sum(ledger.resent for ledger in ledgers) > 0, "no kill was felt"
        assert [line for ledger in ledgers for line in ledger.refused] == []
        assert [line for ledger in ledgers for line in ledger.unseen] == []
        assert_all_there(server.port, ledgers)
        assert_calm(server)
        server.kill()

    _assert_sound(server, ledgers)


def _let_them_write(server: Served, writers: Crowd, moments: random.Random) -> None:
    """Wait for the first writes to arrive, then to a random moment."""
    del writers
    server.wait()
    # The moment must be random and not luck: nothing depends on when it comes.
    time.sleep(moments.uniform(0.05, 2.0))


def _assert_sound(server: Served, ledgers: list[Ledger]) -> None:
    """Look into the store itself, before and after its last compaction."""
    store = locate(server.store)
    with closing(sqlite3.connect(str(store.file))) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert file.execute("PRAGMA foreign_key_check").fetchall() == []

    with closing(Database(store.database_url)) as database:
        compact_all(database)
        for run_id, written in merged(ledgers).items():
            whole = database.look(documents.by_id, run_id)
            for latest in whole.metrics:
                columns = database.look(series.whole, run_id, latest.key)
                expected = sum(point[0] == latest.key for point in written.points)
                assert latest.points == columns.size == expected
