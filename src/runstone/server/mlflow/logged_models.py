"""Logged models on MLflow's wire: none can be logged yet, and a search says so."""

import msgspec

from runstone.server.http import Reply, Request, Right, Route, read


class Search(msgspec.Struct):
    """Body of `logged-models/search`; clients ask it when they list artifacts."""

    experiment_ids: list[str] = []


async def search(request: Request) -> Reply:
    """Find no models."""
    await read(request, Search)

    return Reply()


routes = [Route("POST", "mlflow/logged-models/search", search, Right.READ, Search)]
