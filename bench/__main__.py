"""
Measure Runstone beside MLflow.

    python -m bench setup            once: install MLflow into .cache
    python -m bench                  everything; writes bench/RESULTS.md
    python -m bench --quick          small, to see that it runs
    python -m bench --only chart,search-100k --database sqlite
"""

import importlib.metadata
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import click
import msgspec

from bench import (
    artifacts,
    environment,
    floor,
    footprint,
    history,
    page,
    peers,
    registry,
    report,
    runner,
    searching,
    writing,
)
from bench.sizes import FULL, QUICK
from bench.stores import Database
from bench.workload import Bench, Result, Workload


CACHE = peers.ROOT / ".cache"
MLFLOW = CACHE / "bench-mlflow"
RESULTS = Path(__file__).parent / "RESULTS.md"
UNFINISHED = CACHE / "bench" / "RESULTS.md"
"""Where the page of a part, or of a run that was interrupted, goes."""

DATABASES: dict[str, tuple[Database, ...]] = {
    "sqlite": ("sqlite",),
    "postgresql": ("postgresql",),
    "both": ("sqlite", "postgresql"),
}

WORKLOADS = [
    *footprint.WORKLOADS[:2],
    *writing.WORKLOADS[:-2],
    *artifacts.WORKLOADS,
    *registry.WORKLOADS[:2],
    *footprint.WORKLOADS[2:3],
    *writing.WORKLOADS[-2:],
    *history.WORKLOADS,
    *searching.WORKLOADS,
    *registry.WORKLOADS[2:],
    *footprint.WORKLOADS[3:],
]
"""All workloads; neighbours with the same stage share one start of the servers."""

NOTES = [
    "Numbers are medians; in brackets is of how many turns.",
    "Both servers run at once and take turns, so that whatever else the machine does"
    " hits both; the waiting one is idle, and it is waited for until it is.",
    "The first turn is a warm-up and does not count, unless it took more than"
    " 8 seconds.",
    "Eight clients are eight keep-alive connections, each with one request in"
    " flight, driven by one thread with epoll.",
    "The client and the servers share the machine's cores.",
    "MLflow runs with `--workers 1`: with its default of 4, every answer on a"
    " keep-alive connection waits 40 ms (Nagle's algorithm).",
    "The big cases of MLflow are filled by SQL into its tables, those of Runstone"
    " through its API (on PostgreSQL with the rows that SQLite has then).",
    "Bytes on disk are those in use: pages that were freed and wait for the next"
    " points do not count (PostgreSQL: after VACUUM FULL, at both).",
    "MLflow's own client (`log_model`, `load_model`) runs in a process of its own,"
    " the same at both; its imports and its first two calls do not count.",
    "Every answer is checked against what was logged; a wrong one is a failure.",
]


@click.group(invoke_without_command=True)
@click.option("--only", default="", help="Names of workloads, comma-separated.")
@click.option("--quick", is_flag=True, help="Small sizes: to see that it runs.")
@click.option("--database", type=click.Choice(list(DATABASES)), default="both")
@click.option(
    "--mlflow-python",
    type=click.Path(path_type=Path),
    envvar="BENCH_MLFLOW_PYTHON",
    default=MLFLOW / "bin" / "python",
    help="Python of an environment with MLflow (see `setup`).",
)
@click.option("--no-peer", is_flag=True, help="Measure Runstone alone.")
@click.option("--no-runstone", is_flag=True, help="Measure MLflow alone.")
@click.option(
    "--json",
    "json_path",
    type=click.Path(path_type=Path),
    help="Where the results go; what is there stays, unless measured again.",
)
@click.option(
    "--report",
    "report_path",
    type=click.Path(path_type=Path),
    help="Where the page goes; a whole run writes bench/RESULTS.md.",
)
@click.pass_context
def main(  # noqa: PLR0913 - a command line has the options it needs
    context: click.Context,
    *,
    only: str,
    quick: bool,
    database: str,
    mlflow_python: Path,
    no_peer: bool,
    no_runstone: bool,
    json_path: Path | None,
    report_path: Path | None,
) -> None:
    """Measure Runstone beside MLflow."""
    if context.invoked_subcommand:
        return

    sides = ("mlflow",) * (not no_peer) + ("runstone",) * (not no_runstone)
    if not no_peer:
        require(mlflow_python, DATABASES[database])
    bench = Bench(QUICK if quick else FULL, mlflow_python, CACHE / "bench", sides)
    chosen = choose(only)
    busy = load()
    named = versions(bench)
    new: list[Result] = []
    limit: dict[str, str] = {}
    try:
        # What came before an interruption stays in the list.
        new.extend(measure(bench, DATABASES[database], chosen))
        limit = limits(new)
    except KeyboardInterrupt:
        click.echo("interrupted: this is what was measured", err=True)
    shown = report.Page(
        command=" ".join(["python -m bench", *_shown_arguments()]),
        versions=named,
        limits=limit,
        notes=[*NOTES, f"Load average before the start: {busy}; after: {load()}."],
        results=merged(earlier(json_path), new),
    )
    text = report.page(WORKLOADS, shown)
    click.echo(text)
    if json_path:
        json_path.write_bytes(msgspec.json.format(msgspec.json.encode(shown)))
    is_whole = not (quick or only or database != "both" or no_peer or no_runstone)
    if not report_path:
        report_path = RESULTS if is_whole and limit else UNFINISHED
    report_path.parent.mkdir(parents=True, exist_ok=True)
    if report_path.exists():
        text += page.parts(report_path.read_text())
    report_path.write_text(text)
    click.echo(f"written to {report_path}", err=True)


