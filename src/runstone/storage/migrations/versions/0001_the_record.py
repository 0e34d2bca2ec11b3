"""
The record: experiments, runs, params, tags, series, datasets.

Every hot table leads with the run's number, so that a run's rows lie together
and a distributed database can shard by run.  Keys of metrics, params and tags
are interned, so indexes carry small integers.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

from runstone.storage.migrations.columns import Bytes, Number, text


revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    words()
    experiments()
    runs()
    labels()
    series()
    datasets()
    keep_bytes_as_they_are()


def words() -> None:
    """Create the table of interned keys."""
    op.create_table(
        "word",
        sa.Column("id", Number, primary_key=True, autoincrement=True),
        sa.Column("name", text(500), nullable=False, unique=True),
    )


def experiments() -> None:
    """Create experiments, their tags, and the experiment that is always there."""
    table = op.create_table(
        "experiment",
        sa.Column("id", Number, primary_key=True, autoincrement=True),
        sa.Column("name", text(500), nullable=False, unique=True),
        sa.Column("artifact_location", text(), nullable=False),
        sa.Column("lifecycle", text(16), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,  # a number is never given twice
    )
    op.create_table(
        "experiment_tag",
        sa.Column("experiment_id", Number, primary_key=True, autoincrement=False),
        sa.Column("name", text(250), primary_key=True),
        sa.Column("value", text(), nullable=False),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name in ("mysql", "mariadb"):
        op.execute(
            "SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')"
        )
    # MLflow's clients take for granted that experiment 0 is there.  Its place
    # for artifacts is filled in by the first server.
    op.bulk_insert(
        table,
        [
            {
                "id": 0,
                "name": "Default",
                "artifact_location": "",
                "lifecycle": "active",
                "created_ms": 0,
                "updated_ms": 0,
            }
        ],
    )


def runs() -> None:
    """Create runs and their prepared documents."""
    op.create_table(
        "run",
        sa.Column("id", Number, primary_key=True, autoincrement=True),
        sa.Column("uuid", text(32), nullable=False, unique=True),
        sa.Column("experiment_id", Number, nullable=False),
        sa.Column("lifecycle", text(16), nullable=False),
        sa.Column("start_ms", sa.BigInteger, nullable=False),
        sa.Column("end_ms", sa.BigInteger),
        sa.Column("deleted_ms", sa.BigInteger),
        sa.Column("status", text(16), nullable=False),
        # Grows with every write to the run: a document made from version n is
        # good for as long as the run is at version n.
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("name", text(), nullable=False),
        sa.Column("user_name", text(), nullable=False),
        sa.Column("artifact_uri", text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "run_by_start",
        "run",
        ["experiment_id", "lifecycle", sa.text("start_ms DESC"), "uuid"],
    )
    op.create_table(
        "run_document",
        sa.Column("run_id", Number, primary_key=True, autoincrement=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("body", Bytes, nullable=False),
    )


def labels() -> None:
    """Create params and tags: alike, but that params are written once."""
    for table in ("param", "tag"):
        op.create_table(
            table,
            sa.Column("run_id", Number, primary_key=True, autoincrement=False),
            sa.Column("key_id", Number, primary_key=True, autoincrement=False),
            sa.Column("experiment_id", Number, nullable=False),
            # The first characters: what every database can index.
            sa.Column("head", text(64), nullable=False),
            sa.Column("value", text(), nullable=False),
            sqlite_with_rowid=False,
        )
        op.create_index(
            f"{table}_by_value", table, ["experiment_id", "key_id", "head", "run_id"]
        )


def series() -> None:
    """Create the series store: latest values, fresh blocks, sorted chunks."""
    op.create_table(
        "latest",
        sa.Column("run_id", Number, primary_key=True, autoincrement=False),
        sa.Column("key_id", Number, primary_key=True, autoincrement=False),
        sa.Column("experiment_id", Number, nullable=False),
        sa.Column("step", sa.BigInteger, nullable=False),
        sa.Column("time_ms", sa.BigInteger, nullable=False),
        # NaN is spelled value = 0, is_nan = 1: SQLite and MySQL cannot store one.
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("is_nan", sa.SmallInteger, nullable=False),
        # Least and greatest value that is a number; NULL where there is none.
        sa.Column("low", sa.Double),
        sa.Column("high", sa.Double),
        # Points sent; exact after compaction has dropped what came twice.
        sa.Column("points", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "latest_by_value",
        "latest",
        ["experiment_id", "key_id", "is_nan", "value", "run_id"],
    )
    # Named by the version that the run got with it, so that it needs no number
    # and no index of its own.
    op.create_table(
        "block",
        sa.Column("run_id", Number, primary_key=True, autoincrement=False),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("body", Bytes, nullable=False),
        sqlite_with_rowid=False,
    )
    # The short series of a run together: a chunk for each would be mostly frame.
    op.create_table(
        "rest",
        sa.Column("run_id", Number, primary_key=True, autoincrement=False),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("body", Bytes, nullable=False),
    )
    op.create_table(
        "chunk",
        sa.Column("id", Number, primary_key=True, autoincrement=True),
        sa.Column("run_id", Number, nullable=False),
        sa.Column("key_id", Number, nullable=False),
        sa.Column("first_step", sa.BigInteger, nullable=False),
        sa.Column("first_time_ms", sa.BigInteger, nullable=False),
        sa.Column("last_step", sa.BigInteger, nullable=False),
        sa.Column("last_time_ms", sa.BigInteger, nullable=False),
        sa.Column("is_timely", sa.SmallInteger, nullable=False),
        sa.Column("points", sa.BigInteger, nullable=False),
        # Before the body, so that a chart of millions never reads a body.
        sa.Column("pyramid", Bytes, nullable=False),
        sa.Column("body", Bytes, nullable=False),
    )
    op.create_index("chunk_by_series", "chunk", ["run_id", "key_id", "first_step"])


def datasets() -> None:
    """Create datasets, their use by runs, and the models that runs made."""
    op.create_table(
        "dataset",
        sa.Column("id", Number, primary_key=True, autoincrement=True),
        sa.Column("experiment_id", Number, nullable=False),
        sa.Column("name", text(500), nullable=False),
        sa.Column("digest", text(64), nullable=False),
        sa.Column("source_type", text(), nullable=False),
        sa.Column("source", text(), nullable=False),
        sa.Column("dataset_schema", text()),
        sa.Column("profile", text()),
        sa.UniqueConstraint("experiment_id", "name", "digest"),
    )
    op.create_table(
        "input",
        sa.Column("run_id", Number, primary_key=True, autoincrement=False),
        sa.Column("dataset_id", Number, primary_key=True, autoincrement=False),
        sa.Column("context", text()),  # what it was used for
        sa.Column("tags", text(), nullable=False),  # JSON object, with the context
        sqlite_with_rowid=False,
    )
    op.create_index("input_by_dataset", "input", ["dataset_id", "run_id"])
    op.create_table(
        "output",
        sa.Column("run_id", Number, primary_key=True, autoincrement=False),
        sa.Column("model_id", text(64), primary_key=True),
        sa.Column("step", sa.BigInteger, primary_key=True),
        sqlite_with_rowid=False,
    )


def keep_bytes_as_they_are() -> None:
    """Spare PostgreSQL the compression of what is compressed or soon gone."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, column in (
        ("block", "body"),
        ("rest", "body"),
        ("chunk", "body"),
        ("chunk", "pyramid"),
        ("run_document", "body"),
    ):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")
