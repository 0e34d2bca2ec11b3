"""The group of all commands, and what happens to errors."""

from collections.abc import Sequence

import click

from runstone import errors
from runstone._version import __version__
from runstone.cli import (
    carry,
    db,
    exec,  # noqa: A004  # the command
    server,
    servers,
    sync,
)


# A class that has no line here ends like its parent.  2 is Click's own code
# for a wrong command line, 130 the shells' for Ctrl-C.
EXIT_CODES: dict[type[errors.RunstoneError], int] = {
    errors.RunstoneError: 1,
    errors.InvalidInput: 2,
    errors.Unusable: 3,
    errors.NotFound: 4,
    errors.Conflict: 5,
    errors.Refused: 6,
    errors.Unavailable: 7,
    errors.NotBuilt: 8,
}

INTERRUPTED = 130


@click.group(
    context_settings={"help_option_names": ["--help"], "max_content_width": 100},
    epilog="Each command tells more with --help, such as: runstone server --help",
)
@click.version_option(__version__, prog_name="runstone")
def commands() -> None:
    """Every run, set in stone: record, compare and serve machine-learning work."""


for command in (
    server.server,
    server.ui,
    servers.status,
    servers.stop,
    servers.logs,
    sync.sync,
    exec.exec_,
    carry.carry,
    db.db,
):
    commands.add_command(command)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the answer is the exit code, errors are one line."""
    try:
        result = commands.main(
            list(arguments), prog_name="runstone", standalone_mode=False
        )
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except errors.RunstoneError as error:
        click.echo(f"Error: {error}", err=True)
        return exit_code(error)
    except BrokenPipeError:
        return _quiet_end()
    except OSError as error:
        click.echo(f"Error: {error}; check the file, the disk or the rights", err=True)
        return EXIT_CODES[errors.RunstoneError]

    return result if isinstance(result, int) else 0


def exit_code(error: errors.RunstoneError) -> int:
    """Look up the exit code of an error."""
    for cls in type(error).__mro__:
        if issubclass(cls, errors.RunstoneError) and cls in EXIT_CODES:
            return EXIT_CODES[cls]

    return 1


def _quiet_end() -> int:
    """End well when `head` or `less` has read enough."""
    import os
    import sys

    # Python flushes standard output once more at its end, and would complain.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    return 0
