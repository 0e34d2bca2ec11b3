"""
What a registered model and an alias may be called.

MLflow's rule, and three of our own against names that pass for another one: they
are kept in Unicode's composed form, nothing in them is invisible, and they read
the same once percent-decoded (CVE-2024-3099).

Source: `_validate_model_name`, `_validate_alias_name` and
`_validate_alias_name_reserved` in `mlflow/utils/validation.py`, MLflow 3.18.
"""

import re
import unicodedata
from typing import Final
from urllib.parse import unquote

from runstone import errors, limits
from runstone.storage import words


ALIAS: Final = re.compile(r"[\w\-]+")
RESERVED: Final = re.compile(r"(?i:latest)|[vV]\d+")
"""`models:/name@latest` has a meaning already, and v3 looks like version 3."""


def model(name: str) -> str:
    """
    Return a model's name as it is kept.

    Raises:
        TooLarge: It is longer than MODEL_NAME_CHARS.
        InvalidInput: It is blank, or could be taken for another name or a path.
    """
    composed = unicodedata.normalize("NFC", name)
    words.clean("Model name", composed, limits.MODEL_NAME_CHARS)
    if not composed.strip():
        raise errors.InvalidInput("Missing value for required parameter 'name'.")
    if "/" in composed or ":" in composed:
        raise errors.InvalidInput(
            f"Invalid model name '{composed}'. Names cannot contain '/' or ':'."
        )
    if composed == "." or composed.startswith(".."):
        _refuse(composed, "it may be taken for a path")
    if not composed.isprintable():
        _refuse(composed, "it has signs that cannot be seen; leave them out")
    if unquote(composed) != composed:
        _refuse(composed, "once decoded it is another name; leave the % out")

    return composed


def alias(text: str) -> str:
    """
    Return an alias that may be looked up.

    Raises:
        TooLarge: It is longer than ALIAS_CHARS.
        InvalidInput: It has other signs than letters, digits, `_` and `-`.
    """
    if not ALIAS.fullmatch(text):
        raise errors.InvalidInput(
            f"Invalid alias name: '{text[: limits.ALIAS_CHARS]}'. Names may only "
            "contain alphanumerics, underscores (_), and dashes (-)."
        )

    return words.clean("Registered model alias name", text, limits.ALIAS_CHARS)


def new_alias(text: str) -> str:
    """
    Return an alias that may be given.

    Raises:
        InvalidInput: It is no alias, or one with a meaning of its own.
    """
    if RESERVED.fullmatch(text):
        raise errors.InvalidInput(
            f"'{text}' alias name is reserved; choose one that is neither 'latest' "
            "nor looks like a version"
        )

    return alias(text)


def _refuse(name: str, why: str) -> None:
    raise errors.InvalidInput(
        f"Invalid value {name!r} for parameter 'name' supplied: {why}"
    )
