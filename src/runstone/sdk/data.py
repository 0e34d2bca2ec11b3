"""
Datasets as MLflow's `data` module describes them: name, digest, source, schema.

The data itself stays where it is.
"""

import hashlib
import json
from typing import Any

from runstone.entities import Dataset as Record
from runstone.exceptions import INVALID_PARAMETER_VALUE, MlflowException


class Dataset:
    """
    Data that runs read, described.

    Args:
        record: The description.

        data: What was described: a DataFrame, an array.
    """

    def __init__(self, record: Record, data: Any = None) -> None:  # noqa: ANN401  # of any library
        self.record = record
        self.data = data

    @property
    def name(self) -> str:
        """What people call it."""
        return self.record.name

    @property
    def digest(self) -> str:
        """Short sum of its contents."""
        return self.record.digest

    @property
    def source(self) -> str:
        """Where it comes from, as JSON."""
        return self.record.source

    @property
    def schema(self) -> str | None:
        """Its columns and their types, as JSON."""
        return self.record.schema

    @property
    def profile(self) -> str | None:
        """Its size, as JSON."""
        return self.record.profile

    @property
    def df(self) -> Any:  # noqa: ANN401  # of pandas
        """The DataFrame that was described."""
        return self.data


def as_entity(dataset: Any) -> Record:  # noqa: ANN401  # of ours, of MLflow, of users
    """
    Return the description of a dataset.

    Raises:
        MlflowException: It is none.
    """
    if isinstance(dataset, Record):
        return dataset
    if isinstance(dataset, Dataset):
        return dataset.record
    if hasattr(dataset, "to_dict"):
        said = dataset.to_dict()
        fields = ("name", "digest", "source_type", "source", "schema", "profile")
        return Record(**{key: said[key] for key in fields if said.get(key) is not None})

    raise MlflowException(
        f"A dataset is {type(dataset).__name__}; make one with "
        "runstone.data.from_pandas or from_numpy",
        INVALID_PARAMETER_VALUE,
    )


def from_pandas(
    df: Any,  # noqa: ANN401  # of pandas
    source: Any = None,  # noqa: ANN401  # a text, or an object that spells itself
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> Dataset:
    """
    Describe a DataFrame.

    Args:
        df: The data.

        source: Where it comes from: a path or a URL.

        targets: Column of what is to be predicted.

        name: What people call it.

        digest: Sum of its contents; made from all of them by default.

        predictions: Column of what was predicted.
    """
    import pandas as pd

    for column in (targets, predictions):
        if column is not None and column not in df.columns:
            raise MlflowException(
                f"The dataframe has no column {column!r}; it has "
                f"{', '.join(map(str, df.columns[:20]))}",
                INVALID_PARAMETER_VALUE,
            )
    hashed = pd.util.hash_pandas_object(df, index=False).to_numpy().tobytes()
    columns = [
        {"type": str(kind), "name": str(column), "required": True}
        for column, kind in df.dtypes.items()
    ]

    return _described(
        df,
        source,
        name=name,
        digest=digest or _sum(hashed + json.dumps(columns).encode()),
        schema={"mlflow_colspec": columns},
        profile={"num_rows": len(df), "num_elements": int(df.size)},
    )


def from_numpy(
    features: Any,  # noqa: ANN401  # of NumPy
    source: Any = None,  # noqa: ANN401  # a text, or an object that spells itself
    targets: Any = None,  # noqa: ANN401  # of NumPy
    name: str | None = None,
    digest: str | None = None,
) -> Dataset:
    """
    Describe an array.

    Args:
        features: The data.

        source: Where it comes from: a path or a URL.

        targets: What is to be predicted.

        name: What people call it.

        digest: Sum of its contents; made from all of them by default.
    """
    import numpy as np

    parts = [
        np.ascontiguousarray(each) for each in (features, targets) if each is not None
    ]
    spec = [
        {
            "type": "tensor",
            "tensor-spec": {"dtype": str(each.dtype), "shape": each.shape},
        }
        for each in parts
    ]
    profile: dict[str, object] = {"features_shape": parts[0].shape}
    if targets is not None:
        profile["targets_shape"] = parts[1].shape

    return _described(
        features,
        source,
        name=name,
        digest=digest or _sum(b"".join(each.tobytes() for each in parts)),
        schema={"mlflow_tensorspec": spec},
        profile=profile,
    )


def _described(
    data: Any,  # noqa: ANN401  # of any library
    source: Any,  # noqa: ANN401  # a text, or an object that spells itself
    *,
    name: str | None,
    digest: str,
    schema: dict[str, Any],
    profile: dict[str, Any],
) -> Dataset:
    kind, said = "code", json.dumps({"tags": {}})
    if hasattr(source, "to_json"):
        kind, said = (
            str(getattr(source, "_get_source_type", lambda: "code")()),
            source.to_json(),
        )
    elif source is not None:
        kind = "http" if str(source).startswith(("http://", "https://")) else "local"
        said = json.dumps({"url" if kind == "http" else "uri": str(source)})

    return Dataset(
        Record(
            name or "dataset",
            digest,
            kind,
            said,
            json.dumps(schema),
            json.dumps(profile),
        ),
        data,
    )


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]
