"""
The summary of a run: one value of each thing it logged, and what people put there.

It is the last value, unless `define_metric` asks for others.  What is put there by
hand is kept in a tag, and a number that no series has is a metric too, so that it can
be searched and sorted by.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from runstone.wandb.configs import plain
from runstone.wandb.definitions import KEPT, Metric, find


class Summary:
    """
    The summary: `summary["acc"]`, `summary.acc`, `summary.update({...})`.

    Args:
        read: Returns it as it is.

        write: Takes what was put there: values by name, None for what is gone.
    """

    _read: Callable[[], Mapping[str, Any]]
    _write: Callable[[Mapping[str, Any]], None]

    def __init__(
        self,
        read: Callable[[], Mapping[str, Any]],
        write: Callable[[Mapping[str, Any]], None],
    ) -> None:
        object.__setattr__(self, "_read", read)
        object.__setattr__(self, "_write", write)

    def update(self, d: Mapping[str, Any] | None = None, **more: Any) -> None:
        """Put values there."""
        self._write({**(d or {}), **more})

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value."""
        return self._read().get(key, default)

    def keys(self) -> Iterable[str]:
        """Return the names."""
        return self._read().keys()

    def values(self) -> Iterable[Any]:
        """Return the values."""
        return self._read().values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return names and values."""
        return self._read().items()

    def __getitem__(self, key: str) -> Any:
        return self._read()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._write({key: value})

    def __delitem__(self, key: str) -> None:
        self._write({key: None})

    def __getattr__(self, key: str) -> Any:
        try:
            return self._read()[key]
        except KeyError:
            raise AttributeError(f"{key!r} is not in the summary") from None

    def __setattr__(self, key: str, value: Any) -> None:
        self._write({key: value})

    def __contains__(self, key: object) -> bool:
        return key in self._read()

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __repr__(self) -> str:
        return repr(dict(self._read()))


def view(
    last: Mapping[str, Any],
    put: Mapping[str, Any],
    defined: Mapping[str, Metric],
) -> dict[str, Any]:
    """
    Return a summary.

    Args:
        last: The last value of each series.

        put: What people put there; it goes before the rest.

        defined: What was defined, by name or pattern.
    """
    parts: dict[str, dict[str, Any]] = {}
    whole: dict[str, Any] = {}
    for key, value in last.items():
        name, _, word = key.rpartition(".")
        metric = find(defined, name) if word in KEPT and name else None
        if metric and word in metric.summary:
            parts.setdefault(name, {})[word] = value
        else:
            _show(key, value, find(defined, key), whole, parts)

    return {**whole, **parts, **put}


def _show(
    key: str,
    value: Any,
    metric: Metric | None,
    whole: dict[str, Any],
    parts: dict[str, dict[str, Any]],
) -> None:
    """Put the last value of a series where its definition wants it."""
    words = metric.summary if metric else ()
    if "last" in words:
        parts.setdefault(key, {})["last"] = value
    elif not words or "copy" in words:
        whole[key] = value


def written(put: Mapping[str, Any]) -> str:
    """Return what people put there as JSON."""
    return json.dumps(plain(put))


def parsed(text: str | None) -> dict[str, Any]:
    """Read what `written` wrote."""
    try:
        found = json.loads(text or "{}")
    except ValueError:  # written by somebody else
        return {}

    return found if isinstance(found, dict) else {}
