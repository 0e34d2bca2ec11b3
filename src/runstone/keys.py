"""Keys of metrics, params and tags, as MLflow takes them."""

import posixpath
import re
from functools import lru_cache
from typing import Final


KEY: Final = re.compile(r"[/\w.\- :]*")


@lru_cache(maxsize=65_536)
def fault(key: str) -> str | None:
    """
    Say what is wrong with a key; None where nothing is.

    Source: `_validate_metric_name` in `mlflow/utils/validation.py`, 3.18.
    """
    if not KEY.fullmatch(key):
        return (
            "Names may only contain alphanumerics, underscores (_), dashes (-), "
            "periods (.), spaces ( ), colon(:) and slashes (/)."
        )
    plain = posixpath.normpath(key)
    if plain != key or plain == "." or plain.startswith(("..", "/")):
        return (
            "Names may be treated as files in certain cases, and must not resolve to "
            f"other names when treated as such. This name would resolve to {plain!r}"
        )

    return None
