"""Random trees and records, of what the grammar can say."""

import math

from hypothesis import strategies as st

from runstone.limits import INT64_MAX
from runstone.model import ModelStatus
from runstone.search.fields import (
    DATASET_KEYS,
    EXPERIMENTS,
    LOGGED_MODELS,
    MODELS,
    OPS,
    ORDER_OPS,
    RUNS,
    SPAN_KEYS,
    TRACES,
    VERSIONS,
    Language,
    Sort,
)
from runstone.search.match import Subject
from runstone.search.tree import And, Comparison, Field, Kind, Node, Not, Op, Or


TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8
)
# No backtick: a key that has it can be written too, but not with every other.
KEYS = TEXTS.filter(lambda key: "`" not in key)
NUMBERS = st.floats(allow_nan=False)
INTEGERS = st.integers(-INT64_MAX, INT64_MAX)


def fields(language: Language) -> st.SearchStrategy[Field]:
    """Fields of every kind the language has."""
    keys = {
        Kind.ATTRIBUTE: st.sampled_from(sorted(language.attributes)),
        Kind.DATASET: st.sampled_from(DATASET_KEYS),
        Kind.SPAN: st.sampled_from(SPAN_KEYS),
    }
    kinds = st.sampled_from(sorted(set(language.heads.values())))

    return kinds.flatmap(
        lambda kind: st.builds(Field, st.just(kind), keys.get(kind, KEYS))
    )


@st.composite
def comparisons(draw: st.DrawFn, language: Language) -> Comparison:
    """Comparisons that the language allows."""
    field = draw(fields(language))
    sort = language.sort(field)
    op = draw(st.sampled_from(OPS[sort]))
    texts = {
        Sort.ID: st.integers(0, INT64_MAX).map(str),
        Sort.STATUS: st.sampled_from([status.value for status in ModelStatus]),
    }.get(sort, TEXTS)
    if op in (Op.IS_NULL, Op.IS_NOT_NULL):
        return Comparison(field, op, None)
    if op in (Op.IN, Op.NOT_IN):
        items = draw(st.lists(texts, min_size=1, max_size=3))
        return Comparison(field, op, tuple(items))
    if field.kind is Kind.METRIC:
        return Comparison(field, op, draw(NUMBERS))
    if sort is Sort.NUMBER or (sort is Sort.VERDICT and op in ORDER_OPS):
        return Comparison(field, op, draw(INTEGERS | NUMBERS))
    if sort in (Sort.WHOLE, Sort.VERSION):
        return Comparison(field, op, draw(INTEGERS))

    return Comparison(field, op, draw(texts))


def _larger(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    terms = st.lists(nodes, min_size=2, max_size=3).map(tuple)
    return st.builds(And, terms) | st.builds(Or, terms) | st.builds(Not, nodes)


def trees(language: Language) -> st.SearchStrategy[Node]:
    """Trees of up to a few comparisons."""
    return st.recursive(comparisons(language), _larger, max_leaves=8)


RUN_TREES = trees(RUNS)
EXPERIMENT_TREES = trees(EXPERIMENTS)
LOGGED_MODEL_TREES = trees(LOGGED_MODELS)
MODEL_TREES = trees(MODELS)
VERSION_TREES = trees(VERSIONS)
TRACE_TREES = trees(TRACES)

_FEW = st.sampled_from(["a", "b", "A", "ab"])
SUBJECTS = st.builds(
    Subject,
    attributes=st.fixed_dictionaries(
        {"run_id": _FEW},
        optional={"end_time": st.none() | st.integers(0, 3), "run_name": _FEW},
    ),
    metrics=st.dictionaries(_FEW, st.sampled_from([0.0, 1.0, math.nan, math.inf])),
    params=st.dictionaries(_FEW, _FEW),
    tags=st.dictionaries(_FEW, _FEW),
    datasets=st.lists(
        st.fixed_dictionaries(
            {"name": _FEW, "digest": _FEW}, optional={"context": _FEW}
        ),
        max_size=2,
    ),
)
"""Small runs, of so few words that a filter often meets them."""
