"""The code that runs: the script, and its modules where git does not have them."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from runstone.sdk.capture.found import Context, Found


FILE_BYTES: Final = 1024 * 1024
ALL_BYTES: Final = 5 * 1024 * 1024
FILES: Final = 200


def gather(context: Context) -> Found:
    """Copy the script, and its own modules where git does not keep them."""
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    files: dict[str, bytes] = {}
    if script:
        _add(files, Path(script).absolute(), context)
    if not _in_repository(context.directory):
        for module in list(sys.modules.values()):
            source = getattr(module, "__file__", None)
            if source and _is_own(Path(source), context.directory):
                _add(files, Path(source), context)

    return Found(files={f"code/{name}": content for name, content in files.items()})


def _add(files: dict[str, bytes], path: Path, context: Context) -> None:
    with suppress(OSError, ValueError):
        if path.suffix != ".py" or path.stat().st_size > FILE_BYTES:
            return
        room = ALL_BYTES - sum(map(len, files.values()))
        if len(files) >= FILES or path.stat().st_size > room:
            return
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        name = path.relative_to(context.directory).as_posix()
        files[name] = context.redactor.text(text).encode("utf-8", "surrogateescape")


def _is_own(path: Path, directory: Path) -> bool:
    installed = {"site-packages", "dist-packages", ".venv", "venv", "node_modules"}

    return path.is_relative_to(directory) and installed.isdisjoint(path.parts)


def _in_repository(directory: Path) -> bool:
    return any((place / ".git").exists() for place in (directory, *directory.parents))
