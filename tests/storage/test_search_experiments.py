"""A search of experiments finds what the slow reference finds."""

from hypothesis import given, settings
from hypothesis import strategies as st

from runstone.model import (
    Experiment,
    Lifecycle,
    Tag,
)
from runstone.search.grammar import parse_experiments
from runstone.search.match import Subject, matches
from runstone.search.order import (
    order_experiments,
    settle_experiments,
)
from runstone.search.show import show
from runstone.storage import experiments, search
from runstone.storage.db import Database
from runstone.storage.tx import Tx
from tests.search import trees
from tests.storage.oracle import TEXT_OPS, TEXTS, VIEWS, quoted


EXPERIMENT_TEXTS = (
    st.none()
    | trees.EXPERIMENT_TREES.map(show)
    | st.builds(
        "{} {} {}".format,
        st.sampled_from(["name", "tags.a", "tags.b"]),
        TEXT_OPS,
        TEXTS.filter(lambda text: not text.endswith("\\")).map(quoted),
    )
    | st.sampled_from(["tags.a IS NULL", "NOT tags.b = 'a'", "creation_time > 1"])
)
EXPERIMENT_ORDERS = st.lists(
    st.tuples(
        st.sampled_from(["name", "experiment_id", "creation_time", "last_update_time"]),
        st.sampled_from([" ASC", " DESC"]),
    ).map("".join),
    max_size=2,
    unique_by=lambda term: term.split()[0],
)


@settings(max_examples=60)
@given(
    drawn=st.lists(
        st.tuples(
            TEXTS.filter(bool),
            st.integers(0, 2),
            st.booleans(),
            st.dictionaries(st.sampled_from("ab"), TEXTS),
        ),
        max_size=6,
        unique_by=lambda each: each[0],
    ),
    text=EXPERIMENT_TEXTS,
    order=EXPERIMENT_ORDERS,
    limit=st.integers(1, 7),
    view=VIEWS,
)
def test_a_search_of_experiments_is_the_slow_reference(
    db: Database,
    drawn: list[tuple[str, int, bool, dict[str, str]]],
    text: str | None,
    order: list[str],
    limit: int,
    view: tuple[Lifecycle, ...],
) -> None:
    """The same language, other columns."""
    db.transact(forget_experiments)
    for name, created_ms, deleted, tags in drawn:
        number = db.transact(
            experiments.create,
            name,
            tags=[Tag(*each) for each in tags.items()],
            now_ms=created_ms,
        )
        if deleted:
            db.transact(experiments.delete, number, now_ms=created_ms + 1)

    found: list[int] = []
    token = None
    while True:
        page = db.look(
            search.experiments,
            text,
            order_by=order,
            lifecycles=view,
            limit=limit,
            page_token=token,
        )
        found += [experiment.id for experiment in page.experiments]
        token = page.next_page_token
        if token is None:
            break

    assert found == slow_experiments(db, text, order, view)


def forget_experiments(tx: Tx) -> None:
    """Leave none, so that names are free for the next example."""
    tx.run("DELETE FROM experiment")
    tx.run("DELETE FROM experiment_tag")


def slow_experiments(
    db: Database, text: str | None, order: list[str], view: tuple[Lifecycle, ...]
) -> list[int]:
    """Look at every experiment and sort them."""
    node = parse_experiments(text)
    rows = db.look(lambda tx: tx.all("SELECT id FROM experiment"))
    every = db.look(experiments.by_ids, [row[0] for row in rows])
    found = [
        each for each in every if each.lifecycle in view and matches(node, seen(each))
    ]
    for term in reversed(settle_experiments(order_experiments(order))):
        place = {
            "experiment_id": lambda each: each.id,
            "name": lambda each: each.name,
            "creation_time": lambda each: each.created_ms,
            "last_update_time": lambda each: each.updated_ms,
        }[term.field.key]
        found.sort(key=place, reverse=term.descending)

    return [each.id for each in found]


def seen(experiment: Experiment) -> Subject:
    """Say what a filter sees of an experiment."""
    return Subject(
        attributes={
            "experiment_id": str(experiment.id),
            "name": experiment.name,
            "creation_time": experiment.created_ms,
            "last_update_time": experiment.updated_ms,
        },
        tags={tag.key: tag.value for tag in experiment.tags},
    )
