"""Prepare stores, start servers, let them take turns."""

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench import fill, peers
from bench.data import Stage
from bench.peers import Peer, Side
from bench.stores import (
    Cluster,
    Database,
    PostgresStore,
    SqliteStore,
    Store,
    postgres,
)
from bench.workload import Bench, Result, Workload, take_turns


Say = Callable[[str], None]
MakeStore = Callable[[Side, Stage], Store]


def measure(
    bench: Bench, database: Database, workloads: Sequence[Workload], say: Say
) -> Iterator[Result]:
    """Measure *workloads* on one database, stage by stage."""
    chosen = [each for each in workloads if database in each.databases]
    with _stores(bench, database, say) as store:
        for stage, group in itertools.groupby(
            chosen, lambda workload: workload.stage(bench.sizes).name
        ):
            say(f"{database}: {stage}")
            yield from _stage(bench, database, list(group), store, say)


@contextlib.contextmanager
def _stores(bench: Bench, database: Database, say: Say) -> Iterator[MakeStore]:
    folder = bench.cache / database
    if database == "sqlite":
        yield lambda side, stage: SqliteStore(folder / store_name(side, stage))
        return
    with postgres(folder) as cluster:
        say(f"PostgreSQL {cluster.version()}")
        yield lambda side, stage: _database(cluster, folder, side, stage)


def _database(cluster: Cluster, folder: Path, side: Side, stage: Stage) -> Store:
    name = store_name(side, stage)

    return PostgresStore(cluster, side, name, folder / name / "artifacts")


def store_name(side: Side, stage: Stage) -> str:
    """Name a store by all that it depends on."""
    parts: list[str] = [side, stage.name]
    if side == "runstone":
        parts.append(fill.source_hash())

    return "_".join(parts)


def _stage(
    bench: Bench,
    database: Database,
    group: list[Workload],
    make_store: MakeStore,
    say: Say,
) -> Iterator[Result]:
    failed: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        started: list[Peer] = []
        stage = group[0].stage(bench.sizes)
        for side in _sides(bench, group):
            try:
                store = make_store(side, stage)
                _prepare(bench, side, store, stage, say)
                say(f"  starting {side}")
                server = peers.serve(side, store, bench.mlflow_python)
                started.append(stack.enter_context(server))
            # One that does not start is a line of the report, not its end.
            except Exception as error:  # noqa: BLE001
                failed[side] = f"{type(error).__name__}: {error}"
                say(f"  {side} failed: {failed[side]}")
        if any("echo" in workload.sides for workload in group):
            started.append(stack.enter_context(peers.echo()))
        for workload in group:
            say(f"  measuring {workload.name}")
            result = Result(workload.name, database)
            result.errors = {
                side: text for side, text in failed.items() if side in workload.sides
            }
            take_turns(workload, started, bench.sizes, result)
            yield result


def _sides(bench: Bench, group: list[Workload]) -> list[Side]:
    sides: tuple[Side, ...] = ("mlflow", "runstone")

    return [
        side
        for side in sides
        if side in bench.sides and any(side in workload.sides for workload in group)
    ]


def _prepare(bench: Bench, side: Side, store: Store, stage: Stage, say: Say) -> None:
    if stage.read_only and store.is_filled():
        return

    say(f"  filling {side}")
    store.clear()
    if side == "mlflow":
        fill.mlflow(store, stage, bench.mlflow_python)
    else:
        with peers.serve(side, store, bench.mlflow_python) as peer:
            fill.runstone(peer, stage)
            peer.settle()
    store.mark_filled()
