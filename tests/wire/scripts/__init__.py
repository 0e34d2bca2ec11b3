"""What is asked of both servers, by name of the recording."""

from tests.wire.scripts import experiments, metrics, runs, search


SCRIPTS = {
    **experiments.SCRIPTS,
    **runs.SCRIPTS,
    **metrics.SCRIPTS,
    **search.SCRIPTS,
}
