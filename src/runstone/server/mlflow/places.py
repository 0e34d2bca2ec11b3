"""Where artifacts lie: the server's own place, or a store that a URI names."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from runstone import errors
from runstone.artifacts import paths
from runstone.artifacts.store import Store
from runstone.model import ArtifactEntry
from runstone.server.http import Request
from runstone.server.state import state


def proxied(request: Request) -> Store:
    """
    Return the server's own place for artifacts.

    Raises:
        NotBuilt: This server does not serve artifacts.
    """
    if not state(request).settings.serve_artifacts:
        raise errors.NotBuilt(
            "This server does not serve artifacts: it was started with "
            "--no-serve-artifacts"
        )

    return state(request).artifacts


def place(request: Request, artifact_uri: str) -> tuple[Store, str]:
    """Return the store that holds artifacts, and their folder in it."""
    if is_proxied(artifact_uri):
        return state(request).artifacts, urlsplit(artifact_uri).path.strip("/")

    return state(request).store_at(artifact_uri), ""


def is_proxied(artifact_uri: str) -> bool:
    """Say whether clients reach these artifacts through the server."""
    return artifact_uri.startswith(f"{paths.PROXY_SCHEME}:")


def below(root: str, path: str) -> str:
    """
    Join what a client sent to a folder of ours; nothing is the folder itself.

    Raises:
        UnsafePath: By itself it would be refused; the whole is judged again.
    """
    cleaned = paths.clean_folder(path)

    return f"{root}/{cleaned}" if root and cleaned else root or cleaned


def relative(entries: Iterable[ArtifactEntry], root: str) -> list[ArtifactEntry]:
    """Name entries as they are called from *root*, the folder they lie below."""
    return [
        item._replace(path=item.path.removeprefix(f"{root}/") if root else item.path)
        for item in entries
    ]


def entry(item: ArtifactEntry) -> dict[str, object]:
    """Return a line of a listing as MLflow sends it."""
    found: dict[str, object] = {"path": item.path, "is_dir": item.is_folder}
    if item.size_bytes is not None:
        found["file_size"] = item.size_bytes

    return found
