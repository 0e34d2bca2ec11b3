"""What is asked of both servers, by name of the recording."""

from tests.wire.scripts import (
    experiments,
    logged_model_search,
    logged_models,
    metrics,
    model_versions,
    registered_models,
    registry_search,
    runs,
    search,
    webhooks,
)


SCRIPTS = {
    **experiments.SCRIPTS,
    **runs.SCRIPTS,
    **metrics.SCRIPTS,
    **search.SCRIPTS,
    **registered_models.SCRIPTS,
    **model_versions.SCRIPTS,
    **registry_search.SCRIPTS,
    **logged_models.SCRIPTS,
    **logged_model_search.SCRIPTS,
    **webhooks.SCRIPTS,
}
