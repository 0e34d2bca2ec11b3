"""Runs as a DataFrame; pandas is loaded where one is wanted."""

import math
from collections.abc import Sequence
from typing import Any

from runstone.entities import Run


def runs(found: Sequence[Run]) -> Any:  # noqa: ANN401  # pandas may be absent
    """
    Return runs as a DataFrame, a row each.

    Columns: run_id, experiment_id, status, artifact_uri, start_time and end_time (UTC),
    then metrics.…, params.… and tags.… of any of the runs; what a run lacks is NaN
    among metrics and None elsewhere.

    Source: `_runs_to_pandas` in `mlflow/tracking/fluent.py`, MLflow 3.18.

    Raises:
        ImportError: pandas is not there.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "A DataFrame needs pandas: pip install pandas; or ask for "
            'output_format="list"'
        ) from error

    infos = [run.info for run in found]
    columns: dict[str, Any] = {
        name: [getattr(info, name) for info in infos]
        for name in ("run_id", "experiment_id", "status", "artifact_uri")
    }
    for name in ("start_time", "end_time"):
        times = [getattr(info, name) for info in infos]
        columns[name] = pd.to_datetime(times, unit="ms", utc=True)
    for part, lacking in (("metrics", math.nan), ("params", None), ("tags", None)):
        labels = [getattr(run.data, part) for run in found]
        for key in dict.fromkeys(key for each in labels for key in each):
            columns[f"{part}.{key}"] = [each.get(key, lacking) for each in labels]

    return pd.DataFrame(columns)
