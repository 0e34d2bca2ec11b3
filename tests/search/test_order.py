"""Orders are read as MLflow reads them, and made total."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstone import limits
from runstone.errors import BadFilter, InvalidInput, TooLarge
from runstone.search.fields import RUNS
from runstone.search.order import (
    CREATION_TIME,
    EXPERIMENT_ID,
    RUN_ID,
    START_TIME,
    order_experiments,
    order_runs,
    settle_experiments,
    settle_runs,
)
from runstone.search.show import show_order
from runstone.search.tree import Field, Kind, OrderTerm
from tests.search.trees import fields


NAME = Field(Kind.ATTRIBUTE, "name")


@pytest.mark.parametrize(
    ("text", "kind", "key", "descending"),
    [
        ("metrics.`my key` DESC", Kind.METRIC, "my key", True),
        ('params."x"', Kind.PARAM, "x", False),
        ("params.desc", Kind.PARAM, "desc", False),
        ("params.desc desc", Kind.PARAM, "desc", True),
        ("tags.`x desc`  aSc", Kind.TAG, "x desc", False),
        ("  Created\tDESC ", Kind.ATTRIBUTE, "start_time", True),
        ('attr."Run Name"', Kind.ATTRIBUTE, "run_name", False),
    ],
)
def test_an_order_term_is_a_field_and_perhaps_a_direction(
    text: str,
    kind: Kind,
    key: str,
    descending: bool,  # noqa: FBT001  # a row of the table
) -> None:
    """Ascending is what nobody has to say."""
    assert order_runs([text]) == (OrderTerm(Field(kind, key), descending),)


@given(
    field=fields(RUNS).filter(lambda field: field.kind is not Kind.DATASET),
    descending=st.booleans(),
)
def test_an_order_that_is_written_reads_as_the_same(
    field: Field,
    descending: bool,  # noqa: FBT001  # drawn by name
) -> None:
    """A page token may carry an order as text."""
    term = OrderTerm(field, descending)

    assert order_runs([show_order(term)]) == (term,)


@given(text=st.text())
def test_nothing_but_our_errors_escapes(text: str) -> None:
    """An order comes from outside, so it may be anything."""
    for read in (order_runs, order_experiments):
        try:
            read([text])
        except InvalidInput as error:
            assert str(error)  # noqa: PT017  # any text may do either


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ([""], "a field"),
        (["metrics.a foo"], "ASC, DESC or the end"),
        (["metrics.a DESC NULLS LAST"], "the end of the term"),
        (["metrics.a, metrics.b"], "ASC, DESC or the end"),
        (["foo"], "one of artifact_uri"),
        (["datasets.name"], "a metric, param, tag or attribute"),
        (["created", "start_time DESC"], "each field once"),
    ],
)
def test_a_bad_order_says_what_would_fit(terms: list[str], expected: str) -> None:
    """The error carries the term that is wrong."""
    with pytest.raises(BadFilter) as caught:
        order_runs(terms)

    assert expected in caught.value.expected
    assert caught.value.text == terms[-1]


def test_experiments_are_ordered_by_attributes_only() -> None:
    """As MLflow has it, where a field may come twice."""
    assert order_experiments(["name DESC", "name"]) == (
        OrderTerm(NAME, descending=True),
        OrderTerm(NAME),
    )
    with pytest.raises(BadFilter, match="experiment_id"):
        order_experiments(["tags.a"])


def test_an_order_has_bounds() -> None:
    """Every key of an order may cost the database a join."""
    with pytest.raises(TooLarge, match="order by"):
        order_experiments(["name"] * (limits.ORDER_TERMS + 1))


def test_runs_are_settled_by_start_and_id() -> None:
    """Pages never overlap, because no two runs are equal in order."""
    start, run_id = OrderTerm(START_TIME), OrderTerm(RUN_ID)

    assert settle_runs(()) == (start._replace(descending=True), run_id)
    assert settle_runs((start,)) == (start, run_id)
    assert settle_runs((start, run_id)) == (start, run_id)


def test_experiments_are_settled_by_id() -> None:
    """The newest experiment comes first where nothing else is asked for."""
    name, number = OrderTerm(NAME), OrderTerm(EXPERIMENT_ID)

    assert settle_experiments(()) == (OrderTerm(CREATION_TIME, descending=True), number)
    assert settle_experiments((name,)) == (name, number._replace(descending=True))
    assert settle_experiments((number,)) == (number,)
