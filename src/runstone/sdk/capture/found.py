"""What the parts of a capture are given, and what they find."""

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple


if TYPE_CHECKING:
    from runstone.sdk.capture import secrets


POLL_SECONDS: Final = 0.01
HURRY_SECONDS: Final = 0.7
"""How long a program may still run once the run has ended."""

FOLDER: Final = "runstone"


class Found(NamedTuple):
    """What a part found."""

    tags: Mapping[str, str] = {}
    facts: Mapping[str, object] = {}
    """For `metadata.json`."""

    files: Mapping[str, bytes] = {}
    """By path below the folder of the capture."""


class Context:
    """
    What was so when the run began.

    Args:
        argv: `sys.argv`.

        command: The whole command, with the interpreter.

        directory: Folder of the script.

        hurry: Set when the run has ended and its process wants to.
    """

    def __init__(
        self,
        *,
        argv: Sequence[str],
        command: Sequence[str],
        directory: Path,
        hurry: threading.Event,
    ) -> None:
        self.argv = argv
        self.command = command
        self.directory = directory
        self.hurry = hurry

    @cached_property
    def redactor(self) -> "secrets.Redactor":
        """What takes secrets away."""
        from runstone.sdk.capture import secrets  # compiles much

        return secrets.Redactor()

    def output(
        self,
        *command: str,
        directory: Path | None = None,
        seconds: float = 10.0,
        limit_bytes: int = 1024 * 1024,
    ) -> bytes | None:
        """
        Return what a program writes; None where it fails, or needs or says too much.

        Args:
            *command: The program and its arguments.

            directory: Where it runs.

            seconds: How long it may take.

            limit_bytes: How much it may say.
        """
        import tempfile

        with tempfile.TemporaryFile() as file:
            try:
                process = subprocess.Popen(  # noqa: S603  # programs that we name
                    command,
                    cwd=directory,
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.DEVNULL,
                    env={**os.environ, **QUIET},
                )
            except OSError:
                return None
            if not self._waited(process, file.fileno(), seconds, limit_bytes):
                process.kill()
                process.wait()
                return None
            file.seek(0)

            return file.read() if process.returncode == 0 else None

    def _waited(
        self,
        process: "subprocess.Popen[bytes]",
        file: int,
        seconds: float,
        limit_bytes: int,
    ) -> bool:
        deadline = time.monotonic() + seconds
        pause = POLL_SECONDS / 4
        while process.poll() is None:
            if self.hurry.is_set():
                deadline = min(deadline, time.monotonic() + HURRY_SECONDS)
            if time.monotonic() > deadline or os.fstat(file).st_size > limit_bytes:
                return False
            time.sleep(pause)
            pause = min(pause * 1.5, 0.1)

        return os.fstat(file).st_size <= limit_bytes


QUIET: Final = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "LC_ALL": "C.UTF-8",
}
"""Programs neither ask, nor lock, nor page, nor translate."""


def folder(began: float | None) -> str:
    """Return where files go; one that goes on gets a folder by its time (UTC)."""
    if began is None:
        return FOLDER

    return f"{FOLDER}/{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(began))}"
