"""The config of a run: what went into it, kept as params."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from runstone import limits
from runstone.wandb.errors import ConfigError, UsageError


class Config:
    """
    Inputs of a run by name: `config.lr`, `config["lr"]`.

    A value that is nested becomes several params, with dots between the names.  A key
    changes its value only where that is allowed.

    Args:
        say: Told of each change: the params that it makes and the config as JSON.

        change: Whether values may change without a word.
    """

    _items: dict[str, Any]
    _say: Callable[[dict[str, str], str], None] | None
    _change: bool

    def __init__(
        self,
        say: Callable[[dict[str, str], str], None] | None = None,
        *,
        change: bool = False,
    ) -> None:
        object.__setattr__(self, "_items", {})
        object.__setattr__(self, "_say", say)
        object.__setattr__(self, "_change", change)

    def update(self, d: Any = None, allow_val_change: bool | None = None) -> None:
        """
        Take in values.

        Args:
            d: A dict, what `argparse` parsed, or the path of a JSON or YAML file.

            allow_val_change: Whether keys may change their values.

        Raises:
            ConfigError: One would, and may not.
        """
        values = {key: plain(value) for key, value in _mapping(d).items()}
        self._check(values, bool(allow_val_change))
        self._items.update(values)
        self._tell(values)

    def setdefaults(self, d: Any) -> None:
        """Take in the values of keys that have none yet."""
        self.update({k: v for k, v in _mapping(d).items() if k not in self._items})

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return a value, which is *default* from now on if there was none."""
        if key not in self._items:
            self.update({key: default})

        return self._items[key]

    def get(self, *args: Any) -> Any:
        """Return the value of a key, or the default that comes second."""
        return self._items.get(*args)

    def as_dict(self) -> dict[str, Any]:
        """Return a copy."""
        return dict(self._items)

    def keys(self) -> Iterable[str]:
        """Return the names."""
        return self._items.keys()

    def values(self) -> Iterable[Any]:
        """Return the values."""
        return self._items.values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return names and values."""
        return self._items.items()

    def persist(self) -> None:
        """Do nothing: what is said here is kept at once."""

    def restored(self, values: Mapping[str, Any]) -> None:
        """Take in what the run had before; nobody has to be told."""
        for key, value in values.items():
            self._items.setdefault(key, value)

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __getattr__(self, key: str) -> Any:
        try:
            return self._items[key]
        except KeyError:
            raise AttributeError(
                f"{key!r} is not in the config; it has {sorted(self._items)}"
            ) from None

    def __setattr__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr(self._items)

    def _check(self, values: Mapping[str, Any], allowed: bool) -> None:
        if allowed or self._change:
            return
        for key, value in values.items():
            if key in self._items and self._items[key] != value:
                raise ConfigError(key, self._items[key], value)

    def _tell(self, values: Mapping[str, Any]) -> None:
        if self._say is None or not values:
            return
        params = {
            key: text
            for key, value in flat(values, ".")
            if len(text := str(value)) <= limits.PARAM_VALUE_CHARS
        }
        self._say(params, json.dumps(self._items, default=str))


def flat(values: Mapping[str, Any], mark: str) -> Iterator[tuple[str, Any]]:
    """Yield what is in nested dicts, with *mark* between the names."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            for inner, found in flat(value, mark):
                yield f"{key}{mark}{inner}", found
        else:
            yield str(key), value


def plain(value: Any) -> Any:
    """Return a value as JSON can keep it: numbers of NumPy and torch as Python's."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):  # an array or a tensor, of any number of numbers
        return plain(value.tolist())

    return str(value)


def _mapping(given: Any) -> Mapping[str, Any]:
    """Return what was given as a dict."""
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return given
    if isinstance(given, Config):
        return given.as_dict()
    if isinstance(given, str | os.PathLike):
        return _file(Path(given))
    if hasattr(given, "flag_values_dict"):  # absl.flags
        return dict(given.flag_values_dict())
    if hasattr(given, "__dict__"):  # argparse.Namespace, dataclasses
        return dict(vars(given))

    raise UsageError(
        f"config is {type(given).__name__}, expected a dict, the result of "
        "parse_args() or the path of a JSON or YAML file"
    )


def _file(path: Path) -> Mapping[str, Any]:
    """Read a file; W&B's own form has {"value": ...} below each name."""
    try:
        text = path.read_text()
    except OSError as error:
        raise UsageError(f"The config {path} cannot be read: {error}") from error
    found = json.loads(text) if path.suffix == ".json" else _yaml(text)
    if not isinstance(found, dict):
        raise UsageError(f"The config {path} holds no names with values")

    return {
        str(key): value["value"] if _is_wrapped(value) else value
        for key, value in found.items()
        if key != "wandb_version"
    }


def _is_wrapped(value: object) -> bool:
    return (
        isinstance(value, dict)
        and "value" in value
        and set(value)
        <= {
            "value",
            "desc",
        }
    )


def _yaml(text: str) -> object:
    try:
        import yaml
    except ImportError:
        raise UsageError(
            "A config in YAML needs PyYAML: pip install pyyaml, or write JSON"
        ) from None
    found: object = yaml.safe_load(text)

    return found
