"""Series on our own wire: columns, thinned for a screen."""

from typing import Annotated

import msgspec
import numpy as np

from runstone import limits
from runstone.server.http import (
    Int64,
    Reply,
    Request,
    Right,
    Route,
    from_query,
    read,
    reply,
)
from runstone.server.native.messages import SeriesMessage
from runstone.server.state import database
from runstone.storage import series


Pixels = Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class Chart(msgspec.Struct):
    """Query of one run's series."""

    key: str
    pixels: Pixels = 1000
    first_step: Int64 | None = None
    last_step: Int64 | None = None
    times: bool = False
    """Whether the points' times are wanted too."""


class Charts(Chart):
    """Body for the series of many runs."""

    run_ids: Annotated[list[str], msgspec.Meta(max_length=limits.CHART_RUNS)] = []


async def one(request: Request) -> Reply:
    """Return one run's series."""
    query = from_query(request.query(), Chart)
    run_id = request.params["id"]
    charts = await _charts(request, query, [run_id])

    return reply(charts[run_id])


async def many(request: Request) -> Reply:
    """Return a series of many runs, by run."""
    body = await read(request, Charts)

    return reply({"series": await _charts(request, body, body.run_ids)})


async def _charts(
    request: Request, query: Chart, run_ids: list[str]
) -> dict[str, SeriesMessage]:
    charts = await database(request).read(
        series.chart,
        run_ids,
        query.key,
        pixels=query.pixels,
        first_step=query.first_step,
        last_step=query.last_step,
    )

    return {
        run_id: _message(query.key, chart, times=query.times)
        for run_id, chart in charts.items()
    }


def _message(key: str, chart: series.Chart, *, times: bool) -> SeriesMessage:
    step, time_ms, value = chart.columns
    values: list[float | None] = value.tolist()
    for place in np.flatnonzero(~np.isfinite(value)).tolist():
        values[place] = None  # uPlot leaves a gap

    return SeriesMessage(
        key,
        chart.exact,
        chart.points,
        step.tolist(),
        values,
        time_ms.tolist() if times else None,
    )


routes = [
    Route("GET", "runs/{id}/series", one, Right.READ, Chart),
    Route("POST", "series", many, Right.READ, Charts),
]
