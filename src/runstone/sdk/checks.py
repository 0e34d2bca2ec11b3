"""
What MLflow's names refuse at once, in its words.

Source: `mlflow/utils/validation.py`, `metric_value_conversion_utils.py`, 3.18.
"""

import json
import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NoReturn

from runstone import limits
from runstone.exceptions import INVALID_PARAMETER_VALUE, MlflowException
from runstone.keys import fault
from runstone.sdk import say


RUN_ID: Final = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}")
OWN_RUN_ID: Final = re.compile("[0-9a-f]{32}")


def key(name: object, place: str = "key") -> str:
    """
    Return the key of a metric, a param or a tag.

    Args:
        name: What was given.

        place: What to call it.

    Raises:
        MlflowException: It is none.
    """
    if name is None or name == "":
        _refuse(place, name or "", "A key name must be provided.")
    if not isinstance(name, str):
        _refuse(place, str(name), f"It is {type(name).__name__}, expected a string")
    if wrong := fault(name):
        _refuse(place, name, wrong)
    if len(name) > limits.KEY_CHARS:
        raise MlflowException(
            f"'{place}' exceeds the maximum length of {limits.KEY_CHARS} characters: "
            f"{name[:80]}…",
            INVALID_PARAMETER_VALUE,
        )

    return name


@lru_cache(maxsize=65_536)
def is_key(name: str) -> bool:
    """Say whether `key` would take a name."""
    return 0 < len(name) <= limits.KEY_CHARS and fault(name) is None


@lru_cache(maxsize=4_096)
def are_keys(names: tuple[str, ...]) -> bool:
    """Say whether `key` would take all of these."""
    return all(type(name) is str and is_key(name) for name in names)


def number(name: str, value: object) -> float:
    """
    Return the number that a metric's value is; arrays of one element are one.

    Raises:
        MlflowException: It is none.
    """
    if type(value) is float or type(value) is int:
        return value
    if value is None:
        raise MlflowException(
            "Missing value for required parameter 'value'.", INVALID_PARAMETER_VALUE
        )
    try:
        return float(_plain(value))
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        shape = getattr(value, "shape", None)
        hint = f" of shape {tuple(shape)}" if shape else ""
        raise MlflowException(
            f"Invalid value {str(value)[:200]!r} for parameter 'value' supplied: "
            f"metric {name!r} is {type(value).__name__}{hint} ({error}). Please "
            "specify value as a valid double (64-bit floating point)",
            INVALID_PARAMETER_VALUE,
        ) from None


def _plain(value: Any) -> Any:  # noqa: ANN401  # whatever a library calls a number
    """Return the one element of an array, on this side of a GPU."""
    torch = sys.modules.get("torch")
    if torch and isinstance(value, torch.Tensor):
        return value.detach().cpu().item()
    numpy = sys.modules.get("numpy")
    if numpy and isinstance(value, numpy.ndarray):
        return value.item()
    return value


def step(name: str, given: object) -> int:
    """
    Return the step of a point; None is 0.

    Raises:
        MlflowException: It is no integer.
    """
    if type(given) is int:
        return given
    if given is None:
        return 0
    try:
        return int(_plain(given))
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise MlflowException(
            f"Invalid value {str(given)[:100]!r} for parameter 'step' supplied: metric "
            f"{name!r}. Step must be a valid long (64-bit integer).",
            INVALID_PARAMETER_VALUE,
        ) from None


def time_ms(name: str, given: object) -> int | None:
    """
    Return the time of a point in milliseconds; None is now.

    Raises:
        MlflowException: It is no time.
    """
    if given is None:
        return None
    try:
        at = int(_plain(given))
    except (TypeError, ValueError, OverflowError, RuntimeError):
        at = -1
    if not 0 <= at < 2**63:
        raise MlflowException(
            f"Invalid value {str(given)[:100]!r} for parameter 'timestamp' supplied: "
            f"metric {name!r}. Timestamp must be a nonnegative long (64-bit integer), "
            "milliseconds since 1970",
            INVALID_PARAMETER_VALUE,
        )

    return at


def params(values: Mapping[str, object], known: Mapping[str, str]) -> dict[str, str]:
    """
    Return params as they are kept.

    Args:
        values: What was given.

        known: What this process wrote before; nothing of that may change.

    Raises:
        MlflowException: A key is none, or a value would change.
    """
    fitting = _labels("Param", values, limits.PARAM_VALUE_CHARS)
    for name, value in fitting.items():
        if known.get(name, value) != value:
            raise MlflowException(
                "INVALID_PARAMETER_VALUE: Changing param values is not allowed. Param "
                f"with key={name!r} was already logged with value={known[name]!r}. "
                f"Attempted logging new value {value!r}. Use a tag, or another key, "
                "for what changes.",
                INVALID_PARAMETER_VALUE,
            )

    return fitting


def tags(values: Mapping[str, object]) -> dict[str, str]:
    """
    Return tags as they are kept.

    Raises:
        MlflowException: A key is none.
    """
    return _labels("Tag", values, limits.TAG_VALUE_CHARS)


def run_id(given: object) -> str:
    """
    Return the id of a run.

    Raises:
        MlflowException: It cannot be one.
    """
    if not isinstance(given, str) or not RUN_ID.fullmatch(given):
        raise MlflowException(
            f"Invalid value {json.dumps(str(given)[:100])} for parameter 'run_id' "
            "supplied.",
            INVALID_PARAMETER_VALUE,
        )

    return given


def experiment_name(given: object) -> str:
    """
    Return the name of an experiment.

    Raises:
        MlflowException: It is none.
    """
    if not isinstance(given, str) or not given.strip():
        raise MlflowException(
            f"Invalid experiment name: {given!r}. Expects a string.",
            INVALID_PARAMETER_VALUE,
        )
    if len(given) > limits.EXPERIMENT_NAME_CHARS:
        raise MlflowException(
            f"'name' exceeds the maximum length of {limits.EXPERIMENT_NAME_CHARS} "
            "characters",
            INVALID_PARAMETER_VALUE,
        )

    return given


def _labels(what: str, values: Mapping[str, object], limit: int) -> dict[str, str]:
    kept = {}
    for name, value in values.items():
        text = value if isinstance(value, str) else str(value)
        if len(text) > limit:
            say.warn(
                f"{what} {str(name)[:80]!r} has {len(text):,} characters, the first "
                f"{limit:,} are kept; log the whole as an artifact"
            )
            text = text[:limit]
        kept[key(name)] = text

    return kept


def _refuse(place: str, name: str, wrong: str) -> NoReturn:
    shown = json.dumps(name[:300], ensure_ascii=False)

    raise MlflowException(
        f"Invalid value {shown} for parameter '{place}' supplied: {wrong}",
        INVALID_PARAMETER_VALUE,
    )
