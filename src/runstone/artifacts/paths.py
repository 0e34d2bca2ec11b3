"""
Which artifact paths and roots a client may name: the one gate to all bytes.

A path that passed `clean` is relative, canonical, and cannot leave the root
it is joined to, however often something behind us decodes it again.

Source of the attacks: CVE-2023-1177, CVE-2023-2780, CVE-2023-6977,
CVE-2024-1483, CVE-2024-1558, CVE-2024-1560, CVE-2024-1593, CVE-2024-3573.
Source of what ordinary clients send: `mlflow/utils/uri.py`, MLflow 3.18.
"""

import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, quote, unquote_to_bytes, urlsplit

from runstone import limits
from runstone.errors import TooLarge, UnsafePath


OWN_PREFIX = ".runstone-"
"""Names that start so are our unfinished uploads: never listed, never named."""

BUCKET_SCHEMES = frozenset({"s3", "gs"})
ACCOUNT_SCHEMES = frozenset({"wasb", "wasbs", "abfs", "abfss"})
PROXY_SCHEME = "mlflow-artifacts"

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ACCOUNT = re.compile(r"[A-Za-z0-9$][A-Za-z0-9_-]*@[A-Za-z0-9][A-Za-z0-9.-]*")
_DRIVE = re.compile(r"[A-Za-z]:")
_DECODINGS = 10


def clean(path: str) -> str:
    """
    Check a path that a client gave, once decoded, and return it canonical.

    Letters of any script, spaces, `#`, `?` and `%` are ordinary.  One trailing
    `/` is taken off.  Nothing is normalised: what was written is found under
    the very same name.

    Raises:
        UnsafePath: The path is empty, absolute, climbs, or hides what it names.
    """
    trimmed = path.removesuffix("/")
    if not trimmed:
        raise UnsafePath(path, "it is empty; name a file below the artifact root")

    size_bytes = len(_utf8(path))
    if size_bytes > limits.ARTIFACT_PATH_BYTES:
        limit = limits.ARTIFACT_PATH_BYTES
        raise UnsafePath(
            path, f"it is {size_bytes} bytes long, expected at most {limit}"
        )

    _check_names(path, trimmed)
    _check_decodings(path, trimmed)

    return trimmed


def clean_folder(path: str | None) -> str:
    """Do `clean`, where none, or an empty one, means the root: `""`."""
    return clean(path) if path else ""


def is_clean(path: str) -> bool:
    """Say whether a client could name this path, just as it is."""
    try:
        return clean(path) == path
    except UnsafePath:
        return False


def location(uri: str, *, roots: Sequence[Path] = (), operator: bool = False) -> str:
    """
    Check an artifact root (`artifact_location`, `source`), return it canonical.

    Takes `s3://bucket/x`, `gs://bucket/x`, `wasbs://` and `abfss://`
    `container@account/x`, `mlflow-artifacts:/x`, and the local `/abs/path`,
    `file:///abs/path` and `./relative` (to the working directory, as MLflow
    does).  A local root comes back absolute.

    Args:
        uri: As the client sent it.

        roots: Folders below which anyone may put a local root.

        operator: The caller runs this server: any local folder, and a proxy
            on another host, will do.

    Raises:
        TooLarge: It is over `limits.URI_CHARS`.
        UnsafePath: It is none of these, or not the caller's to choose.
    """
    if len(uri) > limits.URI_CHARS:
        raise TooLarge("artifact location", len(uri), limits.URI_CHARS)

    split = _split(uri)
    if split.scheme in {"", "file"}:
        return _local(uri, split, roots=roots, operator=operator)

    _check_host(uri, split, operator=operator)
    path = _below(uri, split.path)
    if split.scheme == PROXY_SCHEME and not split.netloc:
        return f"{PROXY_SCHEME}:/{path}"

    return f"{split.scheme}://{split.netloc}/{path}".rstrip("/")


def local_path(uri: str) -> Path | None:
    """Return the folder that a checked local root names; None if it is remote."""
    split = urlsplit(uri)
    if split.scheme == "file":
        return Path(os.fsdecode(unquote_to_bytes(split.path)))

    return None if split.scheme else Path(uri)


def _check_names(path: str, text: str) -> None:
    if text.startswith("/"):
        raise UnsafePath(path, "it is absolute; give it relative to the artifact root")
    if "\\" in text:
        raise UnsafePath(path, "it holds a backslash; separate folders with '/'")
    if _DRIVE.match(text):
        raise UnsafePath(path, "it starts with a drive; give it relative to the root")
    if any(unicodedata.category(char) in {"Cc", "Zl", "Zp"} for char in text):
        raise UnsafePath(path, "it holds a control character; remove it")

    names = text.split("/")
    if len(names) > limits.ARTIFACT_DEPTH:
        raise UnsafePath(path, f"it is over {limits.ARTIFACT_DEPTH} folders deep")
    for name in names:
        _check_name(path, name)


