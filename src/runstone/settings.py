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

import msgspec
from msgspec import Meta

from runstone.errors import Unusable
from runstone.locations import Store, absolute, locate, shown


ENVIRONMENT_PREFIX = "RUNSTONE_"

PROXIED_ARTIFACTS = "mlflow-artifacts:/"
"""Artifact root that sends clients through the server; MLflow's spelling."""


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

    webhook_networks: Annotated[
        tuple[str, ...],
        _field(
            "Private networks that webhooks may call, with commas, such as "
            "10.1.0.0/16; by http too. Elsewhere only public addresses by https.",
            metavar="NETWORKS",
        ),
    ] = ()
    silence_seconds: Annotated[
        int,
        _field(
            "After how many seconds without a sign of life from its processes a run "
            "counts as killed; they give one every 30.",
            ge=2,
            le=31_536_000,
        ),
    ] = 300

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

    def __repr__(self) -> str:
        """Show the settings without passwords, for logs and failed asserts."""
        values = {field.name: getattr(self, field.name) for field in fields()}
        words = [
            f"{name}={shown(value) if isinstance(value, str) else value!r}"
            for name, value in values.items()
        ]

        return f"Settings({', '.join(words)})"

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
            return absolute(self.artifacts_destination)

        folder = self.store.folder

        return str(folder / "artifacts" if folder else Path("mlartifacts").absolute())

    @property
    def artifact_root(self) -> str:
        """Artifact root that new experiments get."""
        if self.default_artifact_root:
            return absolute(self.default_artifact_root)

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
