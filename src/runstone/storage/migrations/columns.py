"""Kinds of columns that mean the same on every database."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql


# SQLite gives a number by itself only to an INTEGER PRIMARY KEY.
Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Bytes = sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")

INDEXED_CHARS = 768
"""Longest text that MySQL can index."""


def text(chars: int | None = None) -> sa.types.TypeEngine[str]:
    """Text compared by its code points on every database, case and blanks kept."""
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        return sa.String(chars, collation="C") if chars else sa.Text(collation="C")
    if bind.dialect.name in ("mysql", "mariadb"):
        collation = (
            "utf8mb4_nopad_bin"
            if getattr(bind.dialect, "is_mariadb", False)
            else "utf8mb4_0900_bin"
        )
        if chars and chars <= INDEXED_CHARS:
            return mysql.VARCHAR(chars, charset="utf8mb4", collation=collation)
        return mysql.LONGTEXT(charset="utf8mb4", collation=collation)
    return sa.String(chars) if chars else sa.Text()
