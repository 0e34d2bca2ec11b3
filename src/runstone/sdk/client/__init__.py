"""MLflow's client over our SDK: what is said goes through the spool."""

from runstone.sdk.client.experiments import Experiments
from runstone.sdk.client.files import Files
from runstone.sdk.client.models import Models


class MlflowClient(Files, Experiments, Models):
    """
    MLflow's client: runs, experiments, artifacts and the model registry.

    What it adds to runs waits for no server; what it asks shows all that was logged
    before in this process.

    Args:
        tracking_uri: Where the store is; by default where runs go.

        registry_uri: Taken for MLflow's sake; the registry is in the same store.
    """
