"""
Search of logged models: a page by filter, datasets and order.

A metric is its latest value, on the datasets that are asked about; it is found
by the key of the points, which ends with what "latest" goes by.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from runstone import errors, limits
from runstone.model import LoggedModel, ModelStatus
from runstone.search.grammar import parse_logged_models
from runstone.search.order import logged_model_field
from runstone.search.tree import Comparison, Field, Kind, Node, Not, Op
from runstone.storage import keyset, logged_models, words
from runstone.storage.filters import Compiler, joined
from runstone.storage.keyset import Key
from runstone.storage.tx import Clause, Tx


COLUMNS: Final = {
    "artifact_location": "l.artifact_uri",
    "creation_timestamp_ms": "l.created_ms",
    "experiment_id": "l.experiment_id",
    "last_updated_timestamp_ms": "l.updated_ms",
    "model_id": "l.uuid",
    "model_type": "l.model_type",
    "name": "l.name",
    "source_run_id": "l.source_run",
    "status": "l.status",
}
LABELS: Final = {Kind.PARAM: "logged_model_param", Kind.TAG: "logged_model_tag"}


class OnDataset(NamedTuple):
    """A dataset that points were measured on; an empty digest is any."""

    name: str
    digest: str = ""


class OrderBy(NamedTuple):
    """One key to sort by; only a metric can be asked for on a dataset."""

    field: str
    descending: bool = False
    on: OnDataset | None = None


class Query(NamedTuple):
    """A search of logged models, as it was asked."""

    experiment_ids: tuple[int, ...]
    filter: str | None = None
    datasets: tuple[OnDataset, ...] = ()
    """Only points on one of these count; a model without any is not found."""

    order_by: tuple[OrderBy, ...] = ()
    limit: int = 100
    page_token: str | None = None


class Page(NamedTuple):
    """A page of logged models."""

    models: list[LoggedModel]
    next_page_token: str | None


def find(tx: Tx, query: Query) -> Page:
    """
    Return a page of live models, the newest first where no order is given.

    Raises:
        BadFilter: The filter or the order does not parse.
        TooLarge: It names too many experiments, datasets or sort keys.
        InvalidInput: The token is of another search.
    """
    _require_small(query)
    compiler = _Compiler(tx, query.datasets)
    conditions = _conditions(compiler, query)
    keys = _keys(compiler, query.order_by)
    mark = keyset.mark("logged models", *query[:4])
    if not query.experiment_ids:
        return Page([], None)
    if query.page_token:
        marks = keyset.read_token(query.page_token, mark, len(keys))
        conditions.append(keyset.after(keys, marks))
    where = joined(" AND ", conditions)
    rows = tx.all(
        f"SELECT l.id, {keyset.columns(keys)} FROM logged_model l WHERE {where.sql} "  # noqa: S608  # compiled, with parameters
        f"ORDER BY {keyset.order(keys)} LIMIT {query.limit + 1:d}",
        **where.params,
    )
    more = len(rows) > query.limit
    rows = rows[: query.limit]

    return Page(
        logged_models.by_numbers(tx, [row[0] for row in rows]),
        keyset.token(mark, rows[-1][1:]) if more else None,
    )


def _require_small(query: Query) -> None:
    for what, count, limit in (
        (
            "The list of experiments",
            len(query.experiment_ids),
            limits.SEARCH_EXPERIMENT_IDS,
        ),
        ("The list of datasets", len(query.datasets), limits.SEARCH_MODEL_DATASETS),
        ("The list to order by", len(query.order_by), limits.ORDER_TERMS),
    ):
        if count > limit:
            raise errors.TooLarge(what, count, limit)


def _conditions(compiler: "_Compiler", query: Query) -> list[Clause]:
    """Return what every model must fulfil."""
    ids = query.experiment_ids
    # An index can only be walked in order for one.
    within = f"= {ids[0]:d}" if len(ids) == 1 else f"IN ({', '.join(map(str, ids))})"
    conditions = [
        Clause("l.lifecycle = 'active'", {}),
        Clause(f"l.experiment_id {within}", {}),
    ]
    node = parse_logged_models(query.filter)
    if node is not None:
        conditions.append(compiler.models(node))
    if query.datasets and not _asks_for_metric(node):
        conditions.append(compiler.measured())

    return conditions


def _keys(compiler: "_Compiler", order_by: Sequence[OrderBy]) -> list[Key]:
    """Return the sort keys, total: the newest first and then by id."""
    keys: list[Key] = []
    seen: set[str] = set()
    for term in order_by:
        field = logged_model_field(term.field)
        if field.kind is Kind.METRIC:
            rank, value = compiler.latest(field, term.on)
            keys += [
                Key(f"COALESCE({rank}, 2)"),
                Key(f"COALESCE({value}, 0)", term.descending),
            ]
        else:
            seen.add(COLUMNS[field.key])
            keys.append(Key(COLUMNS[field.key], term.descending))
    if "l.created_ms" not in seen:
        keys.append(Key("l.created_ms", descending=True))
    if "l.uuid" not in seen:
        keys.append(Key("l.uuid"))

    return keys


def _asks_for_metric(node: Node | None) -> bool:
    if node is None:
        return False
    if isinstance(node, Comparison):
        return node.field.kind is Kind.METRIC
    if isinstance(node, Not):
        return _asks_for_metric(node.term)

    return any(_asks_for_metric(term) for term in node.terms)


class _Compiler(Compiler):
    """
    Turns trees into conditions on a row `l` of logged models.

    Args:
        tx: To look up interned words.

        datasets: The points that count are measured on one of these; none is
            any point.
    """

    def __init__(self, tx: Tx, datasets: Sequence[OnDataset]) -> None:
        super().__init__(tx)
        choices = [self._on(dataset) for dataset in datasets]
        self._scope = f" AND ({' OR '.join(choices)})" if choices else ""

    def models(self, node: Node) -> Clause:
        """Return a condition on `l`."""
        return self._node(node, self._model_term)

    def measured(self) -> Clause:
        """Return the condition that the model has points that count."""
        return Clause(
            "EXISTS (SELECT 1 FROM logged_model_point p "  # noqa: S608  # numbers only
            f"WHERE p.model_id = l.id{self._scope})",
            {},
        )

    def latest(self, field: Field, on: OnDataset | None = None) -> tuple[str, str]:
        """Return whether a metric's latest value is NaN, and the value, as SQL."""
        scope = self._scope + (f" AND {self._on(on)}" if on else "")
        picked = (
            "(SELECT p.{} FROM logged_model_point p WHERE p.model_id = l.id "  # noqa: S608  # numbers only
            f"AND p.key_id = {self.key(field)}{scope} ORDER BY p.step DESC, "
            "p.time_ms DESC, p.value DESC, p.is_nan DESC LIMIT 1)"
        )

        return picked.format("is_nan"), picked.format("value")

    def _on(self, dataset: OnDataset) -> str:
        found = words.find(self._tx, [dataset.name, dataset.digest])
        name = f"p.dataset_id = {found.get(dataset.name, -1)}"
        if not dataset.digest:
            return name

        return f"({name} AND p.digest_id = {found.get(dataset.digest, -1)})"

    def _model_term(self, term: Comparison) -> Clause:
        kind, key = term.field
        if kind is Kind.ATTRIBUTE:
            return self.compare(COLUMNS[key], term.op, _number(key, term.value))
        if kind is Kind.METRIC:
            return self._measured(term)
        there = (
            f"EXISTS (SELECT 1 FROM {LABELS[kind]} m WHERE m.model_id = l.id "  # noqa: S608  # our own text
            f"AND m.key_id = {self.key(term.field)}"
        )
        if term.op in (Op.IS_NULL, Op.IS_NOT_NULL):
            negation = "NOT " if term.op is Op.IS_NULL else ""
            return Clause(f"{negation}{there})", {})
        found = self.compare("m.value", term.op, term.value)

        return Clause(f"{there} AND {found.sql})", found.params)

    def _measured(self, term: Comparison) -> Clause:
        """Compare a metric's latest value: a NaN fulfils `!=`, none fulfils nothing."""
        rank, value = self.latest(term.field)
        found = self.compare(value, term.op, term.value)
        plain = f"COALESCE({rank} = 0 AND {found.sql}, FALSE)"
        if term.op is not Op.UNEQUAL:
            return Clause(plain, found.params)

        return Clause(f"({plain} OR COALESCE({rank} = 1, FALSE))", found.params)


def _number(key: str, value: object) -> object:
    """Turn the word of a status, or an experiment's id, into its number."""
    if isinstance(value, tuple):
        return [_number(key, part) for part in value]
    if key == "status":
        return logged_models.STATUSES.index(ModelStatus(str(value)))

    return int(str(value)) if key == "experiment_id" else value
