"""Runs on our own wire."""

from typing import Annotated

import msgspec

from runstone.server.http import Reply, Request, Right, Route, from_query, reply
from runstone.server.mlflow.messages import experiment_id
from runstone.server.native import messages
from runstone.server.state import database
from runstone.storage import documents, experiments, logged_models, search
from runstone.storage.tx import Tx


class Search(msgspec.Struct):
    """Query of a page of runs."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    page_token: str | None = None
    filter: str | None = None
    order_by: list[str] = []


async def find(request: Request) -> Reply:
    """Return a page of an experiment's live runs, the newest first by default."""
    query = from_query(request.query(), Search)
    asked = search.Query(
        experiment_ids=(experiment_id(request.params["id"]),),
        filter=query.filter,
        order_by=tuple(query.order_by),
        limit=query.limit,
        page_token=query.page_token or None,
    )

    return reply(await database(request).read(_find, asked))


def _find(tx: Tx, asked: search.Query) -> messages.RunList:
    for number in asked.experiment_ids:
        experiments.by_id(tx, number)  # a mistyped address is not an empty experiment
    page = search.run_numbers(tx, asked)
    found = documents.whole(tx, page.numbers)

    return messages.RunList(list(map(messages.run, found)), page.next_page_token)


async def get(request: Request) -> Reply:
    """Return a run with what it read and made."""
    return reply(await database(request).read(_get, request.params["id"]))


def _get(tx: Tx, run_id: str) -> messages.RunDetail:
    whole = documents.by_id(tx, run_id)
    ids = [*whole.model_inputs, *(output.model_id for output in whole.outputs)]

    return messages.run_detail(whole, logged_models.known(tx, ids))


routes = [
    Route("GET", "experiments/{id}/runs", find, Right.READ, Search),
    Route("GET", "runs/{id}", get, Right.READ),
]
