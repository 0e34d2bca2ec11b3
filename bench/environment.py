"""Make an environment for MLflow, away from ours."""

import subprocess
import sys
import venv
from pathlib import Path


OLDER = "mlflow==3.17.2"
"""Brings the dependencies: mlflow-skinny and mlflow-tracing end at this version."""

MLFLOW = "mlflow==3.18.0"
DRIVER = "psycopg2-binary"


def make(folder: Path) -> Path:
    """Install MLflow and its PostgreSQL driver; about 800 MiB. Returns its Python."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install"]
    subprocess.run([*pip, OLDER, DRIVER], check=True)
    subprocess.run([*pip, "--no-deps", "--force-reinstall", MLFLOW], check=True)

    return python


def has_driver(python: Path) -> bool:
    """Tell whether this Python can reach PostgreSQL."""
    return not subprocess.run(
        [str(python), "-c", "import psycopg2"], check=False, capture_output=True
    ).returncode


def own_python() -> str:
    """Version of the Python that runs this."""
    return sys.version.split()[0]
