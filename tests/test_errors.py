"""The errors themselves."""

import inspect
import pickle
from typing import get_type_hints

import pytest

from runstone import errors
from runstone.errors import RunstoneError


SAMPLES: dict[object, object] = {str: "x", int: 3, bool: True, str | None: None}
CLASSES = [
    value
    for _, value in inspect.getmembers(errors, inspect.isclass)
    if issubclass(value, RunstoneError)
]


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_survives_the_way_between_processes(
    kind: type[RunstoneError],
) -> None:
    """A worker's error says the same in the process that asked."""
    error = _sample(kind)

    again = pickle.loads(pickle.dumps(error))

    assert type(again) is kind
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def _sample(kind: type[RunstoneError]) -> RunstoneError:
    """Make an error of a class from the types of its facts."""
    if "__init__" not in vars(kind):
        return kind("what happened")

    hints = get_type_hints(kind.__init__)
    hints.pop("return")
    facts = {name: SAMPLES[hint] for name, hint in hints.items()}
    build = inspect.signature(kind).bind(**facts)

    return kind(*build.args, **build.kwargs)
