"""
Consoles: what the processes of a run wrote; how far a run is compacted.

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op

from runstone.storage.migrations.columns import Bytes, Number


revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the table of consoles; let a live stream see what it has missed."""
    op.create_table(
        "console",
        sa.Column("run_id", Number, primary_key=True, autoincrement=False),
        # Number of its first line, from 1; a gap before it is what was dropped.
        sa.Column("first", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("lines_count", sa.BigInteger, nullable=False),
        # Where it lies in all that was ever said, in bytes of text.
        sa.Column("start_bytes", sa.BigInteger, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("is_packed", sa.SmallInteger, nullable=False),
        sa.Column("body", Bytes, nullable=False),  # JSON, compressed where packed
    )
    op.create_index("console_by_state", "console", ["is_packed", "run_id"])
    # The newest block that went into chunks: who has seen less has missed points.
    op.add_column(
        "run",
        sa.Column(
            "compacted_version", sa.BigInteger, nullable=False, server_default="0"
        ),
    )
    op.create_index("run_by_status", "run", ["experiment_id", "status", "id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE console ALTER COLUMN body SET STORAGE EXTERNAL")
