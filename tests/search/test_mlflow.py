"""Whatever MLflow's own parser takes, ours takes with the same meaning."""

import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstone.errors import BadFilter
from runstone.search.grammar import parse_experiments, parse_runs
from runstone.search.order import order_experiments, order_runs
from runstone.search.tree import And, Comparison, Node


with warnings.catch_warnings():
    # What MLflow's imports warn of is not ours to mend.
    warnings.simplefilter("ignore")
    from mlflow.exceptions import MlflowException
    from mlflow.utils.search_utils import SearchExperimentsUtils, SearchUtils

RUNS: Any = SearchUtils
EXPERIMENTS: Any = SearchExperimentsUtils

KINDS = {"parameter": "param"}
ALIASES = {
    "created": "start_time",
    "Created": "start_time",
    "run name": "run_name",
    "Run name": "run_name",
    "Run Name": "run_name",
}


def theirs(search: Any, text: str) -> list[tuple[str, str, str, object]]:  # noqa: ANN401  # untyped
    """MLflow's reading, in our words."""
    return [
        (
            KINDS.get(each["type"], each["type"]),
            key_of(each["type"], each["key"]),
            " ".join(each["comparator"].upper().split()),
            float(each["value"]) if each["type"] == "metric" else each["value"],
        )
        for each in search.parse_search_filter(text)
    ]


def key_of(kind: str, key: str) -> str:
    """Give an attribute its one name."""
    return ALIASES.get(key, key) if kind == "attribute" else key


def ours(tree: Node | None) -> list[tuple[str, str, str, object]]:
    """Our reading of a filter of ANDs, as rows."""
    terms = tree.terms if isinstance(tree, And) else () if tree is None else (tree,)
    comparisons = [term for term in terms if isinstance(term, Comparison)]
    assert len(comparisons) == len(terms)

    return [
        (each.field.kind, each.field.key, each.op, each.value) for each in comparisons
    ]


def cased(*words: str) -> st.SearchStrategy[str]:
    """Draw keywords in any case."""
    return st.sampled_from([*words, *map(str.lower, words), *map(str.title, words)])


# Words that sqlparse takes for something else (`from`, `1st`) are left to the
# list of what we take beyond MLflow.
NAMES = st.sampled_from(
    ["a", "loss", "f1_score", "val.loss", "größe", "desc", "order", "p(x)"]
)
INNER = st.text("ab ./-:_%é日\\nANDOR=,()", max_size=8)
QUOTED = st.builds(
    lambda quote, text: quote + text.rstrip("\\") + quote,
    st.sampled_from("`\"'"),
    INNER,
)
KEYS = NAMES | QUOTED
STRINGS = st.builds(
    lambda quote, text: quote + text.rstrip("\\") + quote,
    st.sampled_from("\"'"),
    st.text("ab ./-:_%é日\\`ANDOR=,()\n", max_size=8),
)
ITEMS = st.builds(
    lambda quote, text: quote + text + quote,
    st.sampled_from("\"'"),
    st.text("ab /-.é日", max_size=5),
)
LISTS = st.lists(ITEMS, min_size=1, max_size=3).map(
    lambda items: "(" + ", ".join(items) + ")"
)
NUMBERS = st.sampled_from(
    ["0", "1", "-1", "007", ".5", "5.", "-.5", "1e5", "1E-5", "-1.5e3", "1e400"]
) | st.floats(allow_nan=False, allow_infinity=False).map(
    lambda number: repr(number).replace("e+", "e")
)
INTEGERS = st.integers(-(2**63) + 1, 2**63 - 1).map(str)
SPACE = st.sampled_from([" ", "  ", "\t", "\n"])
GAP = SPACE | st.just("")
SIGNS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
EQUALS = st.sampled_from(["=", "!="])
LIKES = cased("LIKE", "ILIKE")
INS = cased("IN", "NOT IN")
NULLS = cased("IS NULL", "IS NOT NULL")


