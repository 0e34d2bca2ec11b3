"""
Fill a store with the runs of a stage.

MLflow's tables are filled by SQL, as its API would take hours; Runstone is
filled through its API, like any client would, and on PostgreSQL by the rows of
a SQLite store that was filled so: they have one schema.
"""

import hashlib
import itertools
import sqlite3
import subprocess
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import psycopg

from bench import client, data, peers
from bench.data import Registry, Run, Stage
from bench.stores import PostgresStore, SqliteStore, Store


Row = tuple[object, ...]

CLIENTS = 8
BATCH = 1000
ROWS = 50_000

COLUMNS = {
    "experiments": (
        "experiment_id, name, artifact_location, lifecycle_stage, creation_time,"
        " last_update_time, workspace"
    ),
    "runs": (
        "run_uuid, name, source_type, source_name, entry_point_name, user_id, status,"
        " start_time, end_time, source_version, lifecycle_stage, artifact_uri,"
        " experiment_id"
    ),
    "params": "key, value, run_uuid",
    "tags": "key, value, run_uuid",
    "metrics": "key, value, timestamp, run_uuid, step, is_nan",
    "latest_metrics": "key, value, timestamp, step, is_nan, run_uuid",
    "registered_models": "name, creation_time, last_updated_time, workspace",
    "model_versions": (
        "name, version, creation_time, last_updated_time, current_stage, source,"
        " status, workspace"
    ),
    "registered_model_aliases": "name, alias, version, workspace",
}

INITIALIZE = """
import sys, sqlalchemy
from mlflow.store.db.utils import _initialize_tables
_initialize_tables(sqlalchemy.create_engine(sys.argv[1]))
"""


def mlflow(store: Store, stage: Stage, python: Path) -> None:
    """Make MLflow's tables and write the runs of *stage* into them."""
    made = subprocess.run(
        [str(python), "-c", INITIALIZE, store.uri],
        check=False,
        capture_output=True,
        text=True,
        env=peers.environment("mlflow"),
    )
    if made.returncode:
        raise peers.NotStarted(f"MLflow made no tables: {made.stderr[-300:]}")

    match store:
        case SqliteStore():
            _fill_sqlite(store, stage)
        case PostgresStore():
            _fill_postgres(store, stage)
        case _:
            raise TypeError(store)


def _fill_sqlite(store: SqliteStore, stage: Stage) -> None:
    connection = sqlite3.connect(store.path)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -500000")
    for table, rows in _tables_of(stage):
        marks = ", ".join("?" for _ in COLUMNS[table].split(","))
        connection.executemany(
            f"INSERT INTO {table} ({COLUMNS[table]}) VALUES ({marks})", rows
        )
    # No ANALYZE: MLflow never does one, and its filters are ten times faster after
    # it, so a file that grew by logging would not look like that.
    connection.commit()
    connection.close()


def _fill_postgres(store: PostgresStore, stage: Stage) -> None:
    with psycopg.connect(store.dsn) as connection, connection.cursor() as cursor:
        for table, rows in _tables_of(stage):
            statement = f"COPY {table} ({COLUMNS[table]}) FROM STDIN"
            with cursor.copy(statement.encode()) as copy:
                for row in rows:
                    copy.write_row(row)


def tables(runs: Iterable[Run]) -> Iterator[tuple[str, Iterable[Row]]]:
    """Turn runs into rows of MLflow's tables, parents before children."""
    source = iter(runs)
    experiments = {"Default": 0}
    yield "experiments", [_experiment("Default", 0)]
    # A few runs at a time: a stage may hold millions of points.
    while some := list(itertools.islice(source, 5_000)):
        new = {run.experiment for run in some} - experiments.keys()
        for name in sorted(new):
            experiments[name] = len(experiments)
            yield "experiments", [_experiment(name, experiments[name])]
        ids = [uuid.uuid5(uuid.NAMESPACE_OID, str(run[:3])).hex for run in some]
        named = list(zip(ids, some, strict=True))
        yield (
            "runs",
            (_run(id_, run, experiments[run.experiment]) for id_, run in named),
        )
        yield "params", ((k, v, id_) for id_, r in named for k, v in r.params.items())
        yield "tags", ((k, v, id_) for id_, r in named for k, v in _tags(r).items())
        yield "metrics", (row for id_, run in named for row in _points(id_, run))
        yield "latest_metrics", (row for id_, run in named for row in _latest(id_, run))


def _tables_of(stage: Stage) -> Iterator[tuple[str, Iterable[Row]]]:
    yield from tables(stage.runs())
    if stage.registry:
        yield from _registry_tables(stage.registry)


def _registry_tables(registry: Registry) -> Iterator[tuple[str, Iterable[Row]]]:
    """Turn models into rows of MLflow's tables."""
    models = range(registry.models)
    names = list(map(data.model_name, models))
    yield "registered_models", ((name, 0, 0, "default") for name in names)
    yield (
        "model_versions",
        (
            (names[model], version, 0, 0, "None", source, "READY", "default")
            for model in models
            for version in range(1, registry.versions + 1)
            for source in [data.model_source(model, version)]
        ),
    )
    yield (
        "registered_model_aliases",
        (
            (
                names[model],
                "champion",
                data.champion(model, registry.versions),
                "default",
            )
            for model in models
        ),
    )


def _experiment(name: str, number: int) -> Row:
    place = f"mlflow-artifacts:/{number}"

    return number, name, place, "active", 0, 0, "default"


