"""Models and versions for tests that are about something else."""

from runstone.model import Stage, Tag, Transition
from runstone.storage.registry import models, stages, transitions, versions
from runstone.storage.registry.sources import Source
from runstone.storage.registry.transitions import Note
from runstone.storage.tx import Row, Tx


NOTE = Note(9, "ann", "because")


def model(tx: Tx, name: str, count: int = 0, /, **tags: str) -> None:
    """Create a model with some versions."""
    pairs = [Tag(*pair) for pair in tags.items()]
    models.create(tx, name, tags=pairs, now_ms=1)
    for _ in range(count):
        version(tx, name)


def version(
    tx: Tx, name: str, source: str = "s3://bucket/model", /, **tags: str
) -> int:
    """Add a version and return its number."""
    pairs = [Tag(*pair) for pair in tags.items()]

    return versions.create(
        tx, name, source=Source(source), tags=pairs, now_ms=2
    ).version


def every(tx: Tx, table: str, /) -> list[Row]:
    """Return all rows of a table."""
    return tx.all(f"SELECT * FROM {table}")


def move(tx: Tx, name: str, number: int, stage: Stage) -> None:
    """Move a version to a stage, archiving nothing."""
    stages.move(tx, name, version=number, stage=stage, note=NOTE)


def history(tx: Tx, name: str) -> list[Transition]:
    """Return all that happened to a model, the oldest first."""
    found: list[Transition] = []
    token = None
    while True:
        page = transitions.page(tx, name, limit=3, page_token=token)
        found += page.transitions
        token = page.next_page_token
        if token is None:
            return found[::-1]


def replay(happened: list[Transition]) -> tuple[dict[str, str], dict[str, str]]:
    """Say where aliases and stages are after all this; stage None is left out."""
    places: dict[str, dict[str, str]] = {"alias": {}, "stage": {}, "name": {}}
    for each in happened:
        place = places[each.kind]
        untouched = "None" if each.kind == "stage" else None
        assert place.get(each.subject, untouched) == each.old or each.kind == "name"
        place.pop(each.subject, None)
        if each.new not in (None, "None"):
            place[each.subject] = str(each.new)

    return places["alias"], places["stage"]
