"""How the process was started."""

import os
import sys
from typing import Final

from runstone.sdk.capture import notebook
from runstone.sdk.capture.found import Context, Found


ARGUMENTS: Final = 1_000
ARGUMENT_CHARS: Final = 4_000


def gather(context: Context) -> Found:
    """Find the entry point and the arguments, without secrets."""
    shown = context.redactor.arguments(context.command)
    command = [argument[:ARGUMENT_CHARS] for argument in shown[:ARGUMENTS]]
    name = _entry_point(context)
    tags = {
        "mlflow.source.name": name,
        "mlflow.source.type": "NOTEBOOK" if notebook.is_here() else "LOCAL",
    }
    facts = {
        "command": command,
        "entry_point": name,
        "directory": str(context.directory),
        "process": os.getpid(),
        "environment": _variables(context),
    }

    return Found(tags, facts)


def _variables(context: Context) -> dict[str, str]:
    """Return the variables that somebody asked for by name; none by default."""
    asked = os.environ.get("RUNSTONE_CAPTURE_VARIABLES", "").split(",")
    wanted = [name.strip() for name in asked if name.strip() in os.environ]
    pairs = context.redactor.arguments(f"{name}={os.environ[name]}" for name in wanted)

    return {
        name: pair.partition("=")[2] for name, pair in zip(wanted, pairs, strict=True)
    }


def _entry_point(context: Context) -> str:
    if notebook.is_here():
        return notebook.name()
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if spec is not None and spec.name:
        return f"-m {spec.name.removesuffix('.__main__')}"

    return context.argv[0] if context.argv and context.argv[0] else "python"