def heads(*names: str) -> st.SearchStrategy[str]:
    """Draw what stands before a key."""
    return st.sampled_from([f"{name}." for name in names])


def compare(
    field: st.SearchStrategy[str],
    op: st.SearchStrategy[str],
    value: st.SearchStrategy[str],
) -> st.SearchStrategy[str]:
    """Write a comparison, with spaces where words would touch."""
    return st.tuples(field, SPACE, op, SPACE, value).map("".join)


def signed(
    field: st.SearchStrategy[str], value: st.SearchStrategy[str]
) -> st.SearchStrategy[str]:
    """Write a comparison whose sign may touch its neighbours."""
    return st.tuples(field, GAP, EQUALS, GAP, value).map("".join)


def join(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Draw parts and write them one after the other."""
    return st.tuples(*parts).map("".join)


METRICS = join(heads("metrics", "metric", "`metrics`"), KEYS)
LABELS = join(heads("params", "param", "parameter", "parameters", "tags", "tag"), KEYS)
ATTRIBUTE_HEADS = st.just("") | heads("attributes", "attribute", "attr", "run")
TEXT_NAMES = ["status", "run_id", "run_name", "user_id", "artifact_uri"]
QUOTED_NAMES = ["`status`", '"run name"', "`Run name`", "`Run Name`", '"user_id"']
TEXT_ATTRIBUTES = join(ATTRIBUTE_HEADS, st.sampled_from(TEXT_NAMES + QUOTED_NAMES))
TIMES = join(
    ATTRIBUTE_HEADS,
    st.sampled_from(["start_time", "end_time", "created", "Created", "`created`"]),
)
DATASETS = join(
    heads("datasets", "dataset"), st.sampled_from(["name", "digest", "`context`"])
)

COMPARISONS = st.one_of(
    compare(METRICS, SIGNS, NUMBERS),
    compare(LABELS, EQUALS | LIKES, STRINGS),
    signed(LABELS, STRINGS),
    join(LABELS, SPACE, NULLS),
    compare(TEXT_ATTRIBUTES, EQUALS | LIKES, STRINGS),
    compare(join(ATTRIBUTE_HEADS, st.just("run_id")), INS, LISTS),
    compare(TIMES, SIGNS, INTEGERS | NUMBERS),
    compare(DATASETS, EQUALS | LIKES, STRINGS),
    compare(DATASETS, INS, LISTS),
)
AND = join(SPACE, cased("AND"), SPACE)


@st.composite
def filters(draw: st.DrawFn, comparisons: st.SearchStrategy[str]) -> str:
    """Draw filters of a few comparisons."""
    text = draw(comparisons)
    for comparison in draw(st.lists(comparisons, max_size=3)):
        text += draw(AND) + comparison

    return text


@given(text=filters(COMPARISONS))
def test_run_filters_mean_what_they_mean_to_mlflow(text: str) -> None:
    """A script that works with MLflow finds the same runs here."""
    assert ours(parse_runs(text)) == theirs(RUNS, text)


EXPERIMENT_COMPARISONS = st.one_of(
    compare(join(heads("tags", "tag"), KEYS), EQUALS | LIKES, STRINGS),
    join(heads("tags", "tag"), KEYS, SPACE, NULLS),
    compare(st.sampled_from(["name", "attribute.name"]), EQUALS | LIKES, STRINGS),
    compare(st.just("experiment_id"), EQUALS, st.sampled_from(["'7'", '"12"'])),
    compare(st.just("experiment_id"), INS, st.just("('7', '12')")),
    compare(st.sampled_from(["creation_time", "last_update_time"]), SIGNS, INTEGERS),
)


@given(text=filters(EXPERIMENT_COMPARISONS))
def test_experiment_filters_mean_what_they_mean_to_mlflow(text: str) -> None:
    """The same for the list of experiments."""
    assert ours(parse_experiments(text)) == theirs(EXPERIMENTS, text)


DIRECTIONS = st.just("") | join(SPACE, cased("ASC", "DESC"))
# MLflow sends an order through a shell's splitter, which eats what is quoted
# within quotes, takes backslashes for escapes and drops spaces at the ends.
ORDER_KEYS = NAMES | st.text("ab ./-:_é", max_size=6).map(str.strip).map("`{}`".format)
ORDERED = st.one_of(
    join(heads("metrics", "params", "tags", "tag", "`metrics`"), ORDER_KEYS),
    join(ATTRIBUTE_HEADS, st.sampled_from(TEXT_NAMES)),
    TIMES.filter(lambda name: "`" not in name),
)


@given(text=join(ORDERED, DIRECTIONS))
def test_run_orders_mean_what_they_mean_to_mlflow(text: str) -> None:
    """Leaderboards keep their order."""
    kind, key, ascending = RUNS.parse_order_by_for_search_runs(text)

    (term,) = order_runs([text])

    assert term.field == (KINDS.get(kind, kind), key_of(kind, key))
    assert term.descending is not ascending


@given(
    text=join(
        st.sampled_from(["name", "experiment_id", "attribute.creation_time"]),
        DIRECTIONS,
    )
)
def test_experiment_orders_mean_what_they_mean_to_mlflow(text: str) -> None:
    """The same for the list of experiments."""
    read = EXPERIMENTS.parse_order_by_for_search_experiments
    kind, key, ascending = read(text)

    (term,) = order_experiments([text])

    assert term.field == (kind, key)
    assert term.descending is not ascending


REFUSED = [
    "metrics.a > '1'",
    "metrics.a > nan",
    "metrics.a > 1_000",
    "metrics.a > 0x1F",
    "metrics.a > - 5",
    "metrics.a > 1.2.3",
    "metrics.a LIKE 'x'",
    "metrics.a IS NULL",
    "metrics.a IN (1)",
    "metrics.a b > 1",
    "metrics .a > 1",
    "`metrics.a` > 1",
    '"metrics".a > 1 OR',
    "Metrics.a > 1",
    "params.a = 1",
    "params.a = x",
    "params.a = NULL",
    "params.a BETWEEN 1 AND 2",
    "params.a := 'x'",
    "params.a = 'x' , params.b = 'y'",
    "params.a = 'x' -- comment",
    "params.a = 'x' /* comment */",
    "params.a = 'x'; params.b = 'y'",
    "params.a = 'C:\\' AND params.b = 'x'",
    "params.a",
    "params.a =",
    "params.a = 'x",
    "params = 'x'",
    "run_id IN ()",
    "run_id IN ('a', 1)",
    "run_id IN 'a'",
    "status IS NULL",
    "attributes.Status = 'FINISHED'",
    "experiment_id = '1'",
    "attributes.run name = 'x'",
    "start_time > '1'",
    "start_time IN (1)",
    "start_time LIKE '1'",
    "datasets.name IS NULL",
    "datasets.source = 'x'",
    "'x' = params.a",
    "1 < metrics.a",
    "runs.status = 'FINISHED'",
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_mlflow_refuses_is_refused(text: str) -> None:
    """A typing error is an error in both."""
    with pytest.raises(MlflowException):
        RUNS.parse_search_filter(text)

    with pytest.raises(BadFilter):
        parse_runs(text)


BEYOND = [
    "metrics.val/loss > 1",
    "metrics.top-5 > 1",
    "metrics.1 > 1",
    "metrics.a > 1e+16",
    "params.from = 'x'",
    "params.a IN ('x', 'y')",
    "tags.a NOT IN ('x')",
    "status IN ('FAILED', 'KILLED')",
    "params.a = `x`",
    "params.a = 'x' OR params.b = 'y'",
    "NOT params.a = 'x'",
    "(params.a = 'x')",
    "params.a IS  NOT  NULL",
    " ",
]


@pytest.mark.parametrize("text", BEYOND)
def test_what_we_take_beyond_mlflow_is_known(text: str) -> None:
    """The list in the package's words is the list."""
    with pytest.raises(MlflowException):
        RUNS.parse_search_filter(text)

    parse_runs(text)
