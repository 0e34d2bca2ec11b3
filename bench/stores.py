"""Where a peer keeps its runs: a SQLite file or a database of a private PostgreSQL."""

import contextlib
import os
import pwd
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import psycopg

from bench import ports


Database = Literal["sqlite", "postgresql"]

DRIVERS = {"mlflow": "postgresql+psycopg2", "runstone": "postgresql"}


class Store(Protocol):
    """The place of one peer's runs."""

    @property
    def uri(self) -> str:
        """The backend store URI for the peer's command line."""
        ...

    @property
    def files(self) -> Path:
        """Folder for its artifacts."""
        ...

    def size_bytes(self) -> int:
        """Size on disk of what is kept, without pages that wait for reuse."""
        ...

    def is_filled(self) -> bool:
        """Tell whether `mark_filled` was called in this or an earlier run."""
        ...

    def mark_filled(self) -> None:
        """Remember that everything was written."""
        ...

    def clear(self) -> None:
        """Delete everything and start with an empty store."""
        ...


@dataclass(frozen=True)
class SqliteStore:
    """A database file in a folder of its own."""

    folder: Path

    @property
    def path(self) -> Path:
        """The database file."""
        return self.folder / "store.db"

    @property
    def uri(self) -> str:
        """The backend store URI."""
        return f"sqlite:///{self.path}"

    @property
    def files(self) -> Path:
        """Folder for artifacts."""
        return self.folder / "artifacts"

    def size_bytes(self) -> int:
        """Size of the pages in use."""
        connection = sqlite3.connect(self.path)
        try:
            total, free, page_bytes = (
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
        finally:
            connection.close()

        return int((total - free) * page_bytes)

    def is_filled(self) -> bool:
        """Tell whether the mark is there."""
        return (self.folder / "filled").exists()

    def mark_filled(self) -> None:
        """Leave the mark."""
        (self.folder / "filled").touch()

    def clear(self) -> None:
        """Delete the folder and make it anew."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.files.mkdir(parents=True)


@dataclass(frozen=True)
class PostgresStore:
    """One database of the private server."""

    cluster: "Cluster"
    side: str
    name: str
    files: Path

    @property
    def dsn(self) -> str:
        """Where psycopg finds it."""
        return self.cluster.dsn(self.name)

    @property
    def uri(self) -> str:
        """The backend store URI."""
        return self.dsn.replace("postgresql", DRIVERS[self.side], 1)

    def size_bytes(self) -> int:
        """Size of all its tables and indexes."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute("VACUUM FULL")
            connection.execute("CHECKPOINT")
            row = connection.execute(
                "SELECT pg_database_size(current_database())"
            ).fetchone()
            assert row

            return int(row[0])

    def is_filled(self) -> bool:
        """Tell whether the mark is there."""
        with psycopg.connect(self.cluster.dsn("postgres")) as connection:
            row = connection.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
                " WHERE datname = %s",
                [self.name],
            ).fetchone()

            return row is not None and row[0] == "filled"

    def mark_filled(self) -> None:
        """Leave the mark as the database's comment."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute(f"COMMENT ON DATABASE {self.name} IS 'filled'".encode())

    def clear(self) -> None:
        """Drop the database and make it anew."""
        shutil.rmtree(self.files, ignore_errors=True)
        self.files.mkdir(parents=True)
        with psycopg.connect(
            self.cluster.dsn("postgres"), autocommit=True
        ) as connection:
            connection.execute(
                f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)".encode()
            )
            connection.execute(f"CREATE DATABASE {self.name}".encode())


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL server of our own, as it comes: fsync is on."""

    folder: Path
    port: int

    def dsn(self, name: str) -> str:
        """Where psycopg finds a database."""
        return f"postgresql://runstone@127.0.0.1:{self.port}/{name}"

    def version(self) -> str:
        """Version of the server."""
        with psycopg.connect(self.dsn("postgres")) as connection:
            row = connection.execute("SHOW server_version").fetchone()
            fsync = connection.execute("SHOW fsync").fetchone()
            assert row
            assert fsync

            return f"{row[0]}, fsync {fsync[0]}"


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[Cluster]:
    """Start a private PostgreSQL in *folder*; what it holds stays for the next time."""
    programs = Path(_output(["pg_config", "--bindir"]).strip())
    place = folder / "cluster"
    if not (place / "PG_VERSION").exists():
        place.mkdir(parents=True, exist_ok=True)
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(place, user.pw_uid, user.pw_gid)
        _output(
            _as_owner(
                programs / "initdb",
                *("-D", place, "-U", "runstone", "-A", "trust"),
                *("-E", "UTF8", "--locale=C.UTF-8"),
            )
        )
    control = programs / "pg_ctl"
    port = ports.free()
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
    start = _as_owner(
        control, "-D", place, "-w", "-l", place / "log", "-o", options, "start"
    )
    # Not `_output`: the server would keep its pipe open for ever.
    # A session of its own, as Ctrl-C is for us, who still have to stop it.
    subprocess.run(
        start,
        check=True,
        cwd="/",
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield Cluster(folder, port)
    finally:
        # One that has ended by itself is no reason to lose the results.
        with contextlib.suppress(subprocess.CalledProcessError):
            _output(_as_owner(control, "-D", place, "-w", "-m", "fast", "stop"))


def _as_owner(*words: object) -> list[str]:
    command = [str(word) for word in words]
    if os.getuid() == 0:
        return ["runuser", "-u", "postgres", "--", *command]

    return command


def _output(command: list[str]) -> str:
    return subprocess.run(
        command, check=True, cwd="/", capture_output=True, text=True
    ).stdout
