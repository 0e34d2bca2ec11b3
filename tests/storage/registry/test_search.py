"""A search of the registry finds what the slow reference finds."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runstone import errors
from runstone.model import ModelVersion, RegisteredModel, Stage
from runstone.search.grammar import parse_models, parse_versions
from runstone.search.match import Subject, matches
from runstone.search.order import order_models, order_versions
from runstone.search.show import show
from runstone.storage.db import Database
from runstone.storage.registry import models, rows, search
from runstone.storage.tx import Tx
from tests.search import trees
from tests.storage.oracle import TEXT_OPS, TEXTS, quoted
from tests.storage.registry import making


PROMPT = models.PROMPT_TAG
LITERALS = TEXTS.filter(lambda text: not text.endswith("\\")).map(quoted)


def terms(*names: str) -> st.SearchStrategy[str]:
    """Draw comparisons of texts."""
    return st.builds("{} {} {}".format, st.sampled_from(names), TEXT_OPS, LITERALS)


def orders(*names: str) -> st.SearchStrategy[list[str]]:
    """Draw what to order by."""
    term = st.tuples(st.sampled_from(names), st.sampled_from(["", " ASC", " DESC"]))

    return st.lists(
        term.map("".join), max_size=2, unique_by=lambda text: text.split()[0]
    )


PROMPTS = st.sampled_from(
    [
        f"tags.`{PROMPT}` {op} '{value}'"
        for op in ("=", "!=")
        for value in ("true", "false")
    ]
)
MODEL_FILTERS = (
    st.none()
    | trees.MODEL_TREES.map(show)
    | terms("name", "tags.a", "tags.b")
    | PROMPTS
    | st.builds("{} OR {}".format, PROMPTS, terms("name", "tags.a"))
)
VERSION_FILTERS = (
    st.none()
    | trees.VERSION_TREES.map(show)
    | terms("name", "tags.a", "run_id", "source_path", "current_stage")
    | PROMPTS
    | st.builds(
        "version_number {} {}".format,
        st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
        st.sampled_from(["1", "'2'", "0"]),
    )
)
TAGS = st.dictionaries(
    st.sampled_from(["a", "b"]), TEXTS, max_size=2
) | st.fixed_dictionaries({PROMPT: st.sampled_from(["true", "false"])})
DRAWN = st.lists(
    st.tuples(
        st.sampled_from(["a", "A", "b", "é", "ab", "%", "_", "😀"]),
        TAGS,
        st.lists(st.tuples(st.sampled_from(["a", "B", "%"]), TAGS), max_size=3),
    ),
    max_size=5,
    unique_by=lambda each: each[0],
)
Drawn = list[tuple[str, dict[str, str], list[tuple[str, dict[str, str]]]]]


@settings(max_examples=60)
@given(
    drawn=DRAWN,
    text=MODEL_FILTERS,
    order=orders("name", "last_updated_timestamp", "creation_timestamp"),
    limit=st.integers(1, 6),
)
def test_a_search_of_models_is_the_slow_reference(
    db: Database, drawn: Drawn, text: str | None, order: list[str], limit: int
) -> None:
    """Page after page, with prompts kept apart as MLflow keeps them."""
    db.transact(fill, drawn)

    found: list[str] = []
    query = search.Query(text, tuple(order), limit)
    while True:
        page = db.look(search.find_models, query)
        found += [each.name for each in page.models]
        if page.next_page_token is None:
            break
        query = query._replace(page_token=page.next_page_token)

    assert found == [each.name for each in slow_models(db, text, order)]


@settings(max_examples=60)
@given(
    drawn=DRAWN,
    text=VERSION_FILTERS,
    order=orders("name", "version_number", "last_updated_timestamp"),
    limit=st.integers(1, 6),
)
def test_a_search_of_versions_is_the_slow_reference(
    db: Database, drawn: Drawn, text: str | None, order: list[str], limit: int
) -> None:
    """The same language, other columns."""
    db.transact(fill, drawn)

    found: list[tuple[str, int]] = []
    query = search.Query(text, tuple(order), limit)
    while True:
        page = db.look(search.find_versions, query)
        found += [(each.model, each.version) for each in page.versions]
        if page.next_page_token is None:
            break
        query = query._replace(page_token=page.next_page_token)

    assert found == [
        (each.model, each.version) for each in slow_versions(db, text, order)
    ]


def fill(tx: Tx, drawn: Drawn) -> None:
    """Put these models into a registry that has no others."""
    for table in (
        *("registered_model", "registered_model_tag", "registered_model_alias"),
        *("model_version", "model_version_tag", "transition"),
    ):
        tx.run(f"DELETE FROM {table}")
    for name, tags, sources in drawn:
        making.model(tx, name, **tags)
        for source, version_tags in sources:
            number = making.version(tx, name, source, **version_tags)
            if number % 2:
                making.move(tx, name, number, Stage.STAGING)


def slow_models(
    db: Database, text: str | None, order: list[str]
) -> list[RegisteredModel]:
    """Look at every model and sort them."""
    node = parse_models(text)
    rows_found = db.look(lambda tx: tx.all("SELECT id FROM registered_model"))
    every = db.look(models.by_numbers, [row[0] for row in rows_found])
    found = [
        each
        for each in every
        if fits(text, dict(each.tags)) and matches(node, seen_model(each))
    ]
    for term in reversed(order_models(order)):
        place: dict[str, Callable[[RegisteredModel], Any]] = {
            "name": lambda each: each.name,
            "creation_timestamp": lambda each: each.created_ms,
            "last_updated_timestamp": lambda each: each.updated_ms,
        }
        found.sort(key=place[term.field.key], reverse=term.descending)

    return found


def slow_versions(
    db: Database, text: str | None, order: list[str]
) -> list[ModelVersion]:
    """Look at every version and sort them."""
    node = parse_versions(text)
    every = db.look(
        lambda tx: rows.versions(
            tx, tx.all(f"SELECT {rows.VERSION_COLUMNS} FROM {rows.VERSIONS}")
        )
    )
    found = [
        each
        for each in every
        if fits(text, dict(each.tags)) and matches(node, seen_version(each))
    ]
    for term in reversed(order_versions(order)):
        place: dict[str, Callable[[ModelVersion], Any]] = {
            "name": lambda each: each.model,
            "version_number": lambda each: each.version,
            "last_updated_timestamp": lambda each: each.updated_ms,
        }
        found.sort(key=place[term.field.key], reverse=term.descending)

    return found


def fits(text: str | None, tags: dict[str, str]) -> bool:
    """Say whether a search that does not speak of prompts may show this."""
    return PROMPT in (text or "") or tags.get(PROMPT) != "true"


def seen_model(model: RegisteredModel) -> Subject:
    """Say what a filter sees of a model."""
    return Subject(
        attributes={
            "name": model.name,
            "creation_timestamp": model.created_ms,
            "last_updated_timestamp": model.updated_ms,
        },
        tags={PROMPT: "false"} | dict(model.tags),
    )


def seen_version(version: ModelVersion) -> Subject:
    """Say what a filter sees of a version."""
    return Subject(
        attributes={
            "name": version.model,
            "version_number": version.version,
            "current_stage": version.stage.value,
            "run_id": version.run_id,
            "source_path": version.source,
            "creation_timestamp": version.created_ms,
            "last_updated_timestamp": version.updated_ms,
        },
        tags={PROMPT: "false"} | dict(version.tags),
    )


def test_a_models_own_versions_come_newest_first(db: Database) -> None:
    """A page at a time, those of a prompt too, and of no other model."""
    db.transact(making.model, "iris", 5)
    db.transact(making.model, "prompt", **{PROMPT: "true"})
    db.transact(making.version, "prompt", **{PROMPT: "true"})

    first = db.look(search.versions_of, "iris", search.Query(limit=3))
    query = search.Query(limit=3, page_token=first.next_page_token)
    second = db.look(search.versions_of, "iris", query)

    assert [each.version for each in first.versions] == [5, 4, 3]
    assert [each.version for each in second.versions] == [2, 1]
    assert second.next_page_token is None
    prompts = db.look(search.versions_of, "prompt", search.Query())
    assert [each.version for each in prompts.versions] == [1]
    query = search.Query("version_number < 3", ("version_number ASC",))
    some = db.look(search.versions_of, "iris", query)
    assert [each.version for each in some.versions] == [1, 2]
    with pytest.raises(errors.ModelNotFound):
        db.look(search.versions_of, "none", search.Query())
    with pytest.raises(errors.InvalidInput, match="page token"):
        db.look(
            search.versions_of,
            "prompt",
            search.Query(page_token=first.next_page_token),
        )
