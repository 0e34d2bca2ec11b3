"""
The environment lock: every installed package and its version.

The names of the folders that installers make say both, so no metadata is read:
a thousand packages take some milliseconds.

Source: Python Packaging User Guide, "Recording installed projects" (`.dist-info`)
and "Recording the Direct URL Origin of installed distributions".
"""

import json
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from runstone.sdk.capture.found import Context, Found


def gather(context: Context) -> Found:
    """Write what is installed as requirements."""
    lines: dict[str, str] = {}
    for place in dict.fromkeys(sys.path):
        for name, line in _installed(Path(place or ".")):
            lines.setdefault(name, line)  # what comes first is what is imported
    head = f"# {platform.python_implementation()} {platform.python_version()}"
    text = "\n".join([head, *(lines[name] for name in sorted(lines))]) + "\n"

    return Found(
        facts={"packages": len(lines)},
        files={"requirements.txt": context.redactor.text(text).encode()},
    )


def _installed(place: Path) -> Iterator[tuple[str, str]]:
    with suppress(OSError):
        for entry in os.scandir(place):
            stem, dot, kind = entry.name.rpartition(".")
            name, dash, rest = stem.partition("-")
            if not dot or not dash or kind not in ("dist-info", "egg-info"):
                continue
            version = rest.split("-py")[0]
            spelled = name.replace("_", "-")
            origin = _origin(Path(entry.path)) if kind == "dist-info" else ""
            line = f"{spelled} @ {origin}" if origin else f"{spelled}=={version}"
            yield spelled.lower(), line


def _origin(folder: Path) -> str:
    """Return where a package came from that no index gave."""
    try:
        said = json.loads((folder / "direct_url.json").read_text())
        url = str(said["url"])
        if vcs := said.get("vcs_info"):
            return f"{vcs['vcs']}+{url}@{vcs['commit_id']}"
    except (OSError, ValueError, LookupError, TypeError):
        return ""

    return url
