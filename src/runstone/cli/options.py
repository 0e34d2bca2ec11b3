"""Command line options made from settings."""

from collections.abc import Callable
from typing import Any

import click

from runstone import settings
from runstone.settings import Field


Decorated = Callable[..., Any]

SHORT = {"host": "-h", "port": "-p", "workers": "-w"}
"""MLflow's short options."""

SWITCHES_OFF = {"serve_artifacts", "access_log"}
"""Switches that are on, and have a `--no-…`."""


def setting(name: str) -> Callable[[Decorated], Decorated]:
    """Make the option of one setting; None where it is not given."""
    field = next(field for field in settings.fields() if field.name == name)

    return _option(field)


def every_setting(command: Decorated) -> Decorated:
    """Give a command the option of every setting."""
    for field in reversed(settings.fields()):
        command = _option(field)(command)

    return command


def _option(field: Field) -> Callable[[Decorated], Decorated]:
    flag = "--" + field.name.replace("_", "-")
    names = [field.name, flag]
    if field.name in SHORT:
        names.append(SHORT[field.name])
    if field.name in SWITCHES_OFF:
        names[1] = f"{flag}/--no-{flag.removeprefix('--')}"

    # The value stays None where the option is not given: `settings.read` knows
    # the rest, the environment and the defaults.
    if field.kind is bool:
        return click.option(*names, is_flag=True, default=None, help=_words(field))

    return click.option(
        *names,
        type=click.IntRange(*field.bounds) if field.kind is int else str,
        default=None,
        metavar=field.metavar or None,
        help=_words(field),
    )


def _words(field: Field) -> str:
    default = field.default
    if field.kind is bool:
        default = "on" if default else "off"
    shown = f" [default: {default}]" if default not in (None, "", ()) else ""

    return f"{field.help}{shown} [{', '.join(field.environment)}]"