def _run(run_id: str, run: Run, experiment: int) -> Row:
    place = f"mlflow-artifacts:/{experiment}/{run_id}/artifacts"

    return (
        *(run_id, run.name, "UNKNOWN", "", "", "bench", "FINISHED"),
        *(run.start_ms, run.end_ms, "", "active", place, experiment),
    )


def _tags(run: Run) -> dict[str, str]:
    return run.tags | {"mlflow.runName": run.name}


def _points(run_id: str, run: Run) -> Iterator[Row]:
    for key, values in run.series.items():
        for step, value in enumerate(values.tolist()):
            yield key, value, run.start_ms + step, run_id, step, False


def _latest(run_id: str, run: Run) -> Iterator[Row]:
    for key, values in run.series.items():
        step = len(values) - 1
        yield key, float(values[-1]), run.start_ms + step, step, False, run_id


def runstone(peer: peers.Peer, stage: Stage) -> None:
    """Send the runs of *stage* through the API, by eight clients at once."""
    source = stage.runs()
    experiments: dict[str, str] = {}

    def upload() -> client.Conversation:
        # The clients share one source: each takes the next run that is left.
        for run in source:
            if run.experiment not in experiments:
                experiments[run.experiment] = peer.experiment_id(run.experiment)
            yield from conversation(run, experiments[run.experiment])

    def safely() -> client.Conversation:
        yield client.request("GET", "/health")
        yield from upload()

    client.together(peer.port, [safely() for _ in range(CLIENTS)])
    if stage.registry:
        register(peer, stage.registry)


def copied(source: SqliteStore, target: PostgresStore, python: Path) -> None:
    """Put the rows of one store of Runstone into another, which is empty."""
    with peers.serve("runstone", target, python):
        pass  # It makes the tables.
    reading = sqlite3.connect(source.path)
    with psycopg.connect(target.dsn) as writing:
        found = reading.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
            " AND name NOT LIKE 'sqlite%' AND name <> 'alembic_version'"
        ).fetchall()
        for (table,) in found:
            _copy(reading, writing, table)
    reading.close()


def _copy(
    reading: sqlite3.Connection,
    writing: psycopg.Connection[tuple[object, ...]],
    table: str,
) -> None:
    rows = reading.execute(f"SELECT * FROM {table}")
    names = ", ".join(column[0] for column in rows.description)
    writing.execute(f"TRUNCATE {table}".encode())
    with (
        writing.cursor() as cursor,
        cursor.copy(f"COPY {table} ({names}) FROM STDIN".encode()) as copy,
    ):
        for row in rows:
            copy.write_row(row)
    numbered = writing.execute(
        "SELECT pg_get_serial_sequence(table_name, column_name)"
        " FROM information_schema.columns WHERE table_name = %s"
        " AND column_name = 'id' AND table_schema = 'public'",
        [table],
    ).fetchone()
    if numbered and numbered[0]:
        writing.execute(
            f"SELECT setval('{numbered[0]}', MAX(id)) FROM {table}".encode()
        )


def register(peer: peers.Peer, registry: Registry) -> None:
    """Register models through the API, by eight clients at once."""
    source = iter(range(registry.models))

    def upload() -> client.Conversation:
        yield client.request("GET", "/health")
        for model in source:
            yield from _registration(model, registry.versions)

    client.together(peer.port, [upload() for _ in range(CLIENTS)])


def _registration(model: int, versions: int) -> client.Conversation:
    name = data.model_name(model)
    yield post("/registered-models/create", {"name": name})
    for version in range(1, versions + 1):
        source = data.model_source(model, version)
        yield post("/model-versions/create", {"name": name, "source": source})
    champion = str(data.champion(model, versions))
    yield post(
        "/registered-models/alias",
        {"name": name, "alias": "champion", "version": champion},
    )


def conversation(run: Run, experiment_id: str) -> client.Conversation:
    """Create a run, log everything it holds, finish it."""
    created = yield post(
        "/runs/create",
        {
            "experiment_id": experiment_id,
            "run_name": run.name,
            "start_time": run.start_ms,
            "tags": pairs(run.tags),
        },
    )
    run_id = msgspec.json.decode(created, type=peers.RunAnswer).run.info.run_id
    params = pairs(run.params)
    for some in batches(run):
        yield post(
            "/runs/log-batch", {"run_id": run_id, "params": params, "metrics": some}
        )
        params = []
    yield post(
        "/runs/update",
        {"run_id": run_id, "status": "FINISHED", "end_time": run.end_ms},
    )


def batches(run: Run) -> Iterator[list[dict[str, object]]]:
    """Cut a run's points into lists that one log-batch takes."""
    points = (
        {"key": key, "value": value, "timestamp": run.start_ms + step, "step": step}
        for key, values in run.series.items()
        for first in range(0, len(values), ROWS)
        for step, value in enumerate(values[first : first + ROWS].tolist(), first)
    )
    size = BATCH - len(run.params)
    while some := list(itertools.islice(points, size)):
        yield some
        size = BATCH


def pairs(items: dict[str, str]) -> list[dict[str, str]]:
    """Spell params or tags as MLflow's API does."""
    return [{"key": key, "value": value} for key, value in items.items()]


def post(path: str, message: object) -> bytes:
    """Encode one call of MLflow's API."""
    return client.request("POST", peers.API + path, msgspec.json.encode(message))


def source_hash() -> str:
    """Name the state of Runstone's storage code: another one fills anew."""
    digest = hashlib.sha256()
    for path in sorted((peers.ROOT / "src/runstone/storage").rglob("*.py")):
        digest.update(path.read_bytes())

    return digest.hexdigest()[:10]
