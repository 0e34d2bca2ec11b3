"""
Settings: one frozen record, read once from flags, environment and file.

A field is declared once, with its type, default, bounds, names in the
environment and words; command line options, checks and docs come from here.
"""

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, NamedTuple, get_type_hints
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import msgspec
from msgspec import Meta

from runstone.errors import Unusable


ENVIRONMENT_PREFIX = "RUNSTONE_"

PROXIED_ARTIFACTS = "mlflow-artifacts:/"
"""Artifact root that sends clients through the server; MLflow's spelling."""

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

SECRET_QUERY_KEYS = frozenset({"password", "passwd", "passfile", "sslpassword"})


def _field(
    words: str,
    *environment: str,
    metavar: str = "",
    ge: int | None = None,
    le: int | None = None,
) -> Meta:
    """Say what a field is for; `environment` holds its names after ours."""
    extra = {"environment": environment, "metavar": metavar}

    return Meta(description=words, extra=extra, ge=ge, le=le)


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


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a server can be told; defaults suit one person's machine."""

    backend_store_uri: Annotated[
        str,
        _field(
            "Where runs are recorded: a folder, sqlite:///file.db, postgresql://… "
            "or mysql://….",
            "MLFLOW_BACKEND_STORE_URI",
            metavar="URI",
        ),
    ] = "./mlruns"

    default_artifact_root: Annotated[
        str | None,
        _field(
            "Artifact root of new experiments. Unset: clients go through this server.",
            "MLFLOW_DEFAULT_ARTIFACT_ROOT",
            metavar="URI",
        ),
    ] = None

    artifacts_destination: Annotated[
        str | None,
        _field(
            "Where this server keeps the artifacts it is sent. Unset: inside the "
            "store's folder, else ./mlartifacts.",
            "MLFLOW_ARTIFACTS_DESTINATION",
            metavar="URI",
        ),
    ] = None

    serve_artifacts: Annotated[
        bool,
        _field("Take and give artifacts for clients.", "MLFLOW_SERVE_ARTIFACTS"),
    ] = True

    multipart_uploads: Annotated[
        bool,
        _field(
            "Have clients send large artifacts in parts, straight to an object store.",
            "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD",
        ),
    ] = False

    multipart_downloads: Annotated[
        bool,
        _field(
            "Have clients fetch artifacts straight from an object store.",
            "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD",
        ),
    ] = False

    host: Annotated[
        str,
        _field(
            "Address to listen on; 0.0.0.0 or :: is every address of the machine.",
            "MLFLOW_HOST",
            metavar="HOST",
        ),
    ] = "127.0.0.1"

    port: Annotated[
        int,
        _field("Port to listen on; 0 takes a free one.", "MLFLOW_PORT", ge=0, le=65535),
    ] = 5000

    workers: Annotated[
        int,
        _field("Server processes.", "MLFLOW_WORKERS", ge=1, le=256),
    ] = 1

    allowed_hosts: Annotated[
        tuple[str, ...],
        _field(
            "More names this server may be called by, with commas; * in a name is a "
            "wildcard. Local names and addresses are always allowed.",
            "MLFLOW_SERVER_ALLOWED_HOSTS",
            metavar="NAMES",
        ),
    ] = ()

    cors_allowed_origins: Annotated[
        tuple[str, ...],
        _field(
            "Other web origins that may use this server, with commas.",
            "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS",
            metavar="ORIGINS",
        ),
    ] = ()

    allow_unauthenticated: Annotated[
        bool,
        _field("Listen beyond this machine although nobody has to log in."),
    ] = False

    log_level: Annotated[
        str,
        _field(
            "How much to say: debug, info, warning or error.",
            "MLFLOW_LOGGING_LEVEL",
            metavar="LEVEL",
        ),
    ] = "info"

    log_file: Annotated[
        str | None,
        _field("File that gets the log as well.", metavar="FILE"),
    ] = None

    access_log: Annotated[
        bool,
        _field("Log each request."),
    ] = True

    app: Annotated[
        str,
        _field(
            "Factory of the ASGI application, module:function of the settings; for "
            "wrapping Runstone's own.",
            metavar="FACTORY",
        ),
    ] = "runstone.server.app:create"

    def __post_init__(self) -> None:
        """Refuse what no type can say."""
        if self.log_level.lower() not in {"debug", "info", "warning", "error"}:
            raise ValueError(
                f"log_level is {self.log_level!r}, expected debug, info, warning or "
                "error"
            )

    @property
    def store(self) -> Store:
        """The store that `backend_store_uri` names."""
        return locate(self.backend_store_uri)

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the record, with its password."""
        return self.store.database_url

    @property
    def artifacts_uri(self) -> str:
        """Where this server keeps artifacts: an absolute path or an object URI."""
        if self.artifacts_destination:
            return _absolute(self.artifacts_destination)

        folder = self.store.folder

        return str(folder / "artifacts" if folder else Path("mlartifacts").absolute())

    @property
    def artifact_root(self) -> str:
        """Artifact root that new experiments get."""
        if self.default_artifact_root:
            return _absolute(self.default_artifact_root)

        return PROXIED_ARTIFACTS if self.serve_artifacts else self.artifacts_uri

    def environment(self) -> dict[str, str]:
        """Spell these settings as variables that `read` turns into them again."""
        values = {field.name: getattr(self, field.name) for field in fields()}

        return {
            field.environment[0]: _spelled(values[field.name])
            for field in fields()
            if values[field.name] is not None
        }


class Field(NamedTuple):
    """One setting, as the command line and the docs need it."""

    name: str
    hint: object
    """The annotated type, with its bounds."""

    kind: type
    """str, int, bool or tuple."""

    default: object
    environment: tuple[str, ...]
    """Names in the environment; the first that is set and not empty wins."""

    help: str
    metavar: str
    bounds: tuple[int | None, int | None]


def fields() -> tuple[Field, ...]:
    """List every setting, in the order in which they are declared."""
    return _FIELDS


def _declared() -> Iterator[Field]:
    kinds = {
        bool: bool,
        int: int,
        tuple[str, ...]: tuple,
    }
    defaults = {info.name: info.default for info in msgspec.structs.fields(Settings)}

    for name, hint in get_type_hints(Settings, include_extras=True).items():
        (meta,) = hint.__metadata__
        extra = meta.extra
        yield Field(
            name,
            hint,
            kinds.get(hint.__origin__, str),
            defaults[name],
            (ENVIRONMENT_PREFIX + name.upper(), *extra["environment"]),
            meta.description,
            extra["metavar"],
            (meta.ge, meta.le),
        )


_FIELDS = tuple(_declared())


def read(
    flags: Mapping[str, object],
    environment: Mapping[str, str] | None = None,
    *,
    file: str | None = None,
) -> Settings:
    """
    Read settings: a flag wins over the environment, that over the file.

    Args:
        flags: Field name to value; None is a flag that was not given.

        environment: Variables; the process's own where None.

        file: A TOML file; else the one that RUNSTONE_CONFIG names, if any.

    Raises:
        Unusable: A value or the file cannot be used; says which and whence.
    """
    variables = os.environ if environment is None else environment
    from_file = _file(file or variables.get(ENVIRONMENT_PREFIX + "CONFIG") or None)

    values = {}
    for field in fields():
        found = _first(field, flags, variables, from_file)
        if found:
            values[field.name] = _converted(field, *found)

    try:
        return msgspec.convert(values, Settings)
    except msgspec.ValidationError as error:
        raise Unusable(str(error)) from error


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


def _absolute(uri: str) -> str:
    """Make a path absolute; leave the URI of an object store alone."""
    scheme, colon, _ = uri.partition(":")
    if scheme.lower() == "file":
        return str(Path(_file_path(uri)).expanduser().absolute())
    if colon and len(scheme) > 1 and "/" not in scheme:
        return uri

    return str(Path(uri).expanduser().absolute())


def _spelled(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, bool):
        return "true" if value else "false"

    return str(value)


def _file(name: str | None) -> Mapping[str, object]:
    if name is None:
        return {}
    try:
        table = tomllib.loads(Path(name).read_text(encoding="utf-8"))
    except OSError as error:
        raise Unusable(f"cannot read {name!r}: {error.strerror}") from error
    except ValueError as error:
        raise Unusable(f"{name!r} is not TOML: {error}") from error

    values = {key.replace("-", "_").lower(): value for key, value in table.items()}
    known = [field.name for field in fields()]
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            raise Unusable(f"{name!r} has the unknown setting {key!r}; {hint}")

    return values


def _first(
    field: Field,
    flags: Mapping[str, object],
    variables: Mapping[str, str],
    from_file: Mapping[str, object],
) -> tuple[object, str] | None:
    """Find a field's value and say where it was found."""
    flag = flags.get(field.name)
    if flag is not None:
        return flag, f"--{field.name.replace('_', '-')}"

    for name in field.environment:
        if variables.get(name):
            return variables[name], name

    if field.name in from_file:
        return from_file[field.name], "the settings file"

    return None


def _converted(field: Field, value: object, source: str) -> object:
    if field.kind is tuple and isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if field.kind is bool and isinstance(value, str):
        words = {"yes": "true", "on": "true", "no": "false", "off": "false"}
        value = words.get(value.strip().lower(), value.strip())
    try:
        return msgspec.convert(value, field.hint, strict=False)
    except msgspec.ValidationError as error:
        raise Unusable(f"{source} cannot be {value!r}: {error}") from error
