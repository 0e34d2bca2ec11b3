"""Filters are read as they are meant, or refused where they go wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstone import limits
from runstone.errors import BadFilter, InvalidInput, TooLarge
from runstone.search.grammar import parse_experiments, parse_runs, parse_traces
from runstone.search.show import show
from runstone.search.tree import And, Comparison, Field, Kind, Node, Not, Op, Or, Value
from tests.search.trees import EXPERIMENT_TREES, RUN_TREES, TRACE_TREES


def metric(key: str, op: Op, value: float) -> Comparison:
    """Make a comparison of a metric."""
    return Comparison(Field(Kind.METRIC, key), op, value)


def param(key: str, value: str) -> Comparison:
    """Make an equality of a param."""
    return Comparison(Field(Kind.PARAM, key), Op.EQUAL, value)


A, B, C = param("a", "1"), param("b", "2"), param("c", "3")


@given(tree=RUN_TREES)
def test_a_run_filter_that_is_written_reads_as_the_same_tree(tree: Node) -> None:
    """What a user saves as a filter is what the filter was."""
    assert parse_runs(show(tree)) == tree


@given(tree=EXPERIMENT_TREES)
def test_an_experiment_filter_that_is_written_reads_as_the_same_tree(
    tree: Node,
) -> None:
    """The law holds in both languages."""
    assert parse_experiments(show(tree)) == tree


@given(tree=TRACE_TREES)
def test_a_trace_filter_that_is_written_reads_as_the_same_tree(tree: Node) -> None:
    """The law holds in the third language too."""
    assert parse_traces(show(tree)) == tree


WORDS = st.sampled_from(
    [
        *"'\"`(),.=!<>-\\;% ",
        *("metrics.", "params.a", "tags.", "run_id", "name", "creation_time"),
        *("experiment_id", "AND", "OR", "NOT", "IN", "LIKE", "IS", "NULL"),
        *("1", "-1e9", "'x'", '"y"', "\0", "\ud800", "٣", "\u00a0"),
    ]
)


@given(text=st.text() | st.lists(WORDS).map("".join) | st.lists(WORDS).map(" ".join))
def test_nothing_but_our_errors_escapes(text: str) -> None:
    """A filter comes from outside, so it may be anything."""
    for parse in (parse_runs, parse_experiments, parse_traces):
        try:
            parse(text)
        except InvalidInput as error:
            assert str(error)  # noqa: PT017  # any text may do either


@pytest.mark.parametrize("text", [None, "", "  \n ", "AND", "and And"])
def test_nothing_to_filter_by_is_no_filter(text: str | None) -> None:
    """A blank search box shows everything."""
    assert parse_runs(text) is None


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("params.a='1' AND params.b='2' OR params.c='3'", Or((And((A, B)), C))),
        ("params.a='1' and (params.b='2' oR params.c='3')", And((A, Or((B, C))))),
        ("NOT params.a='1' AND params.b='2'", And((Not(A), B))),
        ("not(params.a='1'AND params.b='2')", Not(And((A, B)))),
        ("NOT NOT ((params.a = '1'))", Not(Not(A))),
    ],
)
def test_not_binds_before_and_before_or(text: str, tree: Node) -> None:
    """As in SQL, which its users know."""
    assert parse_runs(text) == tree


@pytest.mark.parametrize(
    "text",
    [
        "params.a='1' params.b='2'",
        "params.a='1' AND AND params.b='2'",
        "AND params.a='1' AND params.b='2' AND",
        "params.a='1'AND `params`.b='2'",
    ],
)
def test_ands_may_be_missing_or_left_over(text: str) -> None:
    """MLflow lets them, and scripts join filters without care."""
    assert parse_runs(text) == And((A, B))


def test_a_quoted_attribute_follows_without_an_and() -> None:
    """MLflow takes the quotes around an attribute's name."""
    tree = parse_runs("params.a = '1' \"run name\" = 'x'")

    name = Comparison(Field(Kind.ATTRIBUTE, "run_name"), Op.EQUAL, "x")
    assert tree == And((A, name))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("metrics.loss > 1", "loss"),
        ("metrics.a.b/c-d:e@1 > 1", "a.b/c-d:e@1"),
        ("metrics.1 > 1", "1"),
        ("metric.größe>1", "größe"),
        ("metrics.`a b` > 1", "a b"),
        ('metrics."a.b" > 1', "a.b"),
        ("metrics.'a b' > 1", "a b"),
        ("`metrics`.`a``b` > 1", "a``b"),
        ("metrics.p(50) > 1", "p(50)"),
        ("metrics..a > 1", ".a"),
        ("metrics.`` > 1", ""),
        ("(metrics.a>1)", "a"),
    ],
)
def test_keys_may_be_plain_or_quoted(text: str, key: str) -> None:
    """People name metrics as they like."""
    tree = parse_runs(text)

    assert tree == metric(key, Op.GREATER, 1)


