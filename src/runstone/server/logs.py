"""The server's log: one line per event, to the terminal and to a file."""

import io
import logging
import os
import sys
from contextlib import suppress
from logging.handlers import WatchedFileHandler
from pathlib import Path

from runstone.errors import Unusable
from runstone.settings import Settings


FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def start(settings: Settings) -> None:
    """
    Send the log to standard output, line by line, and to the log file.

    Raises:
        Unusable: The log file cannot be written.
    """
    # A redirected output is buffered by blocks, and `tail -f` would see nothing.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")

    # Nobody reads these of a line, and an access log pays for each of them.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001  # the switch that the logging how-to names

    level = settings.log_level.upper()
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stdout)]
    if settings.log_file and not _is_output(settings.log_file):
        handlers.append(_file(settings.log_file))
    for handler in handlers:
        handler.setFormatter(logging.Formatter(FORMAT))

    root = logging.getLogger("runstone")
    root.setLevel(level)
    root.handlers = handlers
    root.propagate = False

    engine = logging.getLogger("uvicorn.error")
    engine.setLevel("DEBUG" if level == "DEBUG" else "WARNING")
    engine.handlers = handlers
    engine.propagate = False
    if level != "DEBUG":
        engine.addFilter(_one_line)


def _one_line(record: logging.LogRecord) -> bool:
    """Keep the reason of a failed start and drop the way to it; nothing is hidden."""
    reason = record.exc_info[1] if record.exc_info else None
    text = record.getMessage().rstrip()
    if reason:
        record.msg, record.args, record.exc_info = str(reason), (), None
    elif text.startswith("Traceback"):
        record.msg, record.args = text.rpartition("\n")[2], ()

    return True


def _file(name: str) -> logging.Handler:
    try:
        return WatchedFileHandler(name, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise Unusable(
            f"cannot write the log file {name!r}: {error.strerror}"
        ) from error


def _is_output(name: str) -> bool:
    with suppress(OSError, ValueError, AttributeError):
        return os.path.samestat(os.fstat(sys.stdout.fileno()), Path(name).stat())

    return False
