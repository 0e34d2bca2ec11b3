"""The least that a transaction can do."""

from runstone.storage.tx import Tx


def add(tx: Tx, name: str) -> str:
    """Write something that is easy to count."""
    tx.run("INSERT INTO word (name) VALUES (:name)", name=name)

    return name


def names(tx: Tx) -> list[str]:
    """Read what `add` wrote."""
    return [row[0] for row in tx.all("SELECT name FROM word ORDER BY name")]
