"""Tables, with media in their cells."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Final

from runstone.wandb.configs import plain
from runstone.wandb.data_types.media import Keeper, Media, finite
from runstone.wandb.errors import UsageError


PREVIEW_ROWS: Final = 10
"""Rows that stand in the body itself, so that a table is seen before it is fetched."""

Row = list[Any]


class Table(Media):
    """
    Rows of columns.

    Args:
        columns: Names; "Input", "Output" and "Expected" where nothing says others.

        data: Rows, an array [rows, columns], or a DataFrame.

        rows: The same as *data*.

        dataframe: A DataFrame, whose columns become the table's.

        dtype: Taken and unused, as are the next two: cells may hold anything.

        optional: Unused.

        allow_mixed_types: Unused.

        log_mode: Unused: each log of a table keeps the whole of it.
    """

    kind: ClassVar[str] = "table"
    MAX_ROWS: Final = 10_000
    """What W&B shows; here nothing is cut off."""

    def __init__(
        self,
        columns: Sequence[Any] | None = None,
        data: Any = None,
        rows: Any = None,
        dataframe: Any = None,
        dtype: Any = None,
        optional: Any = True,
        allow_mixed_types: bool = False,
        log_mode: str | None = "IMMUTABLE",
    ) -> None:
        given: Any = next((x for x in (dataframe, data, rows) if x is not None), [])
        if hasattr(given, "itertuples"):  # pandas
            columns = columns or list(given.columns)
            given = list(given[list(columns)].itertuples(index=False, name=None))
        elif hasattr(given, "tolist"):  # NumPy
            given = given.tolist()
        width = len(given[0]) if given else 0
        default = ["Input", "Output", "Expected"]
        names = columns or (default if width in (0, 3) else range(width))
        self.columns = [str(name) for name in names]
        self.data: list[Row] = []
        for row in given:
            self.add_data(*row)

    def add_data(self, *data: Any) -> None:
        """
        Add a row.

        Raises:
            UsageError: It has more or fewer cells than the table has columns.
        """
        if len(data) != len(self.columns):
            raise UsageError(
                f"A row has {len(data)} cells, expected one for each of the columns "
                f"{self.columns}"
            )
        self.data.append(list(data))

    def add_row(self, *row: Any) -> None:
        """Add a row."""
        self.add_data(*row)

    def add_column(self, name: str, data: Any, optional: bool = False) -> None:
        """Add a column with its cells."""
        cells = list(data)
        if self.data and len(cells) != len(self.data):
            raise UsageError(
                f"The column {name!r} has {len(cells)} cells, expected one for each "
                f"of the {len(self.data)} rows"
            )
        if not self.data:
            self.data = [[] for _ in cells]
        for row, cell in zip(self.data, cells, strict=True):
            row.append(cell)
        self.columns.append(str(name))

    def add_computed_columns(self, fn: Callable[[int, dict[str, Any]], Any]) -> None:
        """Add the columns that *fn* makes of each row's number and cells."""
        made = [fn(i, dict(zip(self.columns, row))) for i, row in self.iterrows()]  # noqa: B905  # as long as each other
        for name in made[0] if made else ():
            self.add_column(name, [row[name] for row in made])

    def get_column(self, name: str, convert_to: str | None = None) -> Any:
        """Return the cells of a column, as an array for convert_to="numpy"."""
        place = self.columns.index(name)
        cells = [row[place] for row in self.data]
        if convert_to != "numpy":
            return cells
        import numpy as np

        return np.array(cells)

    def get_dataframe(self) -> Any:
        """Return a DataFrame of pandas."""
        import pandas as pd

        return pd.DataFrame(self.data, columns=self.columns)

    def get_index(self) -> list[int]:
        """Return the numbers of the rows."""
        return list(range(len(self.data)))

    def iterrows(self) -> Iterator[tuple[int, Row]]:
        """Yield each row with its number."""
        yield from enumerate(self.data)

    def item(self, keeper: Keeper) -> dict[str, Any]:
        """Return the table's path and its first rows."""
        whole = self.content(keeper)

        return {
            "path": keeper.keep_json(whole, "table"),
            "columns": self.columns,
            "rows": len(self.data),
            "first": whole["data"][:PREVIEW_ROWS],
        }

    def content(self, keeper: Keeper) -> dict[str, Any]:
        """Return columns and cells, media as {"type": …} with their items."""
        rows = [[_cell(cell, keeper) for cell in row] for row in self.data]

        return {"columns": self.columns, "data": finite(rows)}


def _cell(cell: Any, keeper: Keeper) -> Any:
    if isinstance(cell, Media):
        return {"type": cell.kind, "items": [cell.item(keeper)]}
    if isinstance(cell, list) and cell and all(isinstance(c, Media) for c in cell):
        return {"type": cell[0].kind, "items": [one.item(keeper) for one in cell]}

    return plain(cell)
