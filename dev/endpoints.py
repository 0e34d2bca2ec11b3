"""Which of MLflow's endpoints are built, for `docs/reference/mlflow-endpoints.md`."""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

from runstone.server import app, mlflow
from runstone.server.http import Router
from runstone.server.mlflow.tracing import traces


LISTED: Final = Path(__file__).parents[1] / "tests/wire/endpoints.txt"
"""All pairs of method and path of MLflow 3.18, as its own server lists them."""

PAGES: Final = re.compile(r"/(build/.*|static-files/.*)?$")
"""Where MLflow's own pages lie; ours lie there too."""

TYPO: Final = re.compile(r"/\d\.0mlflow/")
"""A path that MLflow serves by mistake, which no client asks for."""

AREA: Final = re.compile(r"/(?:api/\d\.\d/)?(?:mlflow/)?(?P<area>[^/<]+)")


class Pair(NamedTuple):
    """An endpoint of MLflow's; what pages and clients may both ask is one."""

    area: str
    path: str
    method: str
    is_built: bool


def pairs() -> list[Pair]:
    """Return every endpoint, by area."""
    router = Router(app.routes())

    return sorted({_pair(router, *line.split(" ")) for line in _lines()})


def page() -> str:
    """Render a table of the areas, and one of the endpoints."""
    known = pairs()
    built = sum(pair.is_built for pair in known)
    rows = [f"| {pair.method} | `{pair.path}` | {_word(pair)} |" for pair in known]

    return "\n".join(
        [
            f"Of the {len(known)} endpoints of MLflow 3.18, {built} are built and "
            f"{len(known) - built} are refused by name, with the status 501 and the "
            "code `NOT_IMPLEMENTED`.",
            "What stands below `/api/` and `/ajax-api/` both is counted once; "
            "MLflow's pages themselves are not counted, as Runstone has its own.",
            "Refused on purpose are the questions of MLflow's own pages (GraphQL, "
            "jobs, telemetry of the pages), its gateway, prompts' optimisation, "
            "scorers, reviews and assistants, and its users and roles.",
            "",
            "| area | built | refused |",
            "|---|---:|---:|",
            *_areas(known),
            "",
            "| method | path | |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def _areas(known: Iterable[Pair]) -> Iterator[str]:
    for area, group in groupby(known, lambda pair: pair.area):
        states = [pair.is_built for pair in group]
        yield f"| {area} | {sum(states)} | {len(states) - sum(states)} |"


def _lines() -> list[str]:
    return [
        line
        for line in LISTED.read_text(encoding="utf-8").splitlines()
        if not PAGES.match(line.partition(" ")[2]) and not TYPO.search(line)
    ]


def _pair(router: Router, method: str, path: str) -> Pair:
    """
    Look an endpoint up.

    Raises:
        ValueError: It is neither built nor refused by name.
    """
    sample = re.sub(r"<[^>]+>", "x", path)
    found = router.find(method, sample)
    if found is None and not mlflow.knows(sample) and not router.methods(sample):
        raise ValueError(f"{method} {path} is neither built nor refused by name")
    is_built = found is not None and found[0].endpoint is not traces.refuse
    shown = path.replace("/ajax-api/", "/api/", 1)
    match = AREA.match(shown)

    return Pair(match["area"] if match else shown, shown, method, is_built)


def _word(pair: Pair) -> str:
    return "built" if pair.is_built else "refused: 501"
