"""
Models of MLflow 3 as folders of the runs that made them.

MLflow 3 keeps a model's files beside its run's, and its clients look in both
places (`RunsArtifactRepository`, MLflow 3.18).  Older clients, and people, look
below the run.  So where a path below a run's artifacts names one of its models,
the model's files are found there too.  Nothing is copied, and what really lies
below the run comes first.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from runstone import errors
from runstone.artifacts import paths
from runstone.artifacts.store import Store
from runstone.model import ArtifactEntry
from runstone.server.http import Request
from runstone.server.mlflow.places import below, is_proxied, place
from runstone.server.state import database
from runstone.storage import logged_models, runs


OF_RUN: Final = re.compile(
    r"(?P<root>(?:.*?/)?(?P<run>[0-9a-f]{32})/artifacts)(?:/(?P<rest>.*))?", re.DOTALL
)
CLIENT: Final = re.compile(r"mlflow-python-client/(\d{1,4})\.")


class Spot(NamedTuple):
    """A place below a run's artifacts; an empty path is their root."""

    run_id: str
    path: str


async def entries(request: Request, spot: Spot) -> list[ArtifactEntry]:
    """Return what models add to a folder of a run, by paths from the run's root."""
    if not spot.path:
        names = await database(request).read(logged_models.names_of_run, spot.run_id)
        return [
            ArtifactEntry(name, is_folder=True, size_bytes=None)
            for name in names
            if paths.is_clean(name)
        ]
    found = await _model(request, spot)
    if found is None:
        return []
    store, root = found
    name, _, rest = spot.path.partition("/")
    listed = await store.list(below(root, rest) or None)

    return [
        item._replace(path=f"{name}/{item.path.removeprefix(f'{root}/')}")
        for item in listed
    ]


async def file(request: Request, spot: Spot) -> tuple[Store, str]:
    """
    Return where a file lies that a run has by one of its models.

    Raises:
        ArtifactNotFound: The path does not begin with a model of the run.
    """
    found = await _model(request, spot)
    rest = spot.path.partition("/")[2]
    if found is None or not rest:
        raise errors.ArtifactNotFound(spot.path)
    store, root = found

    return store, below(root, rest)


async def home(request: Request, spot: Spot, artifact_uri: str) -> str | None:
    """
    Return where what is seen below a run's artifacts, on the proxy, really lies.

    None where it is the run's own, or of no model.
    """
    name, _, rest = paths.clean_folder(spot.path).partition("/")
    uri = await database(request).read(logged_models.place_in_run, spot.run_id, name)
    if uri is None:
        return None
    store, root = place(request, artifact_uri)
    if await store.list(below(root, name)):
        return None

    return f"{uri}/{rest}" if rest else uri


async def spot_of(request: Request, path: str) -> Spot | None:
    """Say which place of which run a path on the proxy is; None for other paths."""
    cleaned = paths.clean_folder(path)
    match = OF_RUN.fullmatch(cleaned)
    if match is None:
        return None
    try:
        run = await database(request).read(runs.by_id, match["run"])
    except errors.RunNotFound:
        return None
    is_its_root = is_proxied(run.artifact_uri) and (
        place(request, run.artifact_uri)[1] == match["root"]
    )

    return Spot(run.id, match["rest"] or "") if is_its_root else None


def looks_itself(request: Request) -> bool:
    """
    Say whether the client adds the files of models to those of runs by itself.

    It would list each file twice, and take a model for files of the run when it
    registers one.
    """
    match = CLIENT.match(request.header(b"user-agent"))

    return match is not None and int(match[1]) >= 3


def merged(
    own: Iterable[ArtifactEntry], added: Iterable[ArtifactEntry]
) -> list[ArtifactEntry]:
    """Put entries together; of two with one path the run's own stays."""
    found = {item.path: item for item in added}
    found.update((item.path, item) for item in own)

    return sorted(found.values())


async def _model(request: Request, spot: Spot) -> tuple[Store, str] | None:
    """Return the store and the folder of the model that a path begins with."""
    name = spot.path.partition("/")[0]
    uri = await database(request).read(logged_models.place_in_run, spot.run_id, name)

    return None if uri is None else place(request, uri)
