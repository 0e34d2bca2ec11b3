"""
From the tree of a filter of traces to SQL.

What a tree means is said in `search.tree`.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from runstone import errors
from runstone.search.tree import And, Comparison, Field, Kind, Node, Op
from runstone.storage.filters import Compiler, joined
from runstone.storage.tracing import pairs
from runstone.storage.tx import Clause


NAME: Final = Field(Kind.TAG, "mlflow.traceName")
RUN: Final = Field(Kind.METADATA, "mlflow.sourceRun")
PAIRS: Final = {Kind.TAG: pairs.TAG, Kind.METADATA: pairs.METADATA}
COLUMNS: Final = {
    "client_request_id": "t.client_request_id",
    "end_time_ms": "t.start_ms + COALESCE(t.duration_ms, 0)",
    "execution_time_ms": "t.duration_ms",
    "experiment_id": "t.experiment_id",
    "request_id": "t.uuid",
    "status": "t.state",
    "timestamp_ms": "t.start_ms",
}
NULLABLE: Final = frozenset({"client_request_id", "execution_time_ms"})
SPAN_COLUMNS: Final = {
    "name": "s.name",
    "type": "s.type",
    "status": "s.status",
    "content": "s.body",
}


class TraceCompiler(Compiler):
    """Turns trees into conditions on a row `t` of traces."""

    def traces(self, node: Node) -> Clause:
        """Return a condition on `t`."""
        return self._node(node, self._trace_term)

    def _node(self, node: Node, term: Callable[[Comparison], Clause]) -> Clause:
        """Join terms; what AND joins on spans is about one span."""
        on_spans = [
            part
            for part in (node.terms if isinstance(node, And) else ())
            if isinstance(part, Comparison) and part.is_of_span
        ]
        if not isinstance(node, And) or not on_spans:
            return super()._node(node, term)
        others = [self._node(part, term) for part in node.terms if part not in on_spans]
        one_span = self._span([self._span_term(part) for part in on_spans])

        return joined(" AND ", [*others, one_span])

    def _trace_term(self, term: Comparison) -> Clause:
        kind, key = term.field
        if term.is_of_span:
            return self._span([self._span_term(term)])
        if kind in (Kind.FEEDBACK, Kind.EXPECTATION):
            return self._assessment(term)
        if kind is Kind.ATTRIBUTE:
            return self._of_trace(key, term)
        if term.field == RUN and term.op is Op.EQUAL:
            return self._of_run(term)

        return self._pair(term.field, term)

    def _of_trace(self, key: str, term: Comparison) -> Clause:
        if key == "name":
            return self._pair(NAME, term)
        if key == "run_id":
            return self._of_run(term)
        if key == "prompt":
            return self._prompt(str(term.value))
        value: object = term.value
        if key == "experiment_id":  # written as text, kept as a number
            value = (
                [int(part) for part in value]
                if isinstance(value, tuple)
                else int(str(value))
            )
        found = self.compare(COLUMNS[key], term.op, value)
        if key not in NULLABLE:
            return found

        return Clause(f"({COLUMNS[key]} IS NOT NULL AND {found.sql})", found.params)

    def _pair(self, field: Field, term: Comparison) -> Clause:
        there = (
            f"EXISTS (SELECT 1 FROM {PAIRS[field.kind]} m WHERE m.trace_id = t.id "  # noqa: S608  # our own text
            f"AND m.key_id = {self.key(field)}"
        )
        if term.op in (Op.IS_NULL, Op.IS_NOT_NULL):
            negation = "NOT " if term.op is Op.IS_NULL else ""
            return Clause(f"{negation}{there})", {})
        value = self._label(term)

        return Clause(f"{there} AND {value.sql})", value.params)

    def _of_run(self, term: Comparison) -> Clause:
        """Compare with the runs that a trace is linked to, or was made in."""
        linked = self.compare("r.uuid", term.op, term.value)
        by_link = Clause(
            "EXISTS (SELECT 1 FROM trace_run l JOIN run r ON r.id = l.run_id "  # noqa: S608  # our own text
            f"WHERE l.trace_id = t.id AND {linked.sql})",
            linked.params,
        )

        return joined(" OR ", [by_link, self._pair(RUN, term)])

    def _prompt(self, prompt: str) -> Clause:
        if prompt.count("/") != 1:
            raise errors.InvalidInput(
                f"Invalid prompts filter value {prompt[:100]!r}. Expected format: "
                "prompt = 'name/version'"
            )
        found = self._with("l.prompt = :{}", prompt)

        return Clause(
            "EXISTS (SELECT 1 FROM trace_prompt l WHERE l.trace_id = t.id "  # noqa: S608  # our own text
            f"AND {found.sql})",
            found.params,
        )

    def _span_term(self, term: Comparison) -> Clause:
        key = "content" if term.field.kind is Kind.ATTRIBUTE else term.field.key

        return self.compare(SPAN_COLUMNS[key], term.op, term.value)

    def _span(self, conditions: list[Clause]) -> Clause:
        where = joined(" AND ", conditions)

        return Clause(
            f"EXISTS (SELECT 1 FROM span s WHERE s.trace_id = t.id AND {where.sql})",  # noqa: S608  # our own text
            where.params,
        )

    def _assessment(self, term: Comparison) -> Clause:
        name = self._with("a.name = :{}", term.field.key)
        there = (
            "EXISTS (SELECT 1 FROM assessment a WHERE a.trace_id = t.id "  # noqa: S608  # our own text
            f"AND a.is_valid = 1 AND a.kind = '{term.field.kind}' AND {name.sql}"
        )
        if term.op in (Op.IS_NULL, Op.IS_NOT_NULL):
            negation = "NOT " if term.op is Op.IS_NULL else ""
            return Clause(f"{negation}{there})", name.params)
        value = self._verdict(term)

        return Clause(f"{there} AND {value.sql})", {**name.params, **value.params})

    def _verdict(self, term: Comparison) -> Clause:
        """Compare JSON: numbers as numbers, a text also as what JSON makes of it."""
        if not isinstance(term.value, str):
            found = self.compare("a.number", term.op, term.value)
            return Clause(f"(a.number IS NOT NULL AND {found.sql})", found.params)
        if term.op not in (Op.EQUAL, Op.UNEQUAL):
            return self.compare("a.value", term.op, term.value)
        forms = (term.value, msgspec.json.encode(term.value).decode())
        op = Op.IN if term.op is Op.EQUAL else Op.NOT_IN

        return self.compare("a.value", op, forms)


ORDERED: Final[Mapping[str, Field]] = {"name": NAME, "run_id": RUN}
"""Attributes whose values are kept as pairs."""
