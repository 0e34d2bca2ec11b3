"""
Logged models: what runs made, with params, tags and measured points.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

from runstone.storage.migrations.columns import Number, text


revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create models, what is known of them, and their use by runs."""
    models()
    labels()
    points()
    op.create_table(
        "model_input",
        sa.Column("run_id", Number, primary_key=True, autoincrement=False),
        sa.Column("model_id", text(64), primary_key=True),
        sqlite_with_rowid=False,
    )


def models() -> None:
    """Create models; the indexes serve a search and the listing of a run."""
    op.create_table(
        "logged_model",
        sa.Column("id", Number, primary_key=True, autoincrement=True),
        sa.Column("uuid", text(64), nullable=False, unique=True),
        sa.Column("experiment_id", Number, nullable=False),
        sa.Column("lifecycle", text(16), nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),  # MLflow's numbers
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
        # As it was sent: MLflow takes ids of runs that it does not have.
        sa.Column("source_run", text(64), nullable=False),
        sa.Column("name", text(500), nullable=False),
        sa.Column("model_type", text(500), nullable=False),
        sa.Column("artifact_uri", text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "logged_model_by_time",
        "logged_model",
        ["experiment_id", "lifecycle", sa.text("created_ms DESC"), "uuid"],
    )
    op.create_index("logged_model_by_run", "logged_model", ["source_run", "name"])


def labels() -> None:
    """Create params and tags of models."""
    for table in ("logged_model_param", "logged_model_tag"):
        op.create_table(
            table,
            sa.Column("model_id", Number, primary_key=True, autoincrement=False),
            sa.Column("key_id", Number, primary_key=True, autoincrement=False),
            sa.Column("value", text(), nullable=False),
            sqlite_with_rowid=False,
        )


def points() -> None:
    """
    Create the points that runs measured of models.

    They are few beside the points of runs, which keep them too; the key is the
    whole point, so one that is sent twice is kept once.
    """
    op.create_table(
        "logged_model_point",
        sa.Column("model_id", Number, primary_key=True, autoincrement=False),
        sa.Column("key_id", Number, primary_key=True, autoincrement=False),
        sa.Column("step", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("time_ms", sa.BigInteger, primary_key=True, autoincrement=False),
        # NaN is spelled value = 0, is_nan = 1, as in `latest`.
        sa.Column("value", sa.Double, primary_key=True),
        sa.Column("is_nan", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("run_id", Number, primary_key=True, autoincrement=False),
        # Interned words; 0 where there is no dataset.
        sa.Column("dataset_id", Number, primary_key=True, autoincrement=False),
        sa.Column("digest_id", Number, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
