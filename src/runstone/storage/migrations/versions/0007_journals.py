"""
Journals: how far each writer of a run has been heard; media at steps.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op

from runstone.storage.migrations.columns import Bytes, Number, text


revision = "0007"
down_revision = "0005"


def upgrade() -> None:
    """Create the tables of writers and of what is richer than a number."""
    op.create_table(
        "writer",
        sa.Column("run_id", Number, primary_key=True, autoincrement=False),
        # 32 hex digits that a process made for itself.
        sa.Column("uuid", text(32), primary_key=True),
        # Bytes of its journal that are in the record.
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("heard_ms", sa.BigInteger, nullable=False),
        # Whether it said that it ends, so that its silence means nothing.
        sa.Column("is_done", sa.SmallInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "media",
        sa.Column("run_id", Number, primary_key=True, autoincrement=False),
        sa.Column("key_id", Number, primary_key=True, autoincrement=False),
        sa.Column("step", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("time_ms", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("body", Bytes, nullable=False),  # JSON
        sqlite_with_rowid=False,
    )
    op.create_index("writer_by_silence", "writer", ["is_done", "heard_ms"])
