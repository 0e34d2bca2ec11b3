"""
Traces: their spans, tags, metadata, assessments, and what they are linked to.

A span is a row of its own, since spans come one by one and again; what a search
asks for stands in columns, all of it in one text that is sent as it is.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

from runstone.storage.migrations.columns import Number, text


revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create every table of traces."""
    traces()
    pairs()
    spans()
    assessments()
    links()


def traces() -> None:
    """Create traces."""
    op.create_table(
        "trace",
        sa.Column("id", Number, primary_key=True, autoincrement=True),
        sa.Column("uuid", text(100), nullable=False, unique=True),
        sa.Column("experiment_id", Number, nullable=False),
        sa.Column("start_ms", sa.BigInteger, nullable=False),
        sa.Column("duration_ms", sa.BigInteger),
        sa.Column("state", text(32), nullable=False),
        sa.Column("client_request_id", text()),
        sa.Column("request_preview", text()),
        sa.Column("response_preview", text()),
        sqlite_autoincrement=True,  # a number is never given twice
    )
    op.create_index(
        "trace_by_start",
        "trace",
        ["experiment_id", sa.text("start_ms DESC"), "uuid"],
    )


def pairs() -> None:
    """Create tags and metadata: alike, but that metadata are not meant to change."""
    for table in ("trace_tag", "trace_metadata"):
        op.create_table(
            table,
            sa.Column("trace_id", Number, primary_key=True, autoincrement=False),
            sa.Column("key_id", Number, primary_key=True, autoincrement=False),
            sa.Column("experiment_id", Number, nullable=False),
            # The first characters: what every database can index.
            sa.Column("head", text(64), nullable=False),
            sa.Column("value", text(), nullable=False),
            sqlite_with_rowid=False,
        )
        op.create_index(
            f"{table}_by_value",
            table,
            ["experiment_id", "key_id", "head", "trace_id"],
        )


def spans() -> None:
    """Create spans."""
    op.create_table(
        "span",
        sa.Column("trace_id", Number, primary_key=True, autoincrement=False),
        sa.Column("span_id", text(16), primary_key=True),
        sa.Column("parent_id", text(16)),
        sa.Column("name", text(), nullable=False),
        sa.Column("type", text(), nullable=False),
        sa.Column("status", text(8), nullable=False),
        sa.Column("start_ns", sa.BigInteger, nullable=False),
        sa.Column("end_ns", sa.BigInteger),
        # Text and not compressed: a search looks for words in it.
        sa.Column("body", text(), nullable=False),
    )


def assessments() -> None:
    """Create assessments."""
    op.create_table(
        "assessment",
        sa.Column("id", Number, primary_key=True, autoincrement=True),
        sa.Column("trace_id", Number, nullable=False),
        sa.Column("uuid", text(100), nullable=False),
        sa.Column("kind", text(16), nullable=False),
        sa.Column("name", text(250), nullable=False),
        sa.Column("value", text(), nullable=False),  # JSON
        sa.Column("number", sa.Double),  # the value, where it is a number
        sa.Column("error", text()),
        sa.Column("source_type", text(32), nullable=False),
        sa.Column("source_id", text()),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
        sa.Column("span_id", text()),
        sa.Column("rationale", text()),
        sa.Column("overrides", text(100)),
        sa.Column("is_valid", sa.SmallInteger, nullable=False),
        sa.Column("metadata", text(), nullable=False),  # JSON object
        sa.UniqueConstraint("trace_id", "uuid"),
    )


def links() -> None:
    """Create the links of traces to runs and to versions of prompts."""
    op.create_table(
        "trace_run",
        sa.Column("run_id", Number, primary_key=True, autoincrement=False),
        sa.Column("trace_id", Number, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_index("trace_run_by_trace", "trace_run", ["trace_id"])
    op.create_table(
        "trace_prompt",
        sa.Column("trace_id", Number, primary_key=True, autoincrement=False),
        sa.Column("prompt", text(500), primary_key=True),  # "name/version"
        sqlite_with_rowid=False,
    )
    op.create_index("trace_prompt_by_prompt", "trace_prompt", ["prompt", "trace_id"])
