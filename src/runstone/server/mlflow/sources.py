"""
Where a new version may come from: the gate to what `source` says.

A version's files are read by whoever may read the version, so its source must
belong to the run, the model or the version that it names (CVE-2023-1177,
CVE-2024-1558, CVE-2026-2614); a local path only where that run keeps its
artifacts.

Source: `_validate_source_run`, `_validate_source_model` and
`_resolve_registered_model_source_lineage` in `mlflow/server/handlers.py`, 3.18.
"""

import re
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from runstone import errors
from runstone.artifacts import paths
from runstone.model import Run
from runstone.server.http import Request
from runstone.server.mlflow import model_folders
from runstone.server.mlflow.places import is_proxied
from runstone.server.state import database
from runstone.storage import logged_models, runs
from runstone.storage.registry import naming, stages
from runstone.storage.registry.sources import Copied, Source


PROMPT_SOURCES: Final = frozenset({"dummy-source", "prompt-template"})
"""What MLflow's clients send for a prompt, whose text stands in a tag."""

OF_LOGGED_MODEL: Final = re.compile(
    r"/models/(?P<model>m-[0-9a-f]{32})/artifacts(?=/|$)"
)
"""The end of the place of a logged model's files."""

LOGGED_MODEL: Final = re.compile(r"m-[0-9a-f]{32}")
NUMBER: Final = re.compile(r"[0-9]{1,18}")


class Claim(NamedTuple):
    """What a client says of a version's origin."""

    source: str
    run_id: str | None
    model_id: str | None


class LoggedPlace(NamedTuple):
    """What a version takes from a logged model."""

    artifact_uri: str
    run_id: str | None


def prompt(source: str) -> Source:
    """
    Check the source of a prompt, which has no files.

    Raises:
        InvalidInput: It is another than MLflow's clients send.
    """
    if source not in PROMPT_SOURCES:
        raise errors.InvalidInput(
            f"Invalid prompt source: '{source[:200]}'. Prompt sources must use an "
            f"MLflow placeholder: {' or '.join(sorted(PROMPT_SOURCES))}"
        )

    return Source(source)


async def check(request: Request, claim: Claim) -> Source:
    """
    Check where a version is said to come from.

    Raises:
        InvalidInput: It is no source, or not of the run or model it is said to
            be of.
        UnsafePath: It would lead out of where it says it is.
    """
    found = await _checked(request, claim)

    return found if found.copied else found._replace(model_id=claim.model_id)


async def _checked(request: Request, claim: Claim) -> Source:
    scheme = _scheme(claim.source)
    if scheme == "models":
        return await _model(request, claim)
    if scheme == "runs":
        return _run(claim)
    if scheme in ("", "file", paths.PROXY_SCHEME):
        return await _inside(request, claim)
    paths.location(claim.source)

    return await _with_run(request, claim)


async def _model(request: Request, claim: Claim) -> Source:
    name = _below(claim.source, "models")
    if "/" not in name and "@" not in name:
        return await _logged(request, claim, name)

    return Source(claim.source, claim.run_id, copied=copied(claim.source))


def copied(source: str) -> Copied:
    """
    Read which version a `models:/name/…` or `models:/name@alias` means.

    Raises:
        InvalidInput: It is none.
    """
    name, slash, suffix = _below(source, "models").partition("/")
    if not slash:
        name, _, alias = name.rpartition("@")
        return Copied(naming.model(name), alias=naming.alias(alias))
    if "/" in suffix or not suffix.strip():
        raise _misplaced(source, "model_id")
    if NUMBER.fullmatch(suffix):
        return Copied(naming.model(name), version=int(suffix))
    if suffix.lower() == "latest":
        return Copied(naming.model(name))

    return Copied(naming.model(name), stage=stages.read(suffix))


async def _logged(request: Request, claim: Claim, model_id: str) -> Source:
    if not LOGGED_MODEL.fullmatch(model_id) or model_id != claim.model_id:
        raise _misplaced(claim.source, "model_id")
    place = await logged_place(request, model_id)

    return Source(claim.source, claim.run_id or place.run_id, place.artifact_uri)


async def logged_place(request: Request, model_id: str) -> LoggedPlace:
    """
    Say where the files of a logged model lie, and which run made it.

    Raises:
        LoggedModelNotFound: No live model has this id.
    """
    model = await database(request).read(logged_models.by_id, model_id)

    return LoggedPlace(model.artifact_uri, model.source_run_id or None)


def _run(claim: Claim) -> Source:
    run_id, _, path = _below(claim.source, "runs").partition("/")
    paths.clean_folder(path)
    if not run_id or run_id != claim.run_id:
        raise _misplaced(claim.source, "run_id")

    return Source(claim.source, claim.run_id)


async def _inside(request: Request, claim: Claim) -> Source:
    """Take a place only if it lies in the artifacts of the run that is named."""
    if not claim.run_id:
        raise _misplaced(claim.source, "run_id")
    try:
        run = await database(request).read(runs.by_id, claim.run_id)
    except errors.RunNotFound:
        raise _misplaced(claim.source, "run_id") from None
    if not lies_in(claim.source, run.artifact_uri):
        raise _misplaced(claim.source, "run_id")

    return Source(claim.source, claim.run_id, await _home(request, claim.source, run))


async def _home(request: Request, source: str, run: Run) -> str | None:
    """
    Follow a folder of a run to the model whose files are seen there.

    A client before 3.0 takes it for the run's own, and one of 3.x, from which it
    is hidden there, would load such a version in vain.
    """
    root = f"{run.artifact_uri.rstrip('/')}/"
    if not is_proxied(root) or not source.startswith(root):
        return None
    spot = model_folders.Spot(run.id, source.removeprefix(root))

    return await model_folders.home(request, spot, run.artifact_uri)


def lies_in(source: str, root: str) -> bool:
    """
    Say whether a place is, or lies below, a root of ours.

    Raises:
        UnsafePath: It is no place that a client may name.
    """
    folder = paths.local_path(root)
    if _scheme(source) in ("", "file"):
        if folder is None:
            return False
        paths.location(source, roots=[folder])
        return True
    place, top = paths.location(source), root.rstrip("/")

    return place == top or place.startswith(f"{top}/")


async def _with_run(request: Request, claim: Claim) -> Source:
    """Take the run from the logged model where only that is named."""
    if claim.run_id or not claim.model_id:
        return Source(claim.source, claim.run_id)
    place = await logged_place(request, claim.model_id)

    return Source(claim.source, place.run_id)


def _scheme(source: str) -> str:
    try:
        return urlsplit(source).scheme
    except ValueError:
        raise errors.UnsafePath(source, "it is not a URI") from None


def _below(source: str, scheme: str) -> str:
    """Return what follows `scheme:/`, where no host may stand."""
    rest = source[len(scheme) + 1 :]
    if not rest.startswith("/") or rest.startswith("//"):
        raise _misplaced(source, "model_id" if scheme == "models" else "run_id")

    return rest[1:]


def _misplaced(source: str, parameter: str) -> errors.InvalidInput:
    return errors.InvalidInput(
        f"Invalid model version source: '{source[:300]}'. The {parameter} request "
        "parameter must identify the resource that contains the source."
    )
