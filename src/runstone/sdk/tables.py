"""
Tables as artifacts: columns and rows as JSON, as pandas' "split" writes them.

Source: `log_table` in `mlflow/tracking/client.py`, MLflow 3.18.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from runstone.entities import Run
from runstone.exceptions import INVALID_PARAMETER_VALUE, MlflowException
from runstone.sdk import frames


FORBIDDEN: Final = "\"',:[]{}"


class Table(NamedTuple):
    """Columns and rows."""

    columns: list[str]
    rows: list[list[Any]]

    def joined(self, other: "Table") -> "Table":
        """Return this with the rows of another one below it."""
        columns = list(dict.fromkeys([*self.columns, *other.columns]))
        rows = [
            _spread(part.columns, row, columns)
            for part in (self, other)
            for row in part.rows
        ]

        return Table(columns, rows)

    def encoded(self, name: str) -> bytes:
        """Return it as the file that a name says."""
        if name.endswith(".parquet"):
            import pandas as pd

            content = io.BytesIO()
            frame = pd.DataFrame(self.rows, columns=self.columns)
            frame.to_parquet(content, index=False)
            return content.getvalue()
        try:
            return msgspec.json.encode(
                {"columns": self.columns, "data": self.rows}, enc_hook=_plain
            )
        except TypeError as error:
            raise MlflowException(
                "Failed to save the table as the data is not JSON serializable: "
                f"{error}"
            ) from error


def require_name(name: str) -> None:
    """
    Make sure that a table can have this name.

    Raises:
        ValueError: It cannot.
    """
    for char in FORBIDDEN:
        if char in name:
            raise ValueError(f"The artifact_file contains forbidden character: {char}")
    if not name.endswith((".json", ".parquet")):
        raise ValueError(
            f"Invalid artifact file path '{name}'. Please ensure the file you are "
            "trying to log as a table has a file name with either '.json' or "
            "'.parquet' extension."
        )


def table(data: Any, put_image: Callable[[Any], Any]) -> Table:  # noqa: ANN401  # a dict or a DataFrame
    """
    Return a dict of columns, a dict that is one row, or a DataFrame as a table.

    Args:
        data: What was given.

        put_image: Stores an image of a cell and returns what stands there instead.

    Raises:
        MlflowException: It is none of them.
        ValueError: A column has images and other things.
    """
    if isinstance(data, Mapping):
        columns, rows = _of_dict(data)
    elif hasattr(data, "columns") and hasattr(data, "itertuples"):
        columns = list(map(str, data.columns))
        rows = [list(row) for row in data.itertuples(index=False, name=None)]
    else:
        raise MlflowException(
            "data must be a pandas.DataFrame or a dictionary", INVALID_PARAMETER_VALUE
        )
    for place, name in enumerate(columns):
        found = [_is_image(row[place]) for row in rows]
        if any(found) and not all(found):
            raise ValueError(
                f"Column `{name}` contains a mix of images and non-images. Please "
                "ensure that all elements in the column are of the same type."
            )
        if any(found):
            for row in rows:
                row[place] = put_image(row[place])

    return Table(columns, rows)


def read(path: Path) -> Table:
    """Read a table that was stored."""
    if path.suffix == ".parquet":
        import pandas as pd

        return table(pd.read_parquet(path), lambda image: image)
    found = msgspec.json.decode(path.read_bytes())

    return Table(found["columns"], found["data"])


def load(
    runs: Sequence[Run],
    fetch: Callable[[str], Table | None],
    extra_columns: Sequence[str],
) -> Any:  # noqa: ANN401  # a DataFrame, of a library that is loaded where it is wanted
    """
    Return the tables of runs below each other, as a DataFrame.

    Args:
        runs: Runs that have it.

        fetch: Returns the table of a run, or None.

        extra_columns: Columns of `frames.runs` that go beside each row.
    """
    import pandas as pd

    about = frames.runs(runs)
    parts = []
    for place, run in enumerate(runs):
        found = fetch(run.info.run_id)
        part = pd.DataFrame(found.rows, columns=found.columns) if found else None
        if part is None:
            continue
        for column in extra_columns:
            if column not in about.columns:
                raise MlflowException(
                    f"Column {column!r} is none of runs; there are "
                    f"{', '.join(about.columns)}",
                    INVALID_PARAMETER_VALUE,
                )
            kept = f"{column}_" if column in part.columns else column
            part[kept] = [about[column].iloc[place]] * len(part)
        parts.append(part)

    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _of_dict(data: Mapping[str, Any]) -> tuple[list[str], list[list[Any]]]:
    """Return columns and rows; a dict without equally long columns is one row."""
    columns = list(map(str, data))
    values = [_listed(value) for value in data.values()]
    lengths = {len(value) for value in values if value is not None}
    if len(lengths) != 1:
        return columns, [list(data.values())]
    (length,) = lengths
    filled = [
        [given] * length if value is None else value
        for value, given in zip(values, data.values(), strict=True)
    ]

    return columns, [list(row) for row in zip(*filled, strict=True)]


def _listed(value: Any) -> list[Any] | None:  # noqa: ANN401  # a cell or a column
    if isinstance(value, str | bytes | Mapping) or _is_image(value):
        return None
    if hasattr(value, "tolist") and getattr(value, "ndim", True):
        found = value.tolist()
        return found if isinstance(found, list) else None

    return list(value) if isinstance(value, list | tuple | range) else None


def _is_image(value: Any) -> bool:  # noqa: ANN401  # a cell
    return all(hasattr(value, name) for name in ("save", "resize", "size"))


def _spread(columns: list[str], row: list[Any], wanted: list[str]) -> list[Any]:
    found = dict(zip(columns, row, strict=True))

    return [found.get(name) for name in wanted]


def _plain(value: Any) -> Any:  # noqa: ANN401  # a cell
    """Return what JSON has no word for as something that it has one for."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "tolist"):
        return value.tolist()

    raise TypeError(f"a cell is {type(value).__name__}")