def _check_name(path: str, name: str) -> None:
    if not name:
        raise UnsafePath(path, "it holds '//'; separate folders with one '/'")
    # Some servers behind us drop what follows `;`, and `..;` becomes `..`.
    if name.partition(";")[0] in {".", ".."}:
        raise UnsafePath(path, "it holds '.' or '..'; spell the folders out")
    if name.lower().startswith(OWN_PREFIX):
        raise UnsafePath(path, f"names that start with {OWN_PREFIX!r} are ours")
    if len(name.encode()) > limits.ARTIFACT_NAME_BYTES:
        limit = limits.ARTIFACT_NAME_BYTES
        raise UnsafePath(path, f"a name in it is over {limit} bytes; shorten it")


def _check_decodings(path: str, text: str) -> None:
    """Refuse what would turn into another path if it were decoded again."""
    depth = text.count("/")
    for _ in range(_DECODINGS):
        decoded = _decoded(path, text)
        if decoded == text:
            return
        if decoded.count("/") != depth:
            raise UnsafePath(path, "it holds an encoded '/'; send it as it is")
        _check_names(path, decoded)
        text = decoded

    raise UnsafePath(path, "it is encoded again and again; send it as it is")


def _decoded(path: str, text: str) -> str:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError as error:
        raise UnsafePath(path, "its escapes are not UTF-8; send it as it is") from error


def _utf8(path: str) -> bytes:
    try:
        return path.encode()
    except UnicodeEncodeError as error:
        raise UnsafePath(path, "it is not Unicode text; send it as UTF-8") from error


def _split(uri: str) -> SplitResult:
    _utf8(uri)
    if uri != uri.strip() or any(unicodedata.category(char) == "Cc" for char in uri):
        raise UnsafePath(uri, "it holds spaces around it or a control character")
    for mark, what in {"#": "fragment", "?": "query", ";": "params"}.items():
        if mark in uri:
            raise UnsafePath(uri, f"it has a {what} ({mark!r}); remove it")

    try:
        return urlsplit(uri)
    except ValueError as error:
        raise UnsafePath(uri, "it is not a URI") from error


def _check_host(uri: str, split: SplitResult, *, operator: bool) -> None:
    match split.scheme:
        case scheme if scheme in BUCKET_SCHEMES:
            if not _BUCKET.fullmatch(split.netloc):
                raise UnsafePath(uri, f"expected {scheme}://bucket/folder")
        case scheme if scheme in ACCOUNT_SCHEMES:
            if not _ACCOUNT.fullmatch(split.netloc):
                raise UnsafePath(uri, f"expected {scheme}://container@account/folder")
        case "mlflow-artifacts":
            if "@" in split.netloc or (split.netloc and not operator):
                raise UnsafePath(uri, "expected mlflow-artifacts:/folder, no host")
        case _:
            _refuse_scheme(uri)


def _refuse_scheme(uri: str) -> NoReturn:
    known = sorted(BUCKET_SCHEMES | ACCOUNT_SCHEMES | {PROXY_SCHEME, "file"})
    raise UnsafePath(uri, f"expected a local path or one of {', '.join(known)}")


def _below(uri: str, path: str) -> str:
    # `mlflow-artifacts:///x` and `mlflow-artifacts:/x` both have the path `/x`.
    try:
        return clean_folder(path.removeprefix("/"))
    except UnsafePath as error:
        raise UnsafePath(uri, error.why) from error


def _local(
    uri: str, split: SplitResult, *, roots: Sequence[Path], operator: bool
) -> str:
    given = _local_given(uri, split)
    below = _below(uri, given.removeprefix("./"))
    absolute = Path("/", below) if given.startswith("/") else Path.cwd() / below
    if not operator and not _is_below(absolute, roots):
        raise UnsafePath(
            uri, "it is not below an artifact root of this server; ask its operator"
        )

    path = absolute.as_posix()
    return f"file://{quote(path)}" if split.scheme else path


def _local_given(uri: str, split: SplitResult) -> str:
    if not split.scheme:
        # `urlsplit` takes `//host/x` apart; here it is no host.
        return uri

    if split.netloc not in {"", "localhost"}:
        raise UnsafePath(uri, "its file lies on another host; expected file:///folder")
    path = _decoded(uri, split.path)
    if not path.startswith("/"):
        raise UnsafePath(uri, "it is relative; expected file:///folder")

    return path


def _is_below(path: Path, roots: Sequence[Path]) -> bool:
    """Compare where the paths really lie, all links followed."""
    real = Path(os.path.realpath(path))
    return any(real.is_relative_to(os.path.realpath(root)) for root in roots)
