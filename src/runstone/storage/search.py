"""
Search: a page of runs or experiments, by filter and order.

Pages are keysets: a token holds the sort keys of the last row, so page 1,000
costs what page 1 costs.  A page is found in one of three ways, the first that
fits: from the few runs that one comparison leaves (an index counts them), along
the index of the first sort key, or by sorting what the filter leaves; a few
experiments are searched one by one, since an index is walked in order for one.
"""

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

from runstone import errors, limits
from runstone.model import Experiment, Lifecycle
from runstone.search.grammar import parse_experiments, parse_runs
from runstone.search.order import (
    order_experiments,
    order_runs,
    settle_experiments,
    settle_runs,
)
from runstone.search.tree import Field, Kind, Node, OrderTerm
from runstone.storage import documents, keyset
from runstone.storage import experiments as experiment_rows
from runstone.storage.documents import Document, Whole
from runstone.storage.filters import (
    EXPERIMENT_COLUMNS,
    LABELS,
    RUN_COLUMNS,
    Compiler,
    Driver,
    joined,
)
from runstone.storage.keyset import Key, KeyValue
from runstone.storage.tx import Clause, Row, Tx


WALKS: Final = 20
"""So many experiments are faster searched one by one, each along its index."""

FEW: Final = 2_000
"""So many runs are faster looked at one by one than found along another index."""


class Query(NamedTuple):
    """A search of runs, as it was asked."""

    experiment_ids: tuple[int, ...]
    filter: str | None = None
    order_by: tuple[str, ...] = ()
    lifecycles: tuple[Lifecycle, ...] = (Lifecycle.ACTIVE,)
    limit: int = 1000
    page_token: str | None = None


class Numbers(NamedTuple):
    """A page of runs by their numbers."""

    numbers: list[int]
    next_page_token: str | None


class Documents(NamedTuple):
    """A page of runs as they are sent."""

    bodies: list[bytes]
    made: list[Document]
    """Those that were stale and made anew: worth keeping."""

    next_page_token: str | None


class Experiments(NamedTuple):
    """A page of experiments."""

    experiments: list[Experiment]
    next_page_token: str | None


class Term(NamedTuple):
    """One term of an order: its join, its rank (present, NaN, missing), its value."""

    join: str
    rank: Key | None
    value: Key
    driver: Driver | None
    """What to walk along, if it leads the order; None cannot."""


def run_documents(tx: Tx, query: Query, render: Callable[[Whole], bytes]) -> Documents:
    """
    Return a page of runs in the form that *render* makes of a run.

    Raises:
        BadFilter: The filter or the order does not parse.
        InvalidInput: The token is of another search.
    """
    page = run_numbers(tx, query)
    bodies = documents.fresh(tx, page.numbers)
    stale = [number for number in page.numbers if number not in bodies]
    made = [
        Document(item.run.number, item.version, render(item))
        for item in documents.whole(tx, stale)
    ]
    bodies.update((document.run, document.body) for document in made)

    return Documents(
        [bodies[number] for number in page.numbers], made, page.next_page_token
    )


def run_numbers(tx: Tx, query: Query) -> Numbers:
    """
    Return a page of runs by their numbers, in order.

    Raises:
        BadFilter: The filter or the order does not parse.
        InvalidInput: The token is of another search.
    """
    if len(query.experiment_ids) > limits.SEARCH_EXPERIMENT_IDS:
        raise errors.TooLarge(
            "The list of experiments",
            len(query.experiment_ids),
            limits.SEARCH_EXPERIMENT_IDS,
        )
    search = _RunSearch(tx, query)
    if not query.experiment_ids:
        return Numbers([], None)
    rows = search.rows(query.limit + 1)
    more = len(rows) > query.limit
    rows = rows[: query.limit]

    return Numbers(
        [row[0] for row in rows],
        keyset.token(search.mark, rows[-1][1:]) if more else None,
    )


def experiments(
    tx: Tx,
    filter: str | None,  # noqa: A002  # the word of both wires
    *,
    order_by: Sequence[str] = (),
    lifecycles: tuple[Lifecycle, ...] = (Lifecycle.ACTIVE,),
    limit: int,
    page_token: str | None = None,
) -> Experiments:
    """
    Return a page of experiments.

    Raises:
        BadFilter: The filter or the order does not parse.
        InvalidInput: The token is of another search.
    """
    node = parse_experiments(filter)
    order = settle_experiments(order_experiments(order_by))
    keys = [Key(EXPERIMENT_COLUMNS[term.field.key], term.descending) for term in order]
    mark = keyset.mark("experiments", filter, order_by, lifecycles)
    conditions = [
        Clause("e.lifecycle IN (:lifecycles)", {"lifecycles": list(lifecycles)})
    ]
    if node is not None:
        conditions.append(Compiler(tx).experiments(node))
    if page_token:
        conditions.append(
            keyset.after(keys, keyset.read_token(page_token, mark, len(keys)))
        )
    where = joined(" AND ", conditions)
    rows = tx.all(
        f"SELECT e.id, {keyset.columns(keys)} FROM experiment e WHERE {where.sql} "  # noqa: S608  # compiled, with parameters
        f"ORDER BY {keyset.order(keys)} LIMIT {limit + 1:d}",
        **where.params,
    )
    more = len(rows) > limit
    rows = rows[:limit]

    return Experiments(
        experiment_rows.by_ids(tx, [row[0] for row in rows]),
        keyset.token(mark, rows[-1][1:]) if more else None,
    )


