"""
Journals: how far each writer of a run has been heard.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op


revision = "0007"
down_revision = "0001"

Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table of writers."""
    op.create_table(
        "writer",
        sa.Column("run_id", Number, primary_key=True, autoincrement=False),
        # 32 hex digits that a process made for itself.
        sa.Column("uuid", sa.String(32), primary_key=True),
        # Bytes of its journal that are in the record.
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("heard_ms", sa.BigInteger, nullable=False),
        # Whether it said that it ends, so that its silence means nothing.
        sa.Column("is_done", sa.SmallInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("writer_by_silence", "writer", ["is_done", "heard_ms"])
