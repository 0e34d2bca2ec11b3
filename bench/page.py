"""Parts of `bench/RESULTS.md` that commands of their own renew."""

import datetime
import re
import sys
from pathlib import Path


RESULTS = Path(__file__).parent / "RESULTS.md"


def put(name: str, title: str, command: str, text: str) -> None:
    """Write a part of the page in the place of its older self, or at the end."""
    page = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else "# Results\n"
    today = datetime.datetime.now(datetime.UTC).date()
    part = (
        f"{_mark(name)}\n## {title}\n\n"
        f"Measured {today} with `{command}`, Python {sys.version.split()[0]}.\n\n"
        f"{text}\n{_mark('end of ' + name)}\n"
    )
    older = re.compile(
        re.escape(_mark(name)) + ".*?" + re.escape(_mark("end of " + name)) + "\n",
        re.DOTALL,
    )
    if older.search(page):
        page = older.sub(lambda _: part, page)
    else:
        page = f"{page.rstrip()}\n\n{part}"
    RESULTS.write_text(page, encoding="utf-8")


def parts(page: str) -> str:
    """Return the parts that `put` wrote, for whoever renews the rest."""
    found = re.finditer(r"<!-- (\w+) -->\n.*?<!-- end of \1 -->\n", page, re.DOTALL)

    return "\n".join(match[0] for match in found)


def _mark(name: str) -> str:
    return f"<!-- {name} -->"
