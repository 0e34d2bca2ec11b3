"""
Where things lie: what people write as a store becomes a database URL.

A store is a folder, an SQLite file or a database server; artifacts lie in a
folder or in an object store.
"""

from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from runstone.errors import Unusable


DATABASE_FILE = "runstone.db"
"""The database inside a store that is a folder."""

DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "postgresql+psycopg2": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mysql+pymysql": "mysql+pymysql",
    "mysql+mysqldb": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mariadb+pymysql": "mysql+pymysql",
}
"""Schemes people write, and the driver that Runstone ships."""

SYNCHRONOUS = ("NORMAL", "FULL")
"""Whether a commit to SQLite waits for the disk: it survives a power cut then."""

SECRET_QUERY_KEYS = frozenset({"password", "passwd", "passfile", "sslpassword"})


class Store(NamedTuple):
    """Where the record is kept."""

    database_url: str
    """SQLAlchemy URL, with its password; print it only through `shown`."""

    folder: Path | None = None
    """The folder that is the store, where the store is a folder."""

    file: Path | None = None
    """The database file, where the database is one."""

    def __repr__(self) -> str:
        """Show the store without its password."""
        return f"Store({shown(self.database_url)})"

    def make_folders(self) -> None:
        """
        Create the folder that the database file goes into.

        Raises:
            Unusable: The folder cannot be made.
        """
        if self.file is None:
            return
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unusable(
                f"cannot make the folder {str(self.file.parent)!r}: {error.strerror}; "
                "choose another with --backend-store-uri"
            ) from error


def locate(uri: str) -> Store:
    """
    Turn what people write as a store into a database URL.

    A folder means the database file inside it.  Relative paths are taken
    from the current folder, now.

    Raises:
        Unusable: No store of ours is spelled like this.
    """
    scheme, colon, rest = uri.partition(":")
    scheme = scheme.lower()
    if not uri.strip() or "\0" in uri:
        raise Unusable("the backend store URI is empty; try ./mlruns")
    if not colon or len(scheme) == 1 or "/" in scheme:
        return _folder(uri)
    if scheme == "file":
        return _folder(_file_path(uri))
    if scheme == "sqlite":
        return _sqlite_file(uri, rest)
    if scheme in DRIVERS:
        return _server_database(uri, DRIVERS[scheme], rest)
    if scheme in {"http", "https"}:
        raise Unusable(
            f"{shown(uri)!r} is a tracking server, not a store; clients reach it with "
            "MLFLOW_TRACKING_URI, and a server needs a store such as ./mlruns"
        )

    raise Unusable(
        f"no store is spelled {shown(uri)!r}; use a folder (./mlruns), "
        "sqlite:///file.db, postgresql://user@host/name or mysql://user@host/name"
    )


def shown(uri: str) -> str:
    """Return the URI with every password masked, fit for screens and logs."""
    if "://" not in uri:
        return uri
    try:
        parts = urlsplit(uri)
        query = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return uri.partition("://")[0] + "://***"

    who, at, where = parts.netloc.rpartition("@")
    name, colon, _ = who.partition(":")
    masked = [(k, "***" if k.lower() in SECRET_QUERY_KEYS else v) for k, v in query]
    if masked == query and not colon:
        return uri

    netloc = name + (":***" if colon else "") + at + where
    new_query = urlencode(masked, safe="*/:") if masked != query else parts.query

    return urlunsplit(parts._replace(netloc=netloc, query=new_query))


def absolute(uri: str) -> str:
    """Make a path absolute; leave the URI of an object store alone."""
    scheme, colon, _ = uri.partition(":")
    if scheme.lower() == "file":
        return str(Path(_file_path(uri)).expanduser().absolute())
    if colon and len(scheme) > 1 and "/" not in scheme:
        return uri

    return str(Path(uri).expanduser().absolute())


def _folder(path: str) -> Store:
    folder = Path(path).expanduser().absolute()
    if folder.is_file():
        raise Unusable(f"{path!r} is a file; for an SQLite file write sqlite:///{path}")

    file = folder / DATABASE_FILE

    return Store(_sqlite_url(file), folder=folder, file=file)


def _file_path(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.netloc not in {"", "localhost"}:
        raise Unusable(
            f"{uri!r} names the machine {parts.netloc!r}; a folder of this machine is "
            "written file:///folder or ./folder"
        )
    path = unquote(uri.partition(":")[2].removeprefix(f"//{parts.netloc}"))
    if not path:
        raise Unusable(f"{uri!r} names no folder; try file:./mlruns")

    return path


def _sqlite_file(uri: str, rest: str) -> Store:
    path, mark, query = rest.removeprefix("///").partition("?")
    if not rest.startswith("///") or not path or ":memory:" in path:
        raise Unusable(
            f"{uri!r} names no file; write sqlite:///mlflow.db, or "
            "sqlite:////folder/mlflow.db for an absolute path"
        )

    file = Path(path).expanduser().absolute()
    if file.is_dir():
        raise Unusable(f"{path!r} is a folder; give a file inside it, or {path} alone")

    for key, value in parse_qsl(query):
        if key == "synchronous" and value.upper() not in SYNCHRONOUS:
            raise Unusable(
                f"synchronous is {value!r}, expected {' or '.join(SYNCHRONOUS)}"
            )

    return Store(_sqlite_url(file) + mark + query, file=file)


def _sqlite_url(file: Path) -> str:
    # SQLAlchemy decodes the path of a URL since 2.1.
    return "sqlite:///" + str(file).replace("%", "%25").replace("?", "%3F")


def _server_database(uri: str, driver: str, rest: str) -> Store:
    if not rest.startswith("//") or not urlsplit(uri).path.strip("/"):
        example = f"{driver.partition('+')[0]}://user:password@host/runstone"
        raise Unusable(
            f"{shown(uri)!r} names no database; write it like {example}",
        )

    return Store(f"{driver}:{rest}")
