"""
The registry: registered models, their versions, aliases, tags, and their history.

A name stands in one row, so a rename touches no version.  The history has no
foreign key and is only ever added to: it outlives what it tells of.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

from runstone.storage.migrations.columns import Number, text


revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create every table of the registry."""
    models()
    versions()
    transitions()


def models() -> None:
    """Create models, their tags and aliases."""
    op.create_table(
        "registered_model",
        sa.Column("id", Number, primary_key=True, autoincrement=True),
        sa.Column("name", text(500), nullable=False, unique=True),
        sa.Column("description", text()),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
        # The newest number given: that of a deleted version never comes again.
        sa.Column("last_version", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,  # the history knows models by this number
    )
    op.create_table(
        "registered_model_tag",
        sa.Column("model_id", Number, primary_key=True, autoincrement=False),
        sa.Column("name", text(250), primary_key=True),
        sa.Column("value", text(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "registered_model_alias",
        sa.Column("model_id", Number, primary_key=True, autoincrement=False),
        sa.Column("alias", text(255), primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def versions() -> None:
    """Create versions and their tags."""
    op.create_table(
        "model_version",
        sa.Column("id", Number, primary_key=True, autoincrement=True),
        sa.Column("model_id", Number, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("stage", text(16), nullable=False),
        sa.Column("run_id", text(250), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
        sa.Column("source", text(), nullable=False),
        # Where the bytes lie; another place than the source for a copy.
        sa.Column("storage_location", text(), nullable=False),
        sa.Column("run_link", text(), nullable=False),
        sa.Column("description", text()),
        sa.UniqueConstraint("model_id", "version"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "model_version_by_stage", "model_version", ["model_id", "stage", "version"]
    )
    op.create_index("model_version_by_run", "model_version", ["run_id"])
    op.create_index("model_version_by_change", "model_version", ["updated_ms"])
    op.create_table(
        "model_version_tag",
        sa.Column("version_id", Number, primary_key=True, autoincrement=False),
        sa.Column("name", text(250), primary_key=True),
        sa.Column("value", text(), nullable=False),
        sqlite_with_rowid=False,
    )


def transitions() -> None:
    """Create the history of aliases and stages."""
    op.create_table(
        "transition",
        sa.Column("id", Number, primary_key=True, autoincrement=True),
        sa.Column("model_id", Number, nullable=False),
        sa.Column("model_name", text(500), nullable=False),  # as it was then
        sa.Column("time_ms", sa.BigInteger, nullable=False),
        sa.Column("kind", text(16), nullable=False),
        # What changed: an alias by its name, a version's stage by its number.
        sa.Column("subject", text(255), nullable=False),
        sa.Column("old", text(500)),
        sa.Column("new", text(500)),
        sa.Column("author", text(), nullable=False),
        sa.Column("why", text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("transition_by_model", "transition", ["model_id", "id"])
    op.create_index("transition_by_name", "transition", ["model_name", "id"])
