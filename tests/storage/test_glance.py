"""A glance sees what a read sees, wherever it is done."""

import asyncio

import pytest

from runstone import errors
from runstone.storage import experiments
from runstone.storage.db import Database
from runstone.storage.tx import Tx
from tests.factories import new_experiment


def test_a_glance_sees_what_was_written(db: Database) -> None:
    """Also what this very turn of the loop has committed."""

    async def write_and_look() -> list[str]:
        names = []
        for number in range(3):
            made = await db.write(experiments.create, f"e{number}", now_ms=1)
            names.append((await db.glance(experiments.by_id, made)).name)
        return names

    assert asyncio.run(write_and_look()) == ["e0", "e1", "e2"]


def test_a_glance_raises_what_a_read_raises(db: Database) -> None:
    """And what comes after it is not harmed."""

    async def look() -> str:
        with pytest.raises(errors.ExperimentNotFound):
            await db.glance(experiments.by_id, 99)
        with pytest.raises(errors.InvalidInput):
            await db.glance(experiments.by_name, "half \ud800 a sign")
        made = await db.write(experiments.create, "after", now_ms=1)
        return (await db.glance(experiments.by_id, made)).name

    assert asyncio.run(look()) == "after"


def test_a_glance_changes_nothing(db: Database) -> None:
    """It is rolled back, whoever mistakes it for a write."""
    number = new_experiment(db, "kept")

    def spoil(tx: Tx) -> None:
        tx.run("UPDATE experiment SET name = 'spoilt' WHERE id = :id", id=number)

    asyncio.run(db.glance(spoil))

    assert db.look(experiments.by_id, number).name == "kept"


def test_a_closed_database_is_not_glanced_at(db: Database) -> None:
    """The server is stopping: try again elsewhere."""
    db.close()

    with pytest.raises(errors.Unavailable):
        asyncio.run(db.glance(experiments.by_id, 0))
