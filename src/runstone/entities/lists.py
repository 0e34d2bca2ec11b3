"""Pages, and what lies in a folder."""

from typing import TypeVar

from runstone.entities.base import Entity


T = TypeVar("T")


class PagedList(list[T]):
    """
    A page of what was found.

    Args:
        items: What is on it.

        token: Asks for the next page; None on the last.
    """

    def __init__(self, items: list[T], token: str | None) -> None:
        super().__init__(items)
        self.token = token

    def to_list(self) -> list[T]:
        """Return a plain list."""
        return list(self)


class FileInfo(Entity, frozen=True):
    """An artifact: its path in the run, and its size in bytes if it is a file."""

    path: str
    is_dir: bool
    file_size: int | None = None


class ExperimentTag(Entity, frozen=True):
    """A label of an experiment."""

    key: str
    value: str