class _RunSearch:
    """One search of runs on its way to rows of (number, sort keys …)."""

    def __init__(self, tx: Tx, query: Query) -> None:
        self._tx = tx
        self._query = query
        self._compiler = Compiler(tx)
        self._node: Node | None = parse_runs(query.filter)
        self._terms = [
            self._term(place, term)
            for place, term in enumerate(settle_runs(order_runs(query.order_by)))
        ]
        self.mark = keyset.mark(
            query.experiment_ids, query.filter, query.order_by, query.lifecycles
        )
        self._keys = [
            key for term in self._terms for key in (term.rank, term.value) if key
        ]
        self._after: list[KeyValue] | None = None
        if query.page_token:
            self._after = keyset.read_token(
                query.page_token, self.mark, len(self._keys)
            )

    def rows(self, limit: int) -> list[Row]:
        """Return the next *limit* rows."""
        if 1 < len(self._query.experiment_ids) <= WALKS:
            return self._merged(limit)
        few = self._few()
        if few is not None:
            return self._from_few(few, limit)
        if self._terms[0].driver is not None:
            return self._along(self._terms[0], self._terms[0].driver, limit)

        return self._select("run r", self._base(), self._keys, self._after, limit)

    def _merged(self, limit: int) -> list[Row]:
        """Search each experiment along its own index, and merge what is found."""
        rows: list[Row] = []
        for number in set(self._query.experiment_ids):
            alone = self._query._replace(experiment_ids=(number,), page_token=None)
            search = _RunSearch(self._tx, alone)
            search._after = self._after
            rows += search.rows(limit)
        # Python compares texts by code points, as every database of ours does.
        for place, key in reversed(list(enumerate(self._keys, start=1))):
            rows.sort(key=itemgetter(place), reverse=key.descending)

        return rows[:limit]

    def _term(self, place: int, order: OrderTerm) -> Term:
        field, descending = order
        if field.kind is Kind.ATTRIBUTE:
            return _attribute_term(field, descending=descending)
        table = "latest" if field.kind is Kind.METRIC else LABELS[field.kind]
        name, number = f"o{place}", self._compiler.key(field)
        join = (
            f" LEFT JOIN {table} {name} ON {name}.run_id = r.id "
            f"AND {name}.key_id = {number}"
        )
        driver = Driver(table, Clause(f"{name}.key_id = {number}", {}))
        if field.kind is Kind.METRIC:
            rank = f"COALESCE({name}.is_nan, 2)"
            value = f"COALESCE({name}.value, 0)"
        else:
            rank = f"CASE WHEN {name}.run_id IS NULL THEN 1 ELSE 0 END"
            value = f"COALESCE({name}.value, '')"

        return Term(join, Key(rank), Key(value, descending), driver)

    def _base(self, run: str = "r.id") -> list[Clause]:
        """Return the conditions that every row must fulfil; *run* is its number."""
        conditions = [
            self._in_experiments("r"),
            Clause(
                "r.lifecycle IN (:lifecycles)",
                {"lifecycles": list(self._query.lifecycles)},
            ),
        ]
        if self._node is not None:
            conditions.append(self._compiler.runs(self._node, run))

        return conditions

    def _in_experiments(self, alias: str) -> Clause:
        ids = self._query.experiment_ids
        if len(ids) == 1:  # an index can only be walked in order for one
            return Clause(f"{alias}.experiment_id = {ids[0]:d}", {})

        return Clause(f"{alias}.experiment_id IN ({', '.join(map(str, ids))})", {})

    def _few(self) -> Clause | None:
        """Return the subquery of a comparison that leaves few runs, if one does."""
        best: tuple[int, Clause] = (FEW + 1, Clause("", {}))
        for driver in self._compiler.drivers(self._node):
            scope = self._in_experiments("m")
            query = (
                f"SELECT m.run_id FROM {driver.table} m "  # noqa: S608  # compiled, with parameters
                f"WHERE {scope.sql} AND {driver.where.sql}"
            )
            row = self._tx.one(
                f"SELECT COUNT(*) FROM ({query} LIMIT {best[0]}) AS found",  # noqa: S608  # compiled, with parameters
                **driver.where.params,
            )
            assert row is not None
            if row[0] < best[0]:
                best = (int(row[0]), Clause(query, driver.where.params))

        return best[1] if best[0] <= FEW else None

    def _from_few(self, few: Clause, limit: int) -> list[Row]:
        found = self._tx.all(few.sql, **few.params)
        numbers = ", ".join(str(row[0]) for row in found) or "NULL"
        only = Clause(f"r.id IN ({numbers})", {})

        return self._select(
            "run r", [only, *self._base()], self._keys, self._after, limit
        )

    def _along(self, term: Term, driver: Driver, limit: int) -> list[Row]:
        """Walk the index of the first sort key: numbers, then NaN, then missing."""
        rows: list[Row] = []
        start = self._start_rank()
        for rank in range(start, self._ranks(driver)):
            after = self._after if self._after and rank == start else None
            rows += self._of_rank(term, driver, rank, after, limit - len(rows))
            if len(rows) >= limit:
                break

        return rows

    def _start_rank(self) -> int:
        if not self._after:
            return 0
        if not isinstance(self._after[0], int):
            raise keyset.bad_token()

        return max(0, self._after[0])

    @staticmethod
    def _ranks(driver: Driver) -> int:
        return 3 if driver.table == "latest" else 2

    def _of_rank(
        self,
        term: Term,
        driver: Driver,
        rank: int,
        after: list[KeyValue] | None,
        limit: int,
    ) -> list[Row]:
        """Return rows that all have the same rank of the first sort key."""
        is_metric = driver.table == "latest"
        run = "o0.run_id"
        fixed = [Key(f"{rank:d}"), Key("0" if is_metric else "''")]
        rest = self._keys[2:]
        if rank == self._ranks(driver) - 1:
            missing = Clause(
                f"NOT EXISTS (SELECT 1 FROM {driver.table} o0 "  # noqa: S608  # our own text
                f"WHERE o0.run_id = r.id AND {driver.where.sql})",
                {},
            )
            source, conditions, run = "run r", [missing], "r.id"
            keys = [*fixed, *rest]
        else:
            source = f"{driver.table} o0 CROSS JOIN run r"
            scope = self._in_experiments("o0")
            conditions = [Clause("r.id = o0.run_id", {}), scope, driver.where]
            keys = [*fixed, *rest]
            if is_metric:
                conditions.append(Clause(f"o0.is_nan = {rank:d}", {}))
            if rank == 0:
                keys[1] = Key("o0.value", term.value.descending)
        led = rank == 0
        compared = keys[1:] if led else keys[2:]
        marks = None if after is None else after[1:] if led else after[2:]
        order: list[Key] = []
        if led and not is_metric:  # the index has only the head of a value
            order = [Key("o0.head", term.value.descending)]
            if marks is not None:
                conditions.append(keyset.from_head(order[0], str(marks[0])))

        return self._select(
            source,
            [*conditions, *self._base(run)],
            keys,
            marks,
            limit,
            compared=compared,
            lead=order,
            joins=self._terms[1:],
        )

    def _select(
        self,
        source: str,
        conditions: list[Clause],
        keys: list[Key],
        after: list[KeyValue] | None,
        limit: int,
        *,
        compared: list[Key] | None = None,
        lead: Sequence[Key] = (),
        joins: Sequence[Term] | None = None,
    ) -> list[Row]:
        compared = keys if compared is None else compared
        if after is not None:
            conditions = [*conditions, keyset.after(compared, after)]
        where = joined(" AND ", conditions)
        joined_tables = "".join(
            term.join for term in (self._terms if joins is None else joins)
        )

        return self._tx.all(
            f"SELECT r.id, {keyset.columns(keys)} FROM {source}{joined_tables} "  # noqa: S608  # compiled, with parameters
            f"WHERE {where.sql} ORDER BY {keyset.order([*lead, *compared])} "
            f"LIMIT {limit:d}",
            **where.params,
        )


def _attribute_term(field: Field, *, descending: bool) -> Term:
    column = RUN_COLUMNS[field.key]
    if column != "r.end_ms":
        return Term("", None, Key(column, descending), None)
    rank = Key("CASE WHEN r.end_ms IS NULL THEN 1 ELSE 0 END")

    return Term("", rank, Key("COALESCE(r.end_ms, 0)", descending), None)


def iterate(tx: Tx, query: Query) -> Iterator[int]:
    """Yield the number of every run that a search finds, page after page."""
    page = run_numbers(tx, query)
    yield from page.numbers
    while page.next_page_token:
        page = run_numbers(tx, query._replace(page_token=page.next_page_token))
        yield from page.numbers
