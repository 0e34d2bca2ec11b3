"""
Media: what is richer than a number.

What was given is read when it is logged; files are stored among the run's artifacts
under the hash of what is in them, so the same picture is stored once in a run.  The
shapes of the bodies are in `docs/design/media.md`.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from runstone.sdk.run import Run
from runstone.wandb.configs import plain


INLINE_BYTES: Final = 64 * 1024
"""What is larger stands in a file of its own and not in the body."""


class Keeper:
    """
    Stores the files of media as artifacts of a run.

    Args:
        run: Whose they are; None keeps nothing and says all the same where it would.
    """

    def __init__(self, run: Run | None) -> None:
        self._run = run
        self._kept: set[str] = set()

    def keep(self, content: bytes, kind: str, suffix: str) -> str:
        """Store bytes; return their path among the artifacts."""
        from hashlib import blake2b

        digest = blake2b(content, digest_size=16).hexdigest()
        path = f"media/{kind}/{digest}{suffix}"
        self._once(path, lambda run: run.log_bytes(content, path))

        return path

    def keep_file(self, source: Path, kind: str) -> str:
        """Store a file; it may be changed or deleted at once."""
        from hashlib import blake2b

        digest = blake2b(digest_size=16)
        with source.open("rb") as file:
            while piece := file.read(1024 * 1024):
                digest.update(piece)
        path = f"media/{kind}/{digest.hexdigest()}{source.suffix.lower()}"
        self._once(path, lambda run: run.log_file(source, path))

        return path

    def keep_json(self, content: object, kind: str) -> str:
        """Store what JSON can say; NumPy's and torch's numbers are taken too."""
        return self.keep(spelled(content), kind, ".json")

    def _once(self, path: str, store: Callable[[Run], None]) -> None:
        if self._run is None or path in self._kept:
            return
        store(self._run)
        self._kept.add(path)


class Media:
    """What can be logged beside numbers, and stand in a table's cells."""

    kind: ClassVar[str]
    """The "type" of its body."""

    def item(self, keeper: Keeper) -> dict[str, Any]:
        """Return what stands for it in a body; its files go to the keeper."""
        raise NotImplementedError


def body(group: Sequence[Media], keeper: Keeper) -> dict[str, Any]:
    """Return the body of media of one kind that were logged together."""
    return {
        "type": group[0].kind,
        "items": [medium.item(keeper) for medium in group],
    }


def text_body(text: str) -> dict[str, Any]:
    """Return the body of a text."""
    return {"type": "text", "items": [{"text": text}]}


def value_body(value: object, keeper: Keeper) -> dict[str, Any]:
    """Return the body of anything that JSON can say; long ones become a file."""
    said = finite(plain(value))
    if len(spelled(said)) > INLINE_BYTES:
        return {"type": "value", "items": [{"path": keeper.keep_json(said, "value")}]}

    return {"type": "value", "items": [{"value": said}]}


def spelled(content: object) -> bytes:
    """Return JSON; what is not finite becomes text, as on MLflow's wire."""
    return json.dumps(finite(plain(content)), separators=(",", ":")).encode()


def finite(value: Any) -> Any:
    """Return what JSON can say, with "NaN" and "Infinity" as texts."""
    if isinstance(value, float) and (value - value != 0):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"  # noqa: PLR0124  # the sign of NaN
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [finite(inner) for inner in value]

    return value


def labelled(item: dict[str, Any], caption: object) -> dict[str, Any]:
    """Return an item with its caption, if it has one."""
    return item if caption is None else {**item, "caption": str(caption)}
