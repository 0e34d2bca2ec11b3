"""What the repository holds, for the tests that judge it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path


ROOT = Path(__file__).resolve().parent.parent
PYTHON_FOLDERS = ("src", "tests", "bench", "dev", "examples")


def files() -> list[Path]:
    """List the files that git knows or would take."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.check_output(command, cwd=ROOT, text=True).split("\0")

    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def python_files() -> Iterator[Path]:
    """Yield our Python files."""
    for path in files():
        relative = path.relative_to(ROOT)
        if path.suffix == ".py" and relative.parts[0] in PYTHON_FOLDERS:
            yield path
