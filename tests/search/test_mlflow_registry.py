"""Filters and orders of the registry mean what they mean to MLflow."""

import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstone.errors import BadFilter
from runstone.search.grammar import parse_models, parse_versions
from runstone.search.order import NAME, order_models, order_versions
from runstone.search.show import show
from runstone.search.tree import Node
from tests.search.test_mlflow import (
    DIRECTIONS,
    EQUALS,
    INS,
    INTEGERS,
    KEYS,
    LIKES,
    LISTS,
    SIGNS,
    STRINGS,
    compare,
    filters,
    heads,
    join,
    ours,
    signed,
    theirs,
)
from tests.search.trees import MODEL_TREES, VERSION_TREES


with warnings.catch_warnings():
    # What MLflow's imports warn of is not ours to mend.
    warnings.simplefilter("ignore")
    from mlflow.exceptions import MlflowException
    from mlflow.utils.search_utils import (
        SearchModelUtils,
        SearchModelVersionUtils,
        SearchUtils,
    )

MODELS: Any = SearchModelUtils
VERSIONS: Any = SearchModelVersionUtils
ORDERS: Any = SearchUtils

HEADS = st.just("") | heads("attribute")
TAGS = join(heads("tags", "tag"), KEYS)
TAG_TERMS = compare(TAGS, EQUALS | LIKES, STRINGS) | signed(TAGS, STRINGS)
NAMES = join(HEADS, st.just("name"))
TEXTS = join(HEADS, st.sampled_from(["name", "run_id", "source_path"]))
MODEL_TERMS = st.one_of(
    TAG_TERMS,
    compare(NAMES, EQUALS | LIKES, STRINGS),
    compare(NAMES, INS, LISTS),
)
VERSION_TERMS = st.one_of(
    TAG_TERMS,
    compare(TEXTS, EQUALS | LIKES, STRINGS),
    compare(join(HEADS, st.sampled_from(["name", "run_id"])), INS, LISTS),
    compare(join(HEADS, st.just("version_number")), SIGNS, INTEGERS),
)


@given(text=filters(MODEL_TERMS))
def test_model_filters_mean_what_they_mean_to_mlflow(text: str) -> None:
    """A script that works with MLflow finds the same models here."""
    assert ours(parse_models(text)) == theirs(MODELS, text)


@given(text=filters(VERSION_TERMS))
def test_version_filters_mean_what_they_mean_to_mlflow(text: str) -> None:
    """And the same versions."""
    assert ours(parse_versions(text)) == theirs(VERSIONS, text)


@pytest.mark.parametrize("text", ["version_number = '7'", 'version_number = "7"'])
def test_a_versions_number_may_stand_in_quotes(text: str) -> None:
    """A client's version is a text."""
    assert ours(parse_versions(text)) == [("attribute", "version_number", "=", 7)]
    assert int(str(theirs(VERSIONS, text)[0][3])) == 7


@given(
    text=join(
        st.sampled_from(["name", "timestamp", "last_updated_timestamp"]), DIRECTIONS
    )
)
def test_model_orders_mean_what_they_mean_to_mlflow(text: str) -> None:
    """Both words for the last change, as in MLflow's store."""
    key, ascending = ORDERS.parse_order_by_for_search_registered_models(text)

    first, *rest = order_models([text])

    assert first.field.key == {"timestamp": "last_updated_timestamp"}.get(key, key)
    assert first.descending is not ascending
    assert [term.field for term in rest] == ([] if key == "name" else [NAME])


@given(
    text=join(
        st.sampled_from(
            [
                *("name", "version_number", "attribute.name"),
                *("creation_timestamp", "last_updated_timestamp"),
            ]
        ),
        DIRECTIONS,
    )
)
def test_version_orders_mean_what_they_mean_to_mlflow(text: str) -> None:
    """The newest version first where the order leaves it open."""
    _, key, ascending = VERSIONS.parse_order_by_for_search_model_versions(text)

    order = order_versions([text])

    assert order[0].field.key == key
    assert order[0].descending is not ascending
    assert {"name", "version_number"} <= {term.field.key for term in order}


@given(tree=MODEL_TREES)
def test_a_model_tree_is_read_as_it_was_written(tree: Node) -> None:
    """Round trip: what is shown is what is meant."""
    assert parse_models(show(tree)) == tree


@given(tree=VERSION_TREES)
def test_a_version_tree_is_read_as_it_was_written(tree: Node) -> None:
    """Round trip: what is shown is what is meant."""
    assert parse_versions(show(tree)) == tree


@pytest.mark.parametrize(
    "text",
    [
        "description = 'x'",
        "run_id = 'x'",
        "version_number = 1",
        "metrics.a > 1",
        "params.a = 'x'",
        "name IN ()",
        "name =",
        "aliases.champion = '1'",
    ],
)
def test_what_models_do_not_have_is_refused(text: str) -> None:
    """A typing error is an error in both."""
    with pytest.raises(MlflowException):
        MODELS.parse_search_filter(text)

    with pytest.raises(BadFilter):
        parse_models(text)


@pytest.mark.parametrize("terms", [["tags.a"], ["name", "name DESC"], ["description"]])
def test_an_order_of_models_is_of_their_attributes(terms: list[str]) -> None:
    """Each once."""
    with pytest.raises(BadFilter):
        order_models(terms)


@pytest.mark.parametrize("terms", [["run_id"], ["name", "name DESC"], ["tags.a"]])
def test_an_order_of_versions_is_of_some_of_their_attributes(terms: list[str]) -> None:
    """Those that an index or MLflow knows."""
    with pytest.raises(BadFilter):
        order_versions(terms)
