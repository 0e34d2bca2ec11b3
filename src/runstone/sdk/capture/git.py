"""
The code's commit and what was changed since.

`diff.patch` holds the changes of tracked files and, as new files, the untracked
sources: `git apply` on the commit brings back what ran.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from runstone.sdk import options
from runstone.sdk.capture.found import Context, Found


PATCH_BYTES: Final = 10 * 1024 * 1024
SOURCE_BYTES: Final = 256 * 1024
SOURCES: Final = 500
SUFFIXES: Final = re.compile(
    r"\.(py|pyi|pyx|ipynb|sh|bash|ya?ml|toml|json|cfg|ini|txt|md|sql|c|cc|cpp|h|hpp|cu|"
    r"cuh|rs|go|jl|r|R|js|ts|proto|jinja)$"
)
"""What is a source, not data."""

PRIVATE: Final = re.compile(
    r"(?i)(^|/)(\.env|\.netrc|id_[a-z]+|.*secret|.*credential|.*password|.*token)[^/]*$"
    r"|\.(pem|key|p12|pfx)$"
)
"""Files whose names say that they hold secrets: they are not read at all."""


OURS: Final = re.compile(
    r"(^|/)(mlruns|mlartifacts|wandb|__pycache__|\.ipynb_checkpoints)(/|$)"
)
"""What trackers write, not people."""


def gather(context: Context) -> Found:
    """Find the commit, the branch, the remote and the changes."""
    said = _git(context, "rev-parse", "--show-toplevel", "HEAD", "--abbrev-ref", "HEAD")
    if said is None:
        return Found()
    root, commit, branch = said.decode("utf-8", "replace").splitlines()[:3]
    remote = (_git(context, "config", "--get", "remote.origin.url") or b"").decode()
    url = without_credentials(remote.strip())
    top = Path(root)
    patch, note = _patch(context, top)
    tags = {
        "mlflow.source.git.commit": commit,
        "mlflow.source.git.branch": "" if branch == "HEAD" else branch,
        "mlflow.source.git.repoURL": url,
        "runstone.git.dirty": "true" if patch or note.get("problem") else "false",
    }
    facts = {"commit": commit, "branch": branch, "remote": url, "root": root, **note}

    return Found(
        {key: value for key, value in tags.items() if value},
        {"git": facts},
        {"diff.patch": patch} if patch else {},
    )


def without_credentials(url: str) -> str:
    """Return a remote's address without user and password."""
    return re.sub(r"^(\w[\w+.-]*://)[^/@]*@", r"\1", url)


def _patch(context: Context, top: Path) -> tuple[bytes, dict[str, object]]:
    """Return the changes, and what has to be said of them."""
    tracked = _git(
        context,
        "diff", "HEAD", "--binary", "--no-color", "--no-ext-diff", "--no-textconv",
        "--src-prefix=a/", "--dst-prefix=b/",
        directory=top,
        limit_bytes=PATCH_BYTES,
    )  # fmt: skip
    if tracked is None:
        words = f"the changes are over {PATCH_BYTES} bytes or took too long"
        return b"", {"dirty": True, "problem": words}
    listed = _git(
        context, "ls-files", "--others", "--exclude-standard", "-z", directory=top
    )
    names = sorted(filter(None, (listed or b"").split(b"\0")))
    added = list(_added(top, [name.decode("utf-8", "replace") for name in names]))
    patch = tracked + b"".join(text for _, text in added)
    if len(patch) > PATCH_BYTES:
        patch, added = tracked, []
    shown = _redacted(context, patch)

    return shown, {
        "dirty": bool(patch),
        "untracked": [name for name, _ in added],
        "left_out": len(names) - len(added),
        "redacted": shown != patch,
    }


def _redacted(context: Context, patch: bytes) -> bytes:
    """Take secrets out of the lines of text; what is binary stays as it is."""
    lines = patch.decode("utf-8", "surrogateescape").split("\n")
    shown = [
        context.redactor.text(line) if line.startswith(("+", "-", " ")) else line
        for line in lines
    ]

    return "\n".join(shown).encode("utf-8", "surrogateescape")


def _added(top: Path, names: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield untracked sources as patches that add them."""
    wanted = [name for name in names if SUFFIXES.search(name) and _is_work(top, name)]
    for name in wanted[:SOURCES]:
        with suppress(OSError, UnicodeDecodeError):
            path = top / name
            if path.is_symlink() or path.stat().st_size > SOURCE_BYTES:
                continue
            yield name, new_file(name, path.read_bytes().decode())


def _is_work(top: Path, name: str) -> bool:
    """Say whether a file is somebody's work: no secret, and nothing of a tracker."""
    if PRIVATE.search(name) or OURS.search(name):
        return False

    return not (top / name).is_relative_to(options.spool())


def new_file(name: str, text: str) -> bytes:
    """Return the patch that adds a file."""
    head = f"diff --git a/{name} b/{name}\nnew file mode 100644\n"
    if not text:
        return (head + "index 0000000..e69de29\n").encode()
    lines = text.split("\n")
    ends_well = lines[-1] == ""
    body = lines[:-1] if ends_well else lines
    added = "".join(f"+{line}\n" for line in body)
    tail = "" if ends_well else "\\ No newline at end of file\n"
    hunk = f"--- /dev/null\n+++ b/{name}\n@@ -0,0 +1,{len(body)} @@\n"

    return (head + hunk + added + tail).encode()


def _git(
    context: Context,
    *arguments: str,
    directory: Path | None = None,
    limit_bytes: int = 4 * 1024 * 1024,
) -> bytes | None:
    place = directory or context.directory
    command = ("git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=true")

    return context.output(
        *command, *arguments, directory=place, limit_bytes=limit_bytes
    )
