"""What a run became on the server, asked for through W&B's names."""

from typing import Any

from runstone.wandb import asking
from runstone.wandb.apis import Api, Run
from runstone.wandb.live import Run as Live


def told(run: Live) -> Run:
    """Return a run as the server has it by now."""
    return Api().run(f"{run.project}/{run.id}")


def points(run: Live, key: str) -> list[tuple[int, float]]:
    """Return step and value of each point of a metric."""
    number = asking.number(f"{run.project}/{run.id}")

    return [(point.step, point.value) for point in asking.series(number, key)]


def items(run: Live, key: str) -> list[dict[str, Any]]:
    """Return the items of the last media of a key."""
    number = asking.number(f"{run.project}/{run.id}")
    bodies = [one["body"] for one in asking.media(number) if one["key"] == key]
    found: list[dict[str, Any]] = bodies[-1]["items"]

    return found
