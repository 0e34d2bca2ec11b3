"""What one call of `log` says, taken apart: numbers, and media by their bodies."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from runstone.wandb.configs import flat
from runstone.wandb.data_types import Histogram, Image, Media, Plotly, Table
from runstone.wandb.data_types.media import Keeper, body, text_body, value_body


NUMBERS: Final = frozenset((float, int))
"""What goes to the journal without a look; bool is no `int` to `type()`."""

MARK: Final = "."
"""Between the names of what is nested, as W&B has it."""

LIST_VALUES: Final = 32
"""Up to so many values an array is a list, above it a histogram; W&B: the same."""


SIGNS: Final[Mapping[str, Callable[[Any], Media]]] = {
    "to_plotly_json": Plotly,
    "savefig": Image,
    "getbands": Image,
    "itertuples": lambda frame: Table(dataframe=frame),
}
"""By what the objects of others are known: Plotly, Matplotlib, PIL, pandas."""


class Row(NamedTuple):
    """What is logged at one step."""

    numbers: dict[str, float]
    bodies: dict[str, dict[str, Any]]
    shown: dict[str, Any]
    """What of *bodies* the summary has."""


def row(data: Mapping[str, Any], keeper: Keeper) -> Row:
    """Take apart what was logged; None says nothing."""
    found = Row({}, {}, {})
    for key, value in flat(data, MARK):
        if type(value) in NUMBERS:
            found.numbers[key] = value
        else:
            _put(found, key, value, keeper)

    return found


def _put(found: Row, key: str, value: Any, keeper: Keeper) -> None:
    """Put a value that is no plain number where it belongs."""
    number = _number(value)
    if number is not None:
        found.numbers[key] = number
        return
    if value is None or (isinstance(value, dict | list | tuple) and not value):
        return
    if isinstance(value, str):
        found.bodies[key] = text_body(value)
        found.shown[key] = value
        return

    group = _media(value)
    made = body(group, keeper) if group else value_body(_listed(value), keeper)
    found.bodies[key] = made
    found.shown[key] = made["items"][0].get("value", made) if not group else made


def _number(value: Any) -> float | None:
    """Return a single number, of whichever library, or None."""
    if isinstance(value, bool | int | float):
        return value
    size = getattr(value, "size", None) if hasattr(value, "dtype") else None
    size = value.numel() if callable(size) and hasattr(value, "numel") else size
    if size == 1 and hasattr(value, "item"):  # NumPy's and torch's
        value = value.item()
    elif size is not None or isinstance(value, str | bytes):
        return None

    return float(value) if hasattr(value, "__float__") else None


def _media(value: Any) -> list[Media]:
    """Return what is shown as media: of ours, or made of others' objects."""
    if isinstance(value, list | tuple):
        one = {media[0].kind for item in value if (media := _media(item))}
        every = [media[0] for item in value if (media := _media(item))]
        return every if len(one) == 1 and len(every) == len(value) else []
    if isinstance(value, Media):
        return [value]
    made = next((make for sign, make in SIGNS.items() if hasattr(value, sign)), None)
    if made is None and _length(value) > LIST_VALUES:
        made = Histogram

    return [made(value)] if made else []


def _length(value: Any) -> int:
    """Return how many numbers an array or a tensor holds; 0 for anything else."""
    if not hasattr(value, "dtype") or "obj" in str(value.dtype):
        return 0
    size = getattr(value, "size", 0)

    return int(value.numel() if callable(size) else size)


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, set | frozenset) else value
