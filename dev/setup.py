"""
Make the environment that the other commands run in: `python3 dev/setup.py test`.

It is `.venv`, made with venv and pip alone, and holds Runstone as an editable
install with the named dependency groups of pyproject.toml.  Where nothing changed
since the last time it returns at once.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path


ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.json"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

OLDEST = (3, 11)
NEWEST = (3, 14)


def main() -> None:
    """Bring `.venv` up to date for the groups on the command line."""
    groups = sorted(set(sys.argv[1:]) or {"test"})
    fingerprint = _fingerprint()
    installed = _installed(fingerprint)
    if installed.issuperset(groups):
        return

    if not PYTHON.exists() or not _runs([PYTHON, "-m", "pip", "--version"]):
        _create()
    _say(f"installing Runstone with: {', '.join(groups)} (a minute, the first time)")
    _pip("--upgrade", "pip>=25.1")  # the first that knows --group
    _pip("--editable", ".", *(part for group in groups for part in ("--group", group)))

    known = {"fingerprint": fingerprint, "groups": sorted(installed | set(groups))}
    STAMP.write_text(json.dumps(known))


def _fingerprint() -> str:
    """Name the state that an installation depends on."""
    return hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()


def _installed(fingerprint: str) -> set[str]:
    """List the groups that are there already; none where anything changed."""
    if not PYTHON.exists() or not STAMP.exists():
        return set()

    known = json.loads(STAMP.read_text())
    if known["fingerprint"] != fingerprint:
        return set()

    return set(known["groups"])


def _create() -> None:
    """Make an empty `.venv` with pip in it."""
    python = _find_python()
    _say(f"making .venv with {python}")
    # What a broken attempt left behind would only get in the way.
    shutil.rmtree(VENV, ignore_errors=True)
    if not _runs([python, "-c", "import ensurepip, venv"]):
        _install_venv(python)

    _run([python, "-m", "venv", VENV])


def _find_python() -> str:
    """Find a Python that Runstone runs on, first the one that runs this."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return sys.executable

    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        if found := shutil.which(f"python3.{minor}"):
            return found

    raise SystemExit(
        f"Runstone needs Python 3.{OLDEST[1]} or newer and found only "
        f"{sys.version.split()[0]}; install one, or name it: "
        "make PYTHON=/path/to/python3"
    )


def _install_venv(python: str) -> None:
    """Install what Debian splits from Python, where we may."""
    version = subprocess.check_output(
        [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], text=True
    ).strip()
    package = f"python{version}-venv"
    if os.name == "nt" or os.geteuid() != 0 or not shutil.which("apt-get"):
        raise SystemExit(
            f"{python} cannot make environments; install its venv module "
            f"(Debian, Ubuntu: sudo apt-get install {package}) and run this again"
        )

    _say(f"installing {package}, which Debian splits from Python")
    # The C locale keeps the words in the log readable for everyone.
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C.UTF-8")
    apt = ["apt-get", "-qq"]
    _run([*apt, "update"], env=env)
    _run([*apt, "install", "-y", "--no-install-recommends", package], env=env)


def _pip(*arguments: str) -> None:
    """Run pip install in `.venv`, quietly unless it fails."""
    quiet = ["--quiet", "--disable-pip-version-check"]
    _run([PYTHON, "-m", "pip", "install", *quiet, *arguments])


def _runs(command: list[object]) -> bool:
    """Whether a command succeeds; what it prints does not matter."""
    return (
        subprocess.run(
            list(map(str, command)), check=False, capture_output=True
        ).returncode
        == 0
    )


def _run(command: list[object], env: dict[str, str] | None = None) -> None:
    """Run a command in silence; where it fails, tell its own words and stop."""
    words = list(map(str, command))
    done = subprocess.run(
        words,
        cwd=ROOT,
        env=env,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        print(done.stdout, file=sys.stderr)
        raise SystemExit(
            f"`{' '.join(words)}` failed with code {done.returncode}, see above"
        )


def _say(text: str) -> None:
    """Tell on stderr what takes a moment."""
    print(f"setup: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
