"""What people meet has its words, and the words are what the code says."""

import inspect

import click

from dev import docs
from runstone import errors
from runstone.server import app


def test_every_error_stands_in_the_drawn_tree() -> None:
    """The drawing at the top of errors.py shows each class below its parent."""
    drawn = _drawn(errors.__doc__ or "")
    classes = {
        name: value.__bases__[0].__name__
        for name, value in inspect.getmembers(errors, inspect.isclass)
        if issubclass(value, errors.RunstoneError) and value is not errors.RunstoneError
    }

    assert drawn == classes


def test_every_limit_has_its_words() -> None:
    """A bound says what it bounds; the ends of int64 speak for themselves."""
    silent = {name for name, _, words in docs.constants() if not words}

    assert silent <= {"INT64_MAX", "INT64_MIN"}


def test_every_command_has_its_words() -> None:
    """So has each of its options: `--help` never leaves a blank."""
    silent = [name for name, command in docs.commands() if not command.help]
    silent += [
        f"{name} {option.opts[0]}"
        for name, command in docs.commands()
        for option in command.params
        # A hidden option is another tool's, taken and ignored with a word.
        if isinstance(option, click.Option) and not option.hidden and not option.help
    ]

    assert silent == []


def test_every_route_has_its_words() -> None:
    """Whoever reads the list of routes learns what each is for."""
    silent = [route.path for route in app.routes() if not route.endpoint.__doc__]

    assert silent == []


def test_the_reference_is_what_the_code_says() -> None:
    """After a change of help, settings, routes, errors or limits: `make docs`."""
    assert docs.stale() == []


def _drawn(text: str) -> dict[str, str]:
    """Read the tree: each class and the one it hangs from."""
    parents = {0: "RunstoneError"}
    found = {}
    for line in text.splitlines():
        before, branch, rest = line.partition("── ")
        if branch:
            # Each level is drawn four columns further in, the first at column 4.
            level = (len(before) - 5) // 4 + 1
            name = rest.split()[0]
            found[name] = parents[level - 1]
            parents[level] = name

    return found
