"""
Our server answers what a real MLflow server answered.

`python -m dev.record_wire` records; here every script is played to a fresh
server of ours, and whatever differs has to stand in `DIFFERENT` with its reason.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.wire import calls
from tests.wire.conftest import run_server
from tests.wire.differences import DIFFERENT


RECORDED = sorted((Path(__file__).parent / "recorded").glob("*.json"))

GIST = re.compile(
    r"Missing value for required parameter '[^']+'"
    r"|for parameter '[^']+' supplied"
    r"|must be in the 'active' state"
    r"|can contain at most \d+ [^.]+"
    r"|Changing param values is not allowed"
    r"|Duplicate parameter keys"
)
"""What clients and people look for in an error's text; the rest is ours to say."""


class Pair(NamedTuple):
    """What the two servers answered to one call."""

    says: str
    theirs: calls.Answer
    ours: calls.Answer


def play(file: Path, home: Path) -> Iterator[Pair]:
    """Play a recorded script to a server of ours."""
    lines = json.loads(file.read_text(encoding="utf-8"))
    names = calls.Call._fields
    script = [
        calls.Call(**{name: line[name] for name in names if name in line})
        for line in lines
    ]
    with run_server(home) as url:
        answers = calls.play(url, script)
    for line, ours in zip(lines, answers, strict=True):
        yield Pair(line["says"], calls.Answer(line["status"], line["answer"]), ours)


@pytest.mark.parametrize("file", RECORDED, ids=[file.stem for file in RECORDED])
def test_the_answers_are_those_of_mlflow(file: Path, tmp_path: Path) -> None:
    """A client cannot tell the servers apart where it matters to it."""
    expected = DIFFERENT.get(file.stem, {})
    differing = {}
    for pair in play(file, tmp_path):
        assert "error_code" in pair.ours.body or pair.ours.status < 300
        if not alike(pair.theirs, pair.ours):
            differing[pair.says] = outline(pair.ours)

    assert differing == {says: outline for says, (outline, _) in expected.items()}


def alike(theirs: calls.Answer, ours: calls.Answer) -> bool:
    """Say whether two answers mean the same."""
    if theirs.status != ours.status:
        return False
    if ours.status < 300:
        return bool(theirs.body == ours.body)
    # Where MLflow speaks OpenTelemetry's wire, its errors have another shape.
    if theirs.body.get("error_code") != ours.body["error_code"]:
        return False
    gist = GIST.search(theirs.body["message"])

    return gist is None or gist[0] in ours.body["message"]


def outline(answer: calls.Answer) -> str:
    """Say in two words what an answer was."""
    if answer.status < 300:
        return str(answer.status)

    return f"{answer.status} {answer.body['error_code']}"
