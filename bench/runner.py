"""Prepare stores, start servers, let them take turns."""

import contextlib
import functools
import itertools
import multiprocessing
import sys
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.queues import SimpleQueue
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
Wait = Callable[[], str]


def measure(
    bench: Bench, database: Database, workloads: Sequence[Workload], say: Say
) -> Iterator[Result]:
    """
    Measure *workloads* on one database, stage by stage.

    Whatever goes wrong, each of them gets a result: one that says what.
    """
    left = [each for each in workloads if database in each.databases]
    stages = [
        list(group)
        for _, group in itertools.groupby(
            left, lambda workload: workload.stage(bench.sizes).name
        )
    ]
    try:
        with _stores(bench, database, say) as store:
            for group in stages:
                say(f"{database}: {group[0].stage(bench.sizes).name}")
                try:
                    for result in _stage(bench, database, group, store, say):
                        left = [w for w in left if w.name != result.workload]
                        yield result
                except Exception as error:  # noqa: BLE001  # the next stage may do better
                    lost = [workload for workload in group if workload in left]
                    left = [workload for workload in left if workload not in lost]
                    yield from _lost(bench, database, lost, error)
    except Exception as error:  # noqa: BLE001  # no database, but perhaps another one
        yield from _lost(bench, database, left, error)


def _lost(
    bench: Bench, database: Database, workloads: list[Workload], error: Exception
) -> Iterator[Result]:
    text = f"{type(error).__name__}: {error}"
    for workload in workloads:
        sides = [side for side in workload.sides if side in {*bench.sides, "echo"}]
        yield Result(workload.name, database, errors=dict.fromkeys(sides, text))


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
    stage = group[0].stage(bench.sizes)
    sides = _sides(bench, group)
    failed = _fill_all(bench, sides, stage, make_store, say)
    with contextlib.ExitStack() as stack:
        started: list[Peer] = []
        for side in sides:
            if side in failed:
                continue
            try:
                say(f"  starting {side}")
                store = make_store(side, stage)
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


def _fill_all(
    bench: Bench, sides: list[Side], stage: Stage, make_store: MakeStore, say: Say
) -> dict[str, str]:
    """Fill the stores that are not filled yet, all at once; return what failed."""
    failed: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        waits: dict[Side, Wait] = {}
        for side in sides:
            act = functools.partial(_fill, bench, side, make_store, stage, say)
            waits[side] = stack.enter_context(_beside(act))
        for side, wait in waits.items():
            if text := wait():
                failed[side] = text
                say(f"  {side} failed: {text}")

    return failed


@contextlib.contextmanager
def _beside(act: Callable[[], None]) -> Iterator[Wait]:
    """Do *act* in a process of its own; what is given waits, and says what failed."""
    # Forked, since a stage holds functions that cannot be sent to another process.
    context = multiprocessing.get_context("fork")
    told = context.SimpleQueue()
    process = context.Process(target=_tell, args=(act, told))
    process.start()

    def wait() -> str:
        process.join()
        if not told.empty():
            return str(told.get())

        return f"ended with {process.exitcode}" if process.exitcode else ""

    try:
        yield wait
    finally:
        process.terminate()
        process.join()


def _tell(act: Callable[[], None], told: "SimpleQueue[str]") -> None:
    try:
        act()
    except Exception as error:  # noqa: BLE001  # it becomes a line of the report
        told.put(f"{type(error).__name__}: {error}")
    except KeyboardInterrupt:
        sys.exit(1)


def _fill(
    bench: Bench, side: Side, make_store: MakeStore, stage: Stage, say: Say
) -> None:
    store = make_store(side, stage)
    if stage.read_only and store.is_filled():
        return

    say(f"  filling {side}")
    store.clear()
    twin = SqliteStore(bench.cache / "sqlite" / store_name(side, stage))
    if side == "mlflow":
        fill.mlflow(store, stage, bench.mlflow_python)
    elif isinstance(store, PostgresStore) and stage.read_only and twin.is_filled():
        fill.copied(twin, store, bench.mlflow_python)
    else:
        with peers.serve(side, store, bench.mlflow_python) as peer:
            fill.runstone(peer, stage)
            peer.settle()
    store.mark_filled()
