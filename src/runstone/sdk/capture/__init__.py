"""
What is kept of how a run was made, so that it can be understood and made again.

A thread beside the training gathers it once the run has begun: small facts become
tags, the rest lies among the artifacts in the folder `runstone`.  Nothing here may
fail the training or hold it up; what cannot be found out is left out.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from runstone.sdk import forks
from runstone.sdk.capture.found import Context, Found, folder
from runstone.sdk.run import Run


END_SECONDS: Final = 1.5
"""How long the end of a run waits for what is not gathered yet."""

START_SECONDS: Final = 0.05
"""How long the run's own first words go first."""

PARTS: Final = ("command", "packages", "machine", "code", "notebook", "git")
"""In this order: what is quick comes first, for scripts that end at once."""


class Capture:
    """
    Gathers the facts of one run, in a thread.

    Args:
        run: Where they go.

        parts: Which of `PARTS`.

        is_old: Whether the run was begun before and goes on: then its tags stay, and
            the files get a folder of their own.
    """

    def __init__(self, run: Run, parts: frozenset[str], *, is_old: bool) -> None:
        self._run = run
        self._parts = [part for part in PARTS if part in parts]
        self._is_old = is_old
        self._folder = folder(time.time()) if is_old else folder(None)
        self._context = Context(
            argv=list(sys.argv),
            command=list(sys.orig_argv),
            directory=_directory(),
            hurry=threading.Event(),
        )
        self._facts: dict[str, object] = {}
        self._thread = threading.Thread(
            target=self._gather, name="runstone-capture", daemon=True
        )
        self._thread.start()

    def end(self) -> None:
        """Let it finish what is quick, and no more."""
        self._context.hurry.set()
        self._thread.join(END_SECONDS)
        if "notebook" in self._parts:
            self._keep(self._cells())

    def _gather(self) -> None:
        # Facts beside the training must never end in its output as a traceback.
        with suppress(Exception):
            self._context.hurry.wait(START_SECONDS)
            with forks.importing:
                gatherers = _gatherers(self._parts)
            for gather in gatherers:
                with suppress(OSError, ValueError, LookupError, AttributeError):
                    self._keep(gather(self._context))
            self._keep(self._metadata())

    def _keep(self, found: Found) -> None:
        self._facts |= found.facts
        if not self._is_old:
            self._run.set_tags(found.tags)
        for name, content in found.files.items():
            with suppress(OSError):  # no room: the run goes on without it
                self._run.log_bytes(content, f"{self._folder}/{name}")

    def _metadata(self) -> Found:
        facts = {"schema": 1, "captured_ms": time.time_ns() // 1_000_000, **self._facts}
        text = msgspec.json.format(msgspec.json.encode(facts), indent=2)

        return Found(files={"metadata.json": text})

    def _cells(self) -> Found:
        from runstone.sdk.capture import notebook

        with suppress(Exception):  # see `_gather`
            return notebook.cells(self._context)

        return Found()


def begin(run: Run, parts: frozenset[str], *, is_old: bool = False) -> None:
    """
    Capture beside a run until it ends.

    Args:
        run: One that has begun.

        parts: Names of `options.PARTS`; the empty set captures nothing.

        is_old: Whether the run goes on that was begun before.
    """
    if parts & set(PARTS):
        run.at_end.append(Capture(run, parts, is_old=is_old).end)
    if "console" in parts:
        from runstone.sdk.capture import console

        run.at_end.append(console.console.follow(run))
    if "system" in parts:
        from runstone.sdk.capture import system

        run.at_end.append(system.follow(run, is_old=is_old))


def forget() -> None:
    """Leave what is captured to the parent, in a forked child."""
    if console := sys.modules.get("runstone.sdk.capture.console"):
        console.console.forget()


def _gatherers(parts: Sequence[str]) -> list[Callable[[Context], Found]]:
    """Load what the parts need."""
    from runstone.sdk.capture import code, command, git, machine, notebook, packages

    modules = (code, command, git, machine, notebook, packages)
    by_name = {module.__name__.rpartition(".")[2]: module.gather for module in modules}

    return [by_name[part] for part in parts]


def _directory() -> Path:
    """Return the folder of the script, or the current one."""
    main = sys.modules.get("__main__")
    script = getattr(main, "__file__", None)
    if script and os.path.exists(script):  # noqa: PTH110  # says no more than it must
        return Path(script).absolute().parent
    try:
        return Path.cwd()
    except OSError:  # it was deleted
        return Path.home()
