"""What this machine can do at all, to read the other numbers by."""

import sqlite3
import tempfile
import time
from pathlib import Path


MIB = 1 << 20


def sqlite_commits() -> float:
    """Return rows a second into a SQLite file in WAL mode, a commit each."""
    return _sqlite_rows(rows=1)


def sqlite_batches() -> float:
    """Return rows a second into a SQLite file, 1,000 rows a commit."""
    return _sqlite_rows(rows=1000)


def _sqlite_rows(*, rows: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "raw.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(
            "CREATE TABLE point (run INT, key INT, step INT, value REAL)"
        )
        batch = [(1, 1, step, 0.5) for step in range(rows)]
        done = 0
        began = time.perf_counter()
        while (took := time.perf_counter() - began) < 1:
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO point VALUES (?, ?, ?, ?)", batch)
            connection.execute("COMMIT")
            done += rows
        connection.close()

        return done / took


def memcpy() -> float:
    """Return MiB a second copied from memory to memory."""
    source, copy = bytearray(256 * MIB), bytearray(256 * MIB)
    best = 0.0
    for _ in range(3):
        began = time.perf_counter()
        copy[:] = source
        best = max(best, 256 / (time.perf_counter() - began))

    return best
