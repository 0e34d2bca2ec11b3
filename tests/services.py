"""
Private, throw-away servers for tests.

Each lies in a temporary folder, listens on a free loopback port, does not care for
durability and ends with its `with` block, whatever happens in it.
"""

import contextlib
import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pymysql


START_SECONDS = 60
"""Longest a server may take to answer; slow machines are slow."""

STOP_SECONDS = 20
"""Longest a server may take to end before it is killed."""


class Missing(Exception):
    """A program is not installed, or is too old."""


@contextmanager
def postgresql() -> Iterator[str]:
    """
    Start PostgreSQL and yield the URL of an empty database.

    Raises:
        Missing: It is not installed, or older than 15.
    """
    programs = find_postgresql()
    with _folder("postgres") as folder:
        user = _user("postgres")
        data = folder / "data"
        initdb = [str(programs / "initdb"), "-D", str(data), "-U", "runstone"]
        initdb += ["-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        subprocess.run(
            initdb,
            check=True,
            user=user,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )
        port = free_port()
        # No socket file: the folder's name may be too long for one.
        options = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": "",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": 200,
        }
        arguments = [
            part for key in options for part in ("-c", f"{key}={options[key]}")
        ]
        command = [str(programs / "postgres"), "-D", str(data), *arguments]
        url = f"postgresql+psycopg://runstone@127.0.0.1:{port}/postgres"

        def answers() -> None:
            psycopg.connect(plain(url), connect_timeout=2).close()

        with _process(command, user, folder / "log", answers, psycopg.Error):
            yield url


