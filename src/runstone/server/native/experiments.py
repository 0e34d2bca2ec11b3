"""Experiments on our own wire."""

from runstone.server.http import Reply, Request, Right, Route, reply
from runstone.server.native.messages import ExperimentList, ExperimentMessage
from runstone.server.state import database
from runstone.storage import experiments


async def find(request: Request) -> Reply:
    """Return the live experiments with counts of their runs."""
    counted = await database(request).read(experiments.counted)

    return reply(
        ExperimentList(
            [
                ExperimentMessage(
                    str(item.experiment.id),
                    item.experiment.name,
                    item.experiment.lifecycle,
                    item.experiment.created_ms,
                    item.experiment.updated_ms,
                    item.runs,
                    item.running,
                    item.last_start_ms,
                )
                for item in counted
            ]
        )
    )


routes = [Route("GET", "experiments", find, Right.READ)]
