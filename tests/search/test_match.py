"""A filter means what MLflow's does, on SQLite."""

import math
import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstone.search.grammar import parse_runs
from runstone.search.match import Subject, ilike, like, matches
from runstone.search.tree import And, Node, Not, Or
from tests.search.trees import RUN_TREES, SUBJECTS


RUN = Subject(
    attributes={
        "run_id": "r1",
        "status": "FINISHED",
        "start_time": 5,
        "end_time": None,
    },
    metrics={"loss": 0.5, "broken": math.nan},
    params={"opt": "Adam"},
    tags={"note": "100% done"},
    datasets=[
        {"name": "mnist", "digest": "d1", "context": "train"},
        {"name": "cifar", "digest": "d2"},
    ],
)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "metrics.loss < 1 AND metrics.loss >= 0.5 AND metrics.loss <= 0.5",
        "metrics.loss > 0 AND metrics.loss = .5 AND metrics.loss != 1",
        "metrics.broken != 1",
        "params.opt LIKE 'Ad%' AND params.opt ILIKE 'aD__'",
        "params.opt IN ('Adam', 'SGD') AND params.opt NOT IN ('x')",
        "params.x IS NULL AND params.opt IS NOT NULL",
        "NOT params.x = 'a'",
        "params.x = 'a' OR tags.note LIKE '%\\% done' OR status = 'FINISHED'",
        "start_time = 5 AND start_time < 5.5 AND run_id IN ('r1')",
        "datasets.name = 'mnist' AND datasets.name = 'cifar'",
        "datasets.name != 'mnist' AND datasets.context = 'train'",
        "datasets.name NOT IN ('mnist')",
    ],
)
def test_a_run_fulfils_what_is_true_of_it(text: str | None) -> None:
    """The examples of the language."""
    assert matches(parse_runs(text), RUN)


@pytest.mark.parametrize(
    "text",
    [
        "metrics.broken = 0",
        "metrics.broken < 1",
        "metrics.x != 1",
        "params.x = 'a'",
        "params.x != 'a'",
        "params.x NOT IN ('a')",
        "params.opt LIKE 'ad%'",
        "params.opt = 'adam'",
        "tags.note IS NULL",
        "end_time != 5",
        "run_name != 'x'",
        "datasets.context != 'train'",
        "NOT (metrics.loss = 0.5)",
        "metrics.loss = 0.5 AND params.x = 'a'",
    ],
)
def test_a_run_fulfils_nothing_about_what_it_lacks(text: str) -> None:
    """MLflow joins, so a missing key is neither equal nor unequal."""
    assert not matches(parse_runs(text), RUN)


@given(left=RUN_TREES, right=RUN_TREES, run=SUBJECTS)
def test_not_turns_and_into_or(left: Node, right: Node, run: Subject) -> None:
    """Nothing is unknown, so De Morgan's laws hold."""
    both = Not(And((left, right)))
    either = Or((Not(left), Not(right)))

    assert matches(both, run) is matches(either, run)


SIGNS = st.text("abAB%_é É\n\\", max_size=8)


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    """SQLite as MLflow sets it."""
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA case_sensitive_like = true")
    yield connection
    connection.close()


@given(text=SIGNS, pattern=SIGNS)
def test_like_is_sqlites(database: sqlite3.Connection, text: str, pattern: str) -> None:
    """The database itself is the judge of its operator."""
    question = "SELECT ? LIKE ?, lower(?) LIKE lower(?)"
    answer = database.execute(question, (text, pattern, text, pattern)).fetchone()

    assert (like(text, pattern), ilike(text, pattern)) == tuple(map(bool, answer))


def test_like_does_not_try_every_way() -> None:
    """A pattern that would take a backtracking matcher for ever is answered."""
    assert not like("a" * 2_000, "%a" * 300 + "%_b%")
    assert like("a" * 2_000, "%a_" * 300 + "%")
