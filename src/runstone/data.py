"""MLflow's `data` module: datasets, described."""

from runstone.sdk.data import Dataset, from_numpy, from_pandas


__all__ = ["Dataset", "from_numpy", "from_pandas"]
