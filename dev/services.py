"""
Install the system programs that tests use: `python dev/services.py`.

They are PostgreSQL, MariaDB, Chromium and two fonts.  Only their files are wanted:
tests start private servers of their own, so nothing is left running and no database
cluster is made.  Where we may not install, the missing ones are named and their
tests will be skipped; nothing ever waits for a password.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Service(NamedTuple):
    """A system program that some tests need."""

    name: str
    packages: tuple[str, ...]
    present: Callable[[], bool]


def _postgresql() -> bool:
    installed = any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return installed or shutil.which("initdb") is not None


def _mariadb() -> bool:
    return shutil.which("mariadb-install-db") is not None


def _chromium() -> bool:
    return any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))


def _fonts() -> bool:
    fonts = Path("/usr/share/fonts")
    wanted = ("DejaVuSans.ttf", "*CJK*")
    return all(any(fonts.rglob(pattern)) for pattern in wanted)


SERVICES = (
    Service("postgresql", ("postgresql",), _postgresql),
    # The server without its service: there is no daemon to stop afterwards.
    Service("mariadb", ("mariadb-server-core", "mariadb-client-core"), _mariadb),
    Service("chromium", ("chromium",), _chromium),
    Service("fonts", ("fonts-dejavu-core", "fonts-noto-cjk"), _fonts),
)

NO_CLUSTER = Path("/etc/postgresql-common/createcluster.d/00-no-cluster.conf")


def main() -> None:
    """Install what is missing, or say what that means."""
    missing = [service for service in SERVICES if not service.present()]
    if not missing:
        return

    packages = [package for service in missing for package in service.packages]
    prefix = _root_prefix()
    if prefix is None or not shutil.which("apt-get"):
        _say(f"not installed: {', '.join(service.name for service in missing)}")
        _say("the tests that need them are skipped")
        _say(f"on Debian: sudo apt-get install {' '.join(packages)}")
        return

    _say(f"installing {' '.join(packages)} (a minute or two, once)")
    with _no_cluster(prefix):
        _apt(prefix, "update")
        _apt(prefix, "install", "-y", "--no-install-recommends", *packages)


def _root_prefix() -> Sequence[str] | None:
    """What to put before a command to run it as root; None where we may not."""
    if os.name == "nt":
        return None
    if os.geteuid() == 0:
        return ()
    if not shutil.which("sudo"):
        return None

    allowed = subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True)

    return ("sudo", "-n") if allowed.returncode == 0 else None


@contextmanager
def _no_cluster(prefix: Sequence[str]) -> Iterator[None]:
    """Keep Debian from making, and starting, a PostgreSQL cluster."""
    if NO_CLUSTER.parent.parent.exists():
        # Somebody's PostgreSQL: its settings are none of our business.
        yield
        return

    _run([*prefix, "mkdir", "-p", str(NO_CLUSTER.parent)])
    _run([*prefix, "tee", str(NO_CLUSTER)], text="create_main_cluster = false\n")
    try:
        yield
    finally:
        _run([*prefix, "rm", "-f", str(NO_CLUSTER)])


def _apt(prefix: Sequence[str], *arguments: str) -> None:
    """Run apt-get so that it cannot ask anything."""
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"]
    _run([*prefix, *quiet, "apt-get", "-qq", "-o", "Dpkg::Use-Pty=0", *arguments])


def _run(command: list[str], text: str = "") -> None:
    """Run a command; a failure is told, and the tests then say what they miss."""
    done = subprocess.run(
        command,
        check=False,
        input=text,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        _say(f"`{' '.join(command)}` failed:\n{done.stdout[-2000:]}")


def _say(text: str) -> None:
    """Tell on stderr what takes a moment or is missing."""
    print(f"services: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
