"""`/api/v1`: our own wire, for our UI and our SDK.  Columns in, columns out."""

from runstone.server.http import Route
from runstone.server.native import (
    console,
    experiments,
    journals,
    live,
    logged_models,
    media,
    models,
    openapi,
    runs,
    series,
    webhooks,
)


def routes() -> list[Route]:
    """Return every route of our own wire."""
    below = [
        *experiments.routes,
        *runs.routes,
        *series.routes,
        *journals.routes,
        *media.routes,
        *models.routes,
        *logged_models.routes,
        *webhooks.routes,
        *console.routes,
        *live.routes,
        *openapi.routes,
    ]

    return [route._replace(path="/api/v1/" + route.path) for route in below]
