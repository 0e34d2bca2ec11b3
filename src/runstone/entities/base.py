"""What all records have in common that MLflow's names give."""

from collections.abc import Iterator
from typing import Any

import msgspec


class Entity(msgspec.Struct, frozen=True):
    """A record that never changes; `dict(record)` has its fields."""

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        for field in self.__struct_fields__:
            yield field, getattr(self, field)

    def to_dictionary(self) -> dict[str, Any]:
        """Return the fields, and those of records in them."""
        found: dict[str, Any] = msgspec.to_builtins(self)

        return found
