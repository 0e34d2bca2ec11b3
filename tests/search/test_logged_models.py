"""Logged models have fields of their own, and orders without quotes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstone.errors import BadFilter, InvalidInput
from runstone.search.grammar import parse_logged_models
from runstone.search.order import logged_model_field
from runstone.search.show import show
from runstone.search.tree import Comparison, Field, Kind, Node, Op
from tests.search.trees import LOGGED_MODEL_TREES


@given(tree=LOGGED_MODEL_TREES)
def test_a_filter_of_models_that_is_written_reads_as_the_same_tree(tree: Node) -> None:
    """The law of the other languages holds here."""
    assert parse_logged_models(show(tree)) == tree


@given(text=st.text())
def test_nothing_but_our_errors_escapes(text: str) -> None:
    """What is sorted by comes from outside too."""
    for read in (parse_logged_models, logged_model_field):
        try:
            read(text)
        except InvalidInput as error:
            assert str(error)  # noqa: PT017  # any text may do either


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("status = 'ready'", "one of UNSPECIFIED, PENDING, READY, FAILED"),
        ("status IN ('READY', 'x')", "one of UNSPECIFIED, PENDING, READY, FAILED"),
        ("status LIKE 'R%'", "one of =, !=, IN, NOT IN"),
        ("name > 'x'", "one of =, !=, LIKE"),
        ("creation_time LIKE '1'", "one of =, !=, <"),
        ("datasets.name = 'x'", "before the dot"),
        ("lifecycle_stage = 'active'", "one of artifact_location"),
    ],
)
def test_a_bad_filter_of_models_says_what_would_fit(text: str, expected: str) -> None:
    """A status has four words, and no likeness."""
    with pytest.raises(BadFilter) as caught:
        parse_logged_models(text)

    assert expected in caught.value.expected


@pytest.mark.parametrize("name", ["creation_time", "creation_timestamp"])
def test_an_attribute_of_a_model_has_several_names(name: str) -> None:
    """MLflow's documents use them all."""
    tree = parse_logged_models(f"{name} > 5")

    field = Field(Kind.ATTRIBUTE, "creation_timestamp_ms")
    assert tree == Comparison(field, Op.GREATER, 5)
    assert logged_model_field(name) == field


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("metrics.acc", "acc"),
        ("metrics.val/acc 1", "val/acc 1"),
        ("metrics.a.b", "a.b"),
    ],
)
def test_the_rest_of_a_name_is_a_metric(name: str, key: str) -> None:
    """As it is: the wire has a field of its own for the direction."""
    assert logged_model_field(name) == Field(Kind.METRIC, key)


@pytest.mark.parametrize(
    "name", ["", "metrics.", "metrics", "params.lr", "attributes.name", "nothing"]
)
def test_a_model_is_sorted_by_metrics_and_attributes_only(name: str) -> None:
    """The error lists them."""
    with pytest.raises(BadFilter, match="or one of"):
        logged_model_field(name)
