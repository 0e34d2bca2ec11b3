"""What is asked of both servers, by name of the recording."""

from tests.wire.scripts import (
    assessments,
    experiments,
    logged_model_search,
    logged_models,
    metrics,
    model_versions,
    registered_models,
    registry_search,
    runs,
    search,
    trace_search,
    traces,
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
    **traces.SCRIPTS,
    **trace_search.SCRIPTS,
    **assessments.SCRIPTS,
}