def require(python: Path, databases: tuple[Database, ...]) -> None:
    """Refuse to begin without MLflow, or without its PostgreSQL driver."""
    if not python.exists():
        raise click.UsageError(
            f"no MLflow at {python}; run `python -m bench setup`, name another "
            "with --mlflow-python, or measure Runstone alone with --no-peer"
        )
    if "postgresql" in databases and not environment.has_driver(python):
        raise click.UsageError(
            f"{python} has no psycopg2; install {environment.DRIVER} there, "
            "or take --database sqlite"
        )


def load() -> str:
    """Return the load average: a busy machine makes numbers that mean little."""
    return f"{os.getloadavg()[0]:.1f}"


def earlier(path: Path | None) -> list[Result]:
    """Read the results of an earlier run."""
    if not path or not path.exists():
        return []

    return msgspec.json.decode(path.read_bytes(), type=report.Page).results


def merged(old: list[Result], new: list[Result]) -> list[Result]:
    """Put *new* results in the place of *old* ones, in the order of the workloads."""
    found = {(each.database, each.workload): each for each in [*old, *new]}
    databases = DATABASES["both"]
    keys = [(database, each.name) for database in databases for each in WORKLOADS]

    return [found[key] for key in keys if key in found]


def _shown_arguments() -> list[str]:
    words = iter(sys.argv[1:])
    shown = []
    for word in words:
        if word in {"--mlflow-python", "--json", "--report"}:
            next(words, None)
            continue
        shown.append(word)

    return shown


@main.command()
def setup() -> None:
    """Install MLflow into .cache/bench-mlflow."""
    click.echo(environment.make(MLFLOW))


@main.command("list")
def list_() -> None:
    """Name all workloads."""
    for workload in WORKLOADS:
        click.echo(f"{workload.name:18} {workload.title}")


def choose(only: str) -> list[Workload]:
    """Return the workloads named in *only*, or all."""
    names = [name.strip() for name in only.split(",") if name.strip()]
    known = {workload.name for workload in WORKLOADS}
    if unknown := set(names) - known:
        raise click.UsageError(
            f"no workload {', '.join(sorted(unknown))}; there are "
            f"{', '.join(workload.name for workload in WORKLOADS)}"
        )

    return [each for each in WORKLOADS if not names or each.name in names]


def measure(
    bench: Bench, databases: tuple[Database, ...], workloads: list[Workload]
) -> Iterator[Result]:
    """Measure on each database, telling what goes on."""
    began = time.monotonic()

    def say(text: str) -> None:
        click.echo(f"[{time.monotonic() - began:6.0f} s] {text}", err=True)

    for database in databases:
        for result in runner.measure(bench, database, workloads, say):
            unit = next(w.unit for w in workloads if w.name == result.workload)
            for side in result.values.keys() | result.errors.keys():
                text = report.cell(result, side, unit)
                say(f"    {side}: {text} {result.errors.get(side, '')}")
            yield result


def versions(bench: Bench) -> dict[str, str]:
    """Name what was measured."""
    found = {"Python": environment.own_python()}
    names: tuple[peers.Side, ...] = ("mlflow", "runstone")
    for side in names:
        if side in bench.sides:
            found[side] = footprint.version(side, bench.mlflow_python)
    for package in ("uvicorn", "uvloop", "httptools"):
        found[package] = importlib.metadata.version(package)

    return found


def limits(results: list[Result]) -> dict[str, str]:
    """Measure what the machine can do."""
    echoes = [result.median("echo") for result in results if "echo" in result.values]
    found = (
        {"bare ASGI echo, 1 client": report.amount(max(echoes), "/s")} if echoes else {}
    )

    return found | {
        "SQLite, a row a commit": f"{report.number(floor.sqlite_commits())} rows/s",
        "SQLite, 1,000 rows a commit": (
            f"{report.number(floor.sqlite_batches())} rows/s"
        ),
        "memcpy": f"{report.number(floor.memcpy())} MiB/s",
    }


def _stop(_signal: int, _frame: FrameType | None) -> None:
    # As Ctrl-C: the servers are ended on the way out.
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)
    main()