@pytest.mark.parametrize(
    ("text", "field", "op", "value"),
    [
        ("created >= 5", "start_time", Op.GREATER_EQUAL, 5),
        ("attr.Created = 1.5", "start_time", Op.EQUAL, 1.5),
        ("run.end_time < 99999999999999999999", "end_time", Op.LESS, 1e20),
        ("end_time > 1e400", "end_time", Op.GREATER, float("inf")),
        ("attributes.`Run name` ilike 'X%'", "run_name", Op.ILIKE, "X%"),
        ("run_id not  in('a',\"b\",)", "run_id", Op.NOT_IN, ("a", "b")),
        ("status IN ('FAILED')", "status", Op.IN, ("FAILED",)),
        ("user_id = 'it''s'", "user_id", Op.EQUAL, "it''s"),
        ("user_id = 'C:\\'", "user_id", Op.EQUAL, "C:\\"),
        ("user_id = `'\"```", "user_id", Op.EQUAL, "'\"`"),
    ],
)
def test_attributes_have_one_name_in_the_tree(
    text: str, field: str, op: Op, value: Value
) -> None:
    """Whoever compiles the tree knows no aliases."""
    assert parse_runs(text) == Comparison(Field(Kind.ATTRIBUTE, field), op, value)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("tags.a is null", Comparison(Field(Kind.TAG, "a"), Op.IS_NULL, None)),
        (
            "param.a IS  Not NULL",
            Comparison(Field(Kind.PARAM, "a"), Op.IS_NOT_NULL, None),
        ),
        (
            "datasets.context LIKE 'tr%'",
            Comparison(Field(Kind.DATASET, "context"), Op.LIKE, "tr%"),
        ),
    ],
)
def test_absence_and_datasets_can_be_asked_for(text: str, tree: Node) -> None:
    """MLflow's newer questions."""
    assert parse_runs(text) == tree


