"""
From the tree of a filter to SQL over indexes.

What a tree means is said in `search.tree`; `search.match` is the slow
reference that this is tested against.  Text of a user only ever becomes a
parameter.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import count
from string import ascii_lowercase, ascii_uppercase
from typing import Final, NamedTuple

from runstone.search.tree import And, Comparison, Field, Kind, Node, Not, Op
from runstone.storage import words
from runstone.storage.labels import HEAD_CHARS
from runstone.storage.tx import Clause, Tx


LABELS: Final = {Kind.PARAM: "param", Kind.TAG: "tag"}
RUN_COLUMNS: Final = {
    "run_id": "r.uuid",
    "run_name": "r.name",
    "status": "r.status",
    "user_id": "r.user_name",
    "artifact_uri": "r.artifact_uri",
    "start_time": "r.start_ms",
    "end_time": "r.end_ms",
}
EXPERIMENT_COLUMNS: Final = {
    "experiment_id": "e.id",
    "name": "e.name",
    "creation_time": "e.created_ms",
    "last_update_time": "e.updated_ms",
}
MODEL_COLUMNS: Final = {
    "name": "m.name",
    "creation_timestamp": "m.created_ms",
    "last_updated_timestamp": "m.updated_ms",
}
VERSION_COLUMNS: Final = {
    "name": "m.name",
    "version_number": "v.version",
    "current_stage": "v.stage",
    "run_id": "v.run_id",
    "source_path": "v.source",
    "creation_timestamp": "v.created_ms",
    "last_updated_timestamp": "v.updated_ms",
}
FOLD: Final = str.maketrans(ascii_uppercase, ascii_lowercase)
PLAIN: Final = {
    Op.EQUAL: "=",
    Op.UNEQUAL: "<>",
    Op.LESS: "<",
    Op.LESS_EQUAL: "<=",
    Op.GREATER: ">",
    Op.GREATER_EQUAL: ">=",
}


class Driver(NamedTuple):
    """A comparison that an index answers: which runs, without looking at others."""

    table: str
    where: Clause


class Shape(NamedTuple):
    """Where the attributes and tags of something stand."""

    columns: Mapping[str, str]
    tags: str
    """The rows `t` of its tags, as what follows FROM."""


EXPERIMENTS: Final = Shape(
    EXPERIMENT_COLUMNS, "experiment_tag t WHERE t.experiment_id = e.id"
)
MODELS: Final = Shape(MODEL_COLUMNS, "registered_model_tag t WHERE t.model_id = m.id")
VERSIONS: Final = Shape(
    VERSION_COLUMNS, "model_version_tag t WHERE t.version_id = v.id"
)


class Compiler:
    """
    Turns trees into conditions on rows, which have one-letter names.

    Runs are `r`, experiments `e`, registered models `m`, their versions `v`.

    Args:
        tx: To look up interned keys.
    """

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._numbers: Iterator[int] = count()

    def runs(self, node: Node) -> Clause:
        """Return a condition on `r`."""
        return self._node(node, self._run_term)

    def experiments(self, node: Node) -> Clause:
        """Return a condition on `e`."""
        return self.labelled(node, EXPERIMENTS)

    def labelled(self, node: Node, shape: Shape) -> Clause:
        """Return a condition on what has attributes and tags, and no more."""
        return self._node(node, partial(self._labelled_term, shape))

    def key(self, field: Field) -> int:
        """Return the number of a field's key, 0 where no run has it."""
        return words.find(self._tx, [field.key]).get(field.key, 0)

    def drivers(self, node: Node | None) -> list[Driver]:
        """Return the comparisons, all of which must hold, that an index answers."""
        terms = node.terms if isinstance(node, And) else (node,)
        found = (self._driver(term) for term in terms if isinstance(term, Comparison))

        return [driver for driver in found if driver is not None]

    def compare(self, column: str, op: Op, value: object) -> Clause:
        """Compare a column that is not NULL with a value."""
        if op in PLAIN:
            return self._with(f"{column} {PLAIN[op]} :{{}}", value)
        if op in (Op.IN, Op.NOT_IN):
            return self._with(f"{column} {op} (:{{}})", value)
        # Backslash is a sign like any other; SQLite knows no escape by itself.
        escape = "" if self._tx.dialect == "sqlite" else " ESCAPE ''"
        if op is Op.ILIKE:
            column, value = self._folded(column), str(value).translate(FOLD)

        return self._with(f"{column} LIKE :{{}}{escape}", value)

    def _folded(self, column: str) -> str:
        """Return a column with ASCII's capitals made small, and no other sign."""
        if self._tx.dialect != "mysql":  # SQLite, and PostgreSQL's collation "C"
            return f"LOWER({column})"
        for capital in ascii_uppercase:  # MySQL's LOWER would fold É as well
            column = f"REPLACE({column}, '{capital}', '{capital.lower()}')"

        return column

    def _with(self, template: str, value: object) -> Clause:
        name = f"v{next(self._numbers)}"

        return Clause(template.format(name), {name: value})  # type: ignore[dict-item]  # the grammar has checked it

    def _node(self, node: Node, term: Callable[[Comparison], Clause]) -> Clause:
        if isinstance(node, Comparison):
            return term(node)
        if isinstance(node, Not):
            inner = self._node(node.term, term)
            return Clause(f"NOT ({inner.sql})", inner.params)
        word = " AND " if isinstance(node, And) else " OR "

        return joined(word, [self._node(part, term) for part in node.terms])

    def _run_term(self, term: Comparison) -> Clause:
        kind, key = term.field
        if kind is Kind.ATTRIBUTE:
            return self._attribute(RUN_COLUMNS[key], term)
        if kind is Kind.METRIC:
            return self._exists("latest", term.field, self._metric(term))
        if kind is Kind.DATASET:
            return self._dataset(term)
        if term.op in (Op.IS_NULL, Op.IS_NOT_NULL):
            there = self._exists(LABELS[kind], term.field, Clause("1 = 1", {}))
            negation = "NOT " if term.op is Op.IS_NULL else ""
            return Clause(negation + there.sql, there.params)

        return self._exists(LABELS[kind], term.field, self._label(term))

    def _labelled_term(self, shape: Shape, term: Comparison) -> Clause:
        kind, key = term.field
        if kind is Kind.ATTRIBUTE:
            value: object = term.value
            if key == "experiment_id":  # written as text, kept as a number
                value = (
                    [int(part) for part in value]
                    if isinstance(value, tuple)
                    else int(str(value))
                )
            return self.compare(shape.columns[key], term.op, value)
        there = f"EXISTS (SELECT 1 FROM {shape.tags}"  # noqa: S608  # our own text
        name = self._with(" AND t.name = :{}", key)
        if term.op in (Op.IS_NULL, Op.IS_NOT_NULL):
            negation = "NOT " if term.op is Op.IS_NULL else ""
            return Clause(f"{negation}{there}{name.sql})", name.params)
        value_is = self.compare("t.value", term.op, term.value)

        return Clause(
            f"{there}{name.sql} AND {value_is.sql})", name.params | value_is.params
        )

    def _attribute(self, column: str, term: Comparison) -> Clause:
        found = self.compare(column, term.op, term.value)
        if column != "r.end_ms":
            return found

        return Clause(f"({column} IS NOT NULL AND {found.sql})", found.params)

    def _metric(self, term: Comparison) -> Clause:
        found = self.compare("m.value", term.op, term.value)
        if term.op is Op.UNEQUAL:
            return Clause(f"(m.is_nan = 1 OR {found.sql})", found.params)

        return Clause(f"m.is_nan = 0 AND {found.sql}", found.params)

    def _label(self, term: Comparison) -> Clause:
        """Compare a param or a tag, by its indexed head where that can help."""
        found = self.compare("m.value", term.op, term.value)
        if term.op not in (Op.EQUAL, Op.IN):
            return found
        value = term.value
        head = (
            tuple(part[:HEAD_CHARS] for part in value)
            if isinstance(value, tuple)
            else str(value)[:HEAD_CHARS]
        )
        by_head = self.compare("m.head", term.op, head)

        return joined(" AND ", [by_head, found])

    def _dataset(self, term: Comparison) -> Clause:
        column = {"name": "d.name", "digest": "d.digest", "context": "i.context"}
        name = column[term.field.key]
        found = self.compare(name, term.op, term.value)

        return Clause(
            "EXISTS (SELECT 1 FROM input i JOIN dataset d ON d.id = i.dataset_id "  # noqa: S608  # our own text
            f"WHERE i.run_id = r.id AND {name} IS NOT NULL AND {found.sql})",
            found.params,
        )

    def _exists(self, table: str, field: Field, condition: Clause) -> Clause:
        return Clause(
            f"EXISTS (SELECT 1 FROM {table} m WHERE m.run_id = r.id "  # noqa: S608  # our own text
            f"AND m.key_id = {self.key(field)} AND {condition.sql})",
            condition.params,
        )

    def _driver(self, term: Comparison) -> Driver | None:
        kind = term.field.kind
        if kind is Kind.METRIC and term.op is not Op.UNEQUAL:
            table, condition = "latest", self._metric(term)
        elif kind in LABELS and term.op in (Op.EQUAL, Op.IN):
            table, condition = LABELS[kind], self._label(term)
        else:
            return None
        by_key = f"m.key_id = {self.key(term.field)} AND {condition.sql}"

        return Driver(table, Clause(by_key, condition.params))


def joined(word: str, clauses: list[Clause]) -> Clause:
    """Put conditions together with AND or OR."""
    params = {
        name: value for clause in clauses for name, value in clause.params.items()
    }

    return Clause("(" + word.join(clause.sql for clause in clauses) + ")", params)
