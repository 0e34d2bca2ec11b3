"""MLflow's `client` module."""

from runstone.sdk.client import MlflowClient


__all__ = ["MlflowClient"]
