"""The examples of the page on logging run as they stand there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tree
from tests.sdk.conftest import environment


PAGE = tree.ROOT / "docs" / "how-to" / "logging.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
PATIENCE_SECONDS = 120


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs(number: int, spool: Path, tmp_path: Path) -> None:
    """On a folder in place of the server that it names."""
    script = EXAMPLES[number].replace("http://127.0.0.1:5000", "./mlruns")
    file = tmp_path / "train.py"
    file.write_text(script)

    done = subprocess.run(
        [sys.executable, file],
        cwd=tmp_path,
        env=environment(spool),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mlruns").is_dir()
