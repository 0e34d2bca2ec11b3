"""Logged models on our own wire."""

from typing import Annotated

import msgspec

from runstone.server.http import Reply, Request, Right, Route, from_query, reply
from runstone.server.mlflow.messages import experiment_id
from runstone.server.native import messages
from runstone.server.state import database
from runstone.storage import experiments, logged_models, logged_search
from runstone.storage.logged_search import OnDataset, OrderBy
from runstone.storage.tx import Tx


class SearchModels(msgspec.Struct):
    """Query of a page of logged models."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    page_token: str | None = None
    filter: str | None = None
    order_by: list[str] = []
    """Each `name`, `metrics.acc` or the like, with DESC behind it or not."""

    dataset: str = ""
    """Only what was measured on the dataset of this name counts."""

    digest: str = ""
    """Which version of the dataset; none is any."""


async def find(request: Request) -> Reply:
    """Return a page of an experiment's logged models, the newest first by default."""
    query = from_query(request.query(), SearchModels)
    asked = logged_search.Query(
        (experiment_id(request.params["id"]),),
        query.filter,
        (OnDataset(query.dataset, query.digest),) if query.dataset else (),
        tuple(map(_order, query.order_by)),
        query.limit,
        query.page_token or None,
    )

    return reply(await database(request).read(_find, asked))


def _find(tx: Tx, asked: logged_search.Query) -> messages.LoggedModelList:
    for number in asked.experiment_ids:
        experiments.by_id(tx, number)  # a mistyped address is not an empty experiment
    page = logged_search.find(tx, asked)

    return messages.LoggedModelList(
        list(map(messages.logged_model, page.models)), page.next_page_token
    )


async def get(request: Request) -> Reply:
    """Return a logged model, deleted or not."""
    model = await database(request).read(
        logged_models.by_id, request.params["id"], allow_deleted=True
    )

    return reply(messages.logged_model(model))


def _order(text: str) -> OrderBy:
    field, _, last = text.strip().rpartition(" ")
    if field and last.upper() in ("ASC", "DESC"):
        return OrderBy(field.rstrip(), descending=last.upper() == "DESC")

    return OrderBy(text.strip())


routes = [
    Route("GET", "experiments/{id}/logged-models", find, Right.READ, SearchModels),
    Route("GET", "logged-models/{id}", get, Right.READ),
]
