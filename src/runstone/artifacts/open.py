"""Open a store by its URI."""

from pathlib import Path

from runstone.artifacts.local import LocalStore
from runstone.artifacts.store import Store


def open_store(uri: str) -> Store:
    """Open a store."""
    return LocalStore(Path(uri))
