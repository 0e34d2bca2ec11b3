"""
Webhooks: who wants to hear of what, and each message on its way.

A message is written in the transaction of the change that it tells of, so none is
sent of what was rolled back and none is forgotten of what was committed.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op

from runstone.storage.migrations.columns import Number, text


revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create webhooks, what they listen to, and their messages."""
    op.create_table(
        "webhook",
        sa.Column("id", Number, primary_key=True, autoincrement=True),
        sa.Column("uuid", text(36), nullable=False, unique=True),
        sa.Column("name", text(63), nullable=False),
        sa.Column("url", text(), nullable=False),
        sa.Column("description", text(), nullable=False),
        sa.Column("status", text(16), nullable=False),
        sa.Column("secret", text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "webhook_event",
        sa.Column("event", text(64), primary_key=True),
        sa.Column("webhook_id", Number, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "delivery",
        sa.Column("id", Number, primary_key=True, autoincrement=True),
        sa.Column("uuid", text(36), nullable=False),
        sa.Column("webhook_id", Number, nullable=False),
        sa.Column("event", text(64), nullable=False),
        sa.Column("body", text(), nullable=False),
        sa.Column("status", text(16), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        # When it is to be sent (again); past and done where the status says so.
        sa.Column("due_ms", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.BigInteger, nullable=False),
        sa.Column("response", sa.BigInteger),  # HTTP status of the last try
        sa.Column("error", text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("delivery_by_due", "delivery", ["status", "due_ms"])
    op.create_index("delivery_by_webhook", "delivery", ["webhook_id", "id"])
