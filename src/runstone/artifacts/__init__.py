"""Artifacts: bytes by URI, on a disk or in an object store."""

from collections.abc import Mapping
from importlib import import_module

from runstone.artifacts import paths
from runstone.artifacts.local import LocalStore
from runstone.artifacts.store import Chunks, Download, Store
from runstone.errors import Unusable


__all__ = ["Chunks", "Download", "LocalStore", "Store", "open_store"]

MLFLOWS = frozenset(
    {"download_artifacts", "list_artifacts", "load_dict", "load_image", "load_text"}
)
"""What MLflow's module of this name has."""


def open_store(uri: str, *, environ: Mapping[str, str] | None = None) -> Store:
    """
    Open the store below an artifact root.

    Args:
        uri: A root that passed `paths.location`, or that the operator chose:
            a path, `file:///…` or `s3://bucket/prefix`.

        environ: Where to read endpoint and credentials; the process's own.

    Raises:
        UnsafePath: It is no root at all.
        Unusable: Nothing here keeps bytes at such a URI, or an extra is missing.
    """
    root = paths.location(uri, operator=True)
    folder = paths.local_path(root)
    if folder is not None:
        return LocalStore(folder)

    scheme = root.partition(":")[0]
    if scheme == "s3":
        from runstone.artifacts.s3 import S3Store  # noqa: PLC0415  # the `s3` extra

        return S3Store(root, environ=environ)

    raise Unusable(
        f"Runstone cannot keep artifacts at {scheme}: yet; use a folder or s3://bucket"
    )


def __getattr__(name: str) -> object:
    # `import runstone as mlflow` has MLflow's `artifacts` under the same name, which
    # this package takes as soon as a store is opened in the process.
    if name not in MLFLOWS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    return getattr(import_module("runstone.sdk.fluent.artifacts"), name)
