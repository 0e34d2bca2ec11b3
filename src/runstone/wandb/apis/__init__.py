"""`wandb.Api`: questions about runs, from anywhere."""

from collections.abc import Mapping
from typing import Any

from runstone.sdk.session import session
from runstone.wandb import asking
from runstone.wandb.apis import runs
from runstone.wandb.apis.runs import PAGE_RUNS, Run, Runs
from runstone.wandb.settings import Settings


class Api:
    """
    Questions about runs.

    Args:
        overrides: {"project": …, "entity": …, "base_url": …}: where paths name none.

        timeout: Taken and unused.

        api_key: Unused too.
    """

    def __init__(
        self,
        overrides: Mapping[str, Any] | None = None,
        timeout: int | None = None,
        api_key: str | None = None,
    ) -> None:
        self.settings: dict[str, Any] = {
            "entity": Settings().entity,
            "project": Settings().project,
            "base_url": session.tracking_uri,
            **(overrides or {}),
        }
        if overrides and "base_url" in overrides:
            session.set_tracking_uri(overrides["base_url"])

    @property
    def default_entity(self) -> str:
        """Who runs belong to where nobody says."""
        return str(self.settings["entity"] or "")

    def runs(
        self,
        path: str | None = None,
        filters: Mapping[str, Any] | None = None,
        order: str = "+created_at",
        per_page: int = PAGE_RUNS,
        include_sweeps: bool = True,
        lazy: bool = True,
    ) -> Runs:
        """
        Return the runs of a project.

        Args:
            path: Its name, or "entity/name".

            filters: {"config.lr": {"$gt": 0.01}, "state": "finished", "$or": […]}.

            order: A field with + or -, such as "-summary_metrics.accuracy".

            per_page: Runs in one answer.

            include_sweeps: Taken and unused.

            lazy: Unused too: pages come as they are looked at.

        Raises:
            UsageError: The filter or the order has what there is not.
        """
        return runs.of_project(
            path or self.settings["project"], filters, order, per_page
        )

    def run(self, path: str = "") -> Run:
        """
        Return a run.

        Args:
            path: "entity/project/id", "project/id" or the id.

        Raises:
            CommError: There is none.
        """
        parts = path.strip("/").split("/")
        if len(parts) == 1 and self.settings["project"]:
            parts.insert(0, self.settings["project"])

        return runs.one("/".join(parts))

    def projects(self, entity: str | None = None, per_page: int = 200) -> list[str]:
        """Return the names of all projects."""
        return asking.projects()

    def flush(self) -> None:
        """Do nothing: nothing is remembered from one question to the next."""


__all__ = ["Api", "Run", "Runs"]
