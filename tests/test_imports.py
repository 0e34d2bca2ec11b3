"""What an import loads: beside training nothing heavy, and only downwards."""

import subprocess
import sys
from pathlib import Path

from tests import tree


HEAVY = ("numpy", "pandas", "sqlalchemy", "starlette", "uvicorn", "msgspec", "click")


def test_importing_runstone_loads_nothing_heavy() -> None:
    """It stands in every training script, and in every worker of one."""
    script = "import sys, runstone; print(*sys.modules, sep='\\n')"

    loaded = subprocess.check_output(
        [sys.executable, "-c", script],
        text=True,
        env={"PYTHONPATH": str(tree.ROOT / "src"), "PYTHONNOUSERSITE": "1"},
    ).split()

    assert "runstone" in loaded
    assert [name for name in loaded if name.startswith(HEAVY)] == []
    assert [n for n in loaded if n.startswith(("runstone.server", "runstone.st"))] == []


def test_a_server_loads_no_protobuf_before_spans_come() -> None:
    """Most servers never see one, and should start as fast."""
    script = "import sys, runstone.server.app; print(*sys.modules, sep='\\n')"

    loaded = subprocess.check_output(
        [sys.executable, "-c", script],
        text=True,
        env={"PYTHONPATH": str(tree.ROOT / "src"), "PYTHONNOUSERSITE": "1"},
    ).split()

    assert "runstone.server.app" in loaded
    assert [n for n in loaded if n.startswith(("google", "opentelemetry"))] == []


def test_imports_go_down() -> None:
    """The contracts of pyproject.toml hold: no layer knows a higher one."""
    program = Path(sys.executable).with_name("lint-imports")

    done = subprocess.run(
        [program, "--no-cache"],
        cwd=tree.ROOT,
        env={"PYTHONPATH": str(tree.ROOT / "src"), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
