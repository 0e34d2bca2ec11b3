"""What the documents show for MLflow runs on our SDK, as scripts of their own."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runstone.server import app
from tests.sdk.conftest import environment
from tests.server.running import serving


SCRIPTS = sorted((Path(__file__).parent / "documents").glob("*.py"))
PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server that these tests share."""
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server.url


@pytest.mark.parametrize("script", SCRIPTS, ids=[path.stem for path in SCRIPTS])
def test_a_script_of_the_documents_runs(
    script: Path, url: str, spool: Path, tmp_path: Path
) -> None:
    """It says `import mlflow`, and no mlflow is there."""
    if script.stem == "iris" and not importlib.util.find_spec("sklearn"):
        pytest.skip("scikit-learn is not there")
    if script.stem == "registry" and not _has_registry():
        pytest.skip("this checkout has no model registry")

    done = subprocess.run(
        [sys.executable, "-m", "runstone", "exec", sys.executable, script],
        cwd=tmp_path,
        env=environment(spool, MLFLOW_TRACKING_URI=url),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]


def _has_registry() -> bool:
    return any("registered-models" in route.path for route in app.routes())