@pytest.mark.parametrize("text", ["experiment_id = '7'", "experiment_id = '007'"])
def test_an_experiment_id_is_plain_digits_in_the_tree(text: str) -> None:
    """A compiler can make an int of it without a check."""
    tree = parse_experiments(text)

    assert tree == Comparison(Field(Kind.ATTRIBUTE, "experiment_id"), Op.EQUAL, "7")


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("metrics.a", 9, "one of =, !=, <"),
        ("metrics.a == 1", 10, "one = is enough"),
        ("metrics.a <> 1", 10, "write !="),
        ("metrics.a > '0.5'", 12, "a number, without quotes: 0.5"),
        ("metrics.a > +1", 12, "a number"),
        ("metrics.a > 1a", 12, "a number"),
        ("metrics.a IS NULL", 10, "one of ="),
        ("metrics. a > 1", 8, "the name of a metric"),
        ("params.lr = 0.1", 12, "param values are: '0.1'"),
        ("params.a = ('x')", 11, "a string in quotes"),
        ("params.a NOT LIKE 'x'", 9, "write NOT before the field"),
        ("params.a IS", 9, "IS NULL"),
        ("params.a IN 'x'", 12, "a list of strings"),
        ("params.a IN ('x'", 16, "a comma or )"),
        ("params.a IN ()", 13, "a string in quotes"),
        ("params.a = 'x", 11, "a closing ' for this one"),
        ('params."a = 1', 7, 'a closing " for this one'),
        ("params.a = 'x';", 14, "no ';' here"),
        ("params.a = 'x' NOT params.b = 'y'", 15, "AND, OR or the end"),
        ("params.a = 'x' 'y' = 'z'", 15, "AND, OR or the end"),
        ("params.a = 'x' AND OR params.b = 'y'", 19, "one of artifact_uri"),
        ("params.a = 'x' OR", 17, "a field: metrics.<name> or params.<name>"),
        ("(params.a = 'x'", 15, "AND, OR or )"),
        ("params.a = 'x')", 14, "AND, OR or the end"),
        ("'x' = params.a", 0, "a field"),
        ("Metrics.a > 1", 0, "did you mean metrics?"),
        ("status_ = 'x'", 0, "did you mean status?"),
        ("attributes.`Start Time` > 1", 11, "did you mean start_time?"),
        ("startTime > 1", 0, "did you mean start_time?"),
        ("zzz = 'x'", 0, "one of artifact_uri, end_time"),
        ("datasets.nam = 'x'", 9, "did you mean name?"),
        (".a = 'x'", 0, "before the dot"),
        ("params.a = 'x\0'", 13, "a character that can be stored"),
    ],
)
def test_a_bad_filter_says_where_and_what_would_fit(
    text: str, position: int, expected: str
) -> None:
    """The reader can mend it without the manual."""
    with pytest.raises(BadFilter) as caught:
        parse_runs(text)

    assert caught.value.position == position
    assert expected in caught.value.expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("experiment_id = 7", "a string in quotes"),
        ("experiment_id = 'seven'", "an experiment id"),
        ("experiment_id = '9223372036854775808'", "an experiment id"),
        ("experiment_id LIKE '7'", "one of =, !=, IN, NOT IN"),
        ("creation_time > 1.5", "a whole number of milliseconds"),
        ("creation_time > '1'", "a number, without quotes: 1"),
        ("params.a = 'x'", "one of tags, tag"),
        ("name > 'x'", "one of =, !=, LIKE"),
        ("lifecycle_stage = 'active'", "one of creation_time, experiment_id"),
    ],
)
def test_experiments_have_their_own_fields(text: str, expected: str) -> None:
    """An experiment has no metrics, and its id no likeness."""
    with pytest.raises(BadFilter) as caught:
        parse_experiments(text)

    assert expected in caught.value.expected


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (" " * (limits.FILTER_CHARS + 1), "The filter"),
        ("(" * (limits.FILTER_DEPTH + 1), "nesting"),
        ("NOT " * (limits.FILTER_DEPTH + 1), "nesting"),
        ("metrics.a > 1 " * (limits.FILTER_TERMS + 1), "comparisons"),
        (f"params.a LIKE '{'%' * (limits.PATTERN_CHARS + 1)}'", "pattern"),
    ],
)
def test_a_filter_has_bounds(text: str, what: str) -> None:
    """One request cannot exhaust the stack or the database."""
    with pytest.raises(TooLarge, match=what):
        parse_runs(text)


def test_a_filter_at_its_bounds_is_read() -> None:
    """The limits are the last that works, also for Python's stack."""
    depth = limits.FILTER_DEPTH
    deep = "(" * depth + "params.a = '1'" + ")" * depth
    wide = "metrics.a > 1 AND " * limits.FILTER_TERMS

    assert parse_runs(deep) == A
    tree = parse_runs(wide)
    assert isinstance(tree, And)
    assert len(tree.terms) == limits.FILTER_TERMS


@pytest.mark.parametrize("piece", ["'", "\\'", "''", "metrics.a(", "`", "metrics.`a"])
def test_long_nonsense_is_refused(piece: str) -> None:
    """No pattern of the tokenizer tries its text in more than a few ways."""
    text = "params.a = " + piece * (50_000 // len(piece)) + "\\'x"

    with pytest.raises(BadFilter):
        parse_runs(text)
