"""What is asked of both servers, by name of the recording."""

from tests.wire.scripts import (
    experiments,
    metrics,
    model_versions,
    registered_models,
    registry_search,
    runs,
    search,
)


SCRIPTS = {
    **experiments.SCRIPTS,
    **runs.SCRIPTS,
    **metrics.SCRIPTS,
    **search.SCRIPTS,
    **registered_models.SCRIPTS,
    **model_versions.SCRIPTS,
    **registry_search.SCRIPTS,
}
