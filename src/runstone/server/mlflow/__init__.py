"""MLflow's REST protocol, for unchanged MLflow clients."""

import re

from runstone.server.http import Route
from runstone.server.mlflow import (
    about,
    artifacts,
    datasets,
    experiments,
    logged_models,
    metrics,
    models,
    runs,
    tracing,
    transfers,
    versions,
    webhooks,
)


PREFIXES = ("/api/2.0/", "/api/3.0/", "/ajax-api/2.0/", "/ajax-api/3.0/")
"""Where MLflow serves its endpoints: the first two to clients, the others to pages."""

OTHERS = re.compile(
    r"/(api|ajax-api)/\d\.\d/?(mlflow|mlflow-artifacts|jobs)\b|/graphql|/gateway/|/v1/traces|"
    r"/model-versions/get-artifact|/signup|/metrics$"
)
"""Everything else that MLflow has: refused by name, never by silence."""


def routes() -> list[Route]:
    """Return every route of MLflow's that is built, under each of its prefixes."""
    below = [
        *experiments.routes,
        *runs.routes,
        *metrics.routes,
        *datasets.routes,
        *artifacts.routes,
        *transfers.routes,
        *models.routes,
        *versions.routes,
        *webhooks.routes,
        *logged_models.routes,
        *tracing.routes,
        *about.routes,
    ]
    spread = [
        route._replace(path=prefix + route.path)
        for prefix in PREFIXES
        for route in below
    ]

    at_root = [
        *about.at_root,
        *artifacts.at_root,
        *datasets.at_root,
        *tracing.at_root,
        *versions.at_root,
    ]

    return [*spread, *at_root]


def knows(path: str) -> bool:
    """Say whether MLflow's protocol has something at this path."""
    return OTHERS.match(path) is not None
