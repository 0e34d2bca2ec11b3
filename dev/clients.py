"""
Make an environment for each MLflow client that the tests drive.

They lie in `.cache/clients/` and stay there.  Where the registry is away the
tests of that client are skipped, or fail if RUNSTONE_REQUIRE names `clients`.
"""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final


ROOT: Final = Path(__file__).resolve().parent.parent
HOME: Final = ROOT / ".cache/clients"
PATIENCE_SECONDS: Final = 600

# What flows with models need: one set for all clients, so that a model that one
# of them logged is loaded by the others.  The newest that 2.9 can live with.
SCIENCE: Final = [
    "numpy==1.26.4",
    "pandas==2.2.3",
    "scipy==1.13.1",
    "scikit-learn==1.5.2",
]

# Each line is one call of pip.  2.9 reads its version through pkg_resources,
# which setuptools dropped; 2.22 cannot write traces with a later OpenTelemetry;
# skinny 3.18 does not exist, so the Python files of
# the whole MLflow are laid over the one before.
CLIENTS: Final[dict[str, list[list[str]]]] = {
    "2.9": [["mlflow-skinny==2.9.2", "setuptools<80", *SCIENCE]],
    "2.22": [["mlflow-skinny>=2.22,<2.23", "opentelemetry-sdk<1.35", *SCIENCE]],
    "3.18": [
        ["mlflow-skinny==3.17.2", *SCIENCE, "skops==0.13.0"],
        ["--no-deps", "mlflow==3.18.0"],
    ],
}


class Missing(Exception):
    """An environment is not there."""


def main() -> None:
    """Make what is not there yet, and say what could not be made."""
    for name in CLIENTS:
        try:
            make(name)
        except Missing as reason:
            print(f"clients: {reason}; going on without", file=sys.stderr)
            return  # the next would wait for the same registry


def python(name: str) -> Path:
    """
    Return the Python of a client's environment.

    Raises:
        Missing: It is not there.
    """
    if not _is_made(name):
        raise Missing(f"no environment of MLflow {name}; make it: make test-clients")

    return _python(name)


def make(name: str) -> None:
    """
    Make the environment of a client, if it is not there as it should be.

    Raises:
        Missing: pip could not install it.
    """
    if _is_made(name):
        return
    print(f"clients: installing MLflow {name}", file=sys.stderr, flush=True)
    venv.create(HOME / name, clear=True, with_pip=True)
    for packages in CLIENTS[name]:
        _install(name, packages)
    _stamp(name).write_text(json.dumps(CLIENTS[name]), encoding="utf-8")


def _install(name: str, packages: list[str]) -> None:
    # Without a registry this fails in seconds and not in minutes.
    quick = ["--retries", "0", "--timeout", "15"]
    quiet = ["--quiet", "--disable-pip-version-check"]
    try:
        done = subprocess.run(
            [_python(name), "-m", "pip", "install", *quiet, *quick, *packages],
            check=False,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise Missing(f"MLflow {name}: pip took {PATIENCE_SECONDS} s") from None
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["pip failed"]
        raise Missing(f"MLflow {name} could not be installed: {last[0]}")


def _is_made(name: str) -> bool:
    stamp = _stamp(name)
    if not (stamp.exists() and _python(name).exists()):
        return False

    return bool(json.loads(stamp.read_text(encoding="utf-8")) == CLIENTS[name])


def _stamp(name: str) -> Path:
    return HOME / name / "installed.json"


def _python(name: str) -> Path:
    return HOME / name / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


if __name__ == "__main__":
    main()
