"""The notebook that a run is made in: its file, and the cells that were executed."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from runstone.sdk.capture.found import Context, Found


FILE_BYTES: Final = 10 * 1024 * 1024


def gather(context: Context) -> Found:
    """Copy the notebook's source as it was saved last, without its outputs."""
    path = Path(name())
    with suppress(OSError, ValueError):
        if path.suffix == ".ipynb" and path.stat().st_size <= FILE_BYTES:
            return Found(files={"notebook.ipynb": _source(path.read_bytes(), context)})

    return Found()


def cells(context: Context) -> Found:
    """Return the cells that were executed up to now, in their order."""
    shell = _shell()
    if shell is None:
        return Found()
    executed = [text for text in shell.user_ns.get("In", []) if text]
    notebook = {
        "cells": [
            {
                "cell_type": "code",
                "execution_count": number + 1,
                "metadata": {},
                "outputs": [],
                "source": context.redactor.text(text),
            }
            for number, text in enumerate(executed)
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 4,
    }

    return Found(files={"executed.ipynb": msgspec.json.encode(notebook)})


def is_here() -> bool:
    """Say whether this process is the kernel of a notebook."""
    return type(_shell()).__name__ in ("ZMQInteractiveShell", "Shell", "GoogleShell")


def name() -> str:
    """Return the path of the notebook, as far as it can be known."""
    shell = _shell()
    namespace = shell.user_ns if shell is not None else {}

    return str(
        namespace.get("__vsc_ipynb_file__")
        or os.environ.get("JPY_SESSION_NAME")
        or "notebook"
    )


def _shell() -> Any:  # noqa: ANN401  # IPython's, which is not loaded for this
    ipython: Any = sys.modules.get("IPython")
    found = getattr(ipython, "get_ipython", None)

    return found() if found else None


def _source(notebook: bytes, context: Context) -> bytes:
    """Leave out the outputs, which may be large and hold data."""
    said = msgspec.json.decode(notebook, type=dict[str, Any])
    for cell in said.get("cells", []):
        if cell.get("cell_type") == "code":
            cell["outputs"] = []
        source = cell.get("source", "")
        text = source if isinstance(source, str) else "".join(source)
        cell["source"] = context.redactor.text(text)

    return msgspec.json.encode(said)