@contextmanager
def fresh_postgresql(url: str, *, template: str | None = None) -> Iterator[str]:
    """
    Yield the URL of a new database on the server at *url*, dropped afterwards.

    Args:
        url: Any database of the server.

        template: Name of a database to copy, which nobody may be connected to.
    """
    name = f"test_{uuid.uuid4().hex}"
    copy = f' TEMPLATE "{template}"' if template else ""
    with psycopg.connect(plain(url), autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"{copy}'.encode())
    try:
        yield _with_database(url, name)
    finally:
        # FORCE: a test that leaks a connection must not break its neighbours.
        with psycopg.connect(plain(url), autocommit=True) as server:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@contextmanager
def mariadb() -> Iterator[str]:
    """
    Start MariaDB and yield the URL of an empty database.

    Raises:
        Missing: It is not installed, or older than 10.6.
    """
    server, installer = find_mariadb()
    with _folder("mysql") as folder:
        user = _user("mysql")
        # As root, and without a user of its own, MariaDB wants it said.
        run_as = ["--user=root"] if user is None and _is_root() else []
        data = f"--datadir={folder / 'data'}"
        no_config = "--no-defaults"
        quick = ["--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run(
            [installer, no_config, data, *quick, *run_as],
            check=True,
            user=user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        port = free_port()
        command = [str(server), no_config, data, *run_as, f"--port={port}"]
        command += ["--bind-address=127.0.0.1", f"--socket={folder / 'socket'}"]
        command += [f"--pid-file={folder / 'pid'}", "--skip-log-bin"]
        command += ["--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0"]
        command += ["--character-set-server=utf8mb4", "--max-connections=200"]
        url = f"mysql+pymysql://root@127.0.0.1:{port}/mysql"

        def answers() -> None:
            pymysql.connect(host="127.0.0.1", port=port, user="root").close()

        with _process(command, user, folder / "log", answers, pymysql.Error):
            yield url


@contextmanager
def fresh_mariadb(url: str, *, template: str | None = None) -> Iterator[str]:
    """
    Yield the URL of a new database, dropped afterwards.

    Args:
        url: The server.

        template: Database whose tables and rows it begins with.
    """
    name = f"test_{uuid.uuid4().hex}"
    _mariadb_run(url, f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    try:
        if template:
            _copy_tables(url, template, name)
        yield _with_database(url, name)
    finally:
        _mariadb_run(url, f"DROP DATABASE `{name}`")


def find_postgresql() -> Path:
    """
    Find the folder of PostgreSQL's programs, the newest where there are several.

    Raises:
        Missing: It is not installed, or older than 15.
    """
    # Debian keeps them off PATH, one folder for each version.
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    folders = sorted(debian, key=lambda folder: float(folder.parent.name))
    if on_path := shutil.which("initdb"):
        folders.append(Path(on_path).parent)
    for folder in reversed(folders):
        if (folder / "initdb").exists() and _version(folder / "postgres") >= (15, 0):
            return folder

    raise Missing("PostgreSQL 15 or newer is not installed (make setup installs it)")


def find_mariadb() -> tuple[Path, Path]:
    """
    Find MariaDB's server and the program that makes its first database.

    Raises:
        Missing: It is not installed, or older than 10.6.
    """
    # Debian keeps the server in sbin, which few people have on PATH.
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
    server = shutil.which("mariadbd", path=path)
    installer = shutil.which("mariadb-install-db", path=path)
    if server and installer and _version(Path(server)) >= (10, 6):
        return Path(server), Path(installer)

    raise Missing("MariaDB 10.6 or newer is not installed (make setup installs it)")


def find_chromium() -> Path:
    """
    Find Chromium, or a browser that is one.

    Raises:
        Missing: There is none.
    """
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return Path(found)

    raise Missing("Chromium is not installed (make setup installs it)")


def free_port() -> int:
    """Find a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _folder(owner: str) -> Iterator[Path]:
    """Make a temporary folder that *owner* may write to."""
    with tempfile.TemporaryDirectory(
        prefix="runstone-", ignore_cleanup_errors=True
    ) as name:
        user = _user(owner)
        if user is not None:
            os.chown(name, user, -1)
        yield Path(name)


@contextmanager
def _process(
    command: list[str],
    user: int | None,
    log: Path,
    answers: Callable[[], None],
    away: type[Exception],
) -> Iterator[None]:
    """
    Run a server while the block runs.

    Args:
        command: Program and arguments.

        user: Number of the user to run as; None for ourselves.

        log: File for what the server prints.

        answers: Asks the server something.

        away: What *answers* raises as long as the server is not ready.
    """
    with log.open("wb") as output:
        # A session of its own: Ctrl-C reaches pytest only, which then stops us.
        process = subprocess.Popen(
            command,
            user=user,
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait(process, log, answers, away)
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(
    process: subprocess.Popen[bytes],
    log: Path,
    answers: Callable[[], None],
    away: type[Exception],
) -> None:
    """Return when the server answers; fail with its log when it never does."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(away):
            answers()
            return
        time.sleep(0.05)

    words = log.read_text(errors="replace")[-2000:]
    raise RuntimeError(f"{process.args!r} does not answer:\n{words}")


def _is_root() -> bool:
    return os.geteuid() == 0


def _user(name: str) -> int | None:
    """Whom a server has to run as; None for ourselves."""
    if not _is_root():
        return None
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def _version(program: Path) -> tuple[int, int]:
    """Ask a program for its version."""
    words = subprocess.check_output([program, "--version"], text=True)
    found = re.search(r"(\d+)\.(\d+)", words)

    return (int(found[1]), int(found[2])) if found else (0, 0)


def plain(url: str) -> str:
    """Spell a SQLAlchemy URL as libpq knows it."""
    return url.replace("+psycopg", "", 1)


def _with_database(url: str, name: str) -> str:
    return f"{url.rpartition('/')[0]}/{name}"


def _copy_tables(url: str, template: str, name: str) -> None:
    tables = _mariadb_run(url, f"SHOW TABLES FROM `{template}`")
    copies = ["SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'"]
    for (table,) in tables:
        here, there = f"`{name}`.`{table}`", f"`{template}`.`{table}`"
        copies.append(f"CREATE TABLE {here} LIKE {there}")
        copies.append(f"INSERT INTO {here} SELECT * FROM {there}")
    _mariadb_run(url, *copies)


def _mariadb_run(url: str, *statements: str) -> tuple[tuple[str, ...], ...]:
    """Execute statements and return the rows of the last."""
    port = int(url.rpartition(":")[2].partition("/")[0])
    connection = pymysql.connect(
        host="127.0.0.1", port=port, user="root", autocommit=True
    )
    try:
        cursor = connection.cursor()
        for sql in statements:
            cursor.execute(sql)
        return cursor.fetchall()
    finally:
        connection.close()
