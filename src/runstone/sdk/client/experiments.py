"""Experiments, by MLflow's client."""

from collections.abc import Mapping, Sequence
from typing import Any

from runstone.entities import Experiment, PagedList, ViewType
from runstone.exceptions import RESOURCE_DOES_NOT_EXIST, MlflowException
from runstone.sdk import checks, reading
from runstone.sdk.client.base import Asking


class Experiments(Asking):
    """What is asked and said of experiments."""

    def create_experiment(
        self,
        name: str,
        artifact_location: str | None = None,
        tags: Mapping[str, Any] | None = None,
    ) -> str:
        """
        Create an experiment and return its id.

        Args:
            name: No other one has it.

            artifact_location: Below which its runs keep their artifacts; the server
                chooses by default.

            tags: Labels.
        """
        labels = checks.tags(tags or {})
        found = self.ask(
            "POST",
            "experiments/create",
            name=checks.experiment_name(name),
            artifact_location=artifact_location,
            tags=[{"key": key, "value": value} for key, value in labels.items()],
        )

        return str(found["experiment_id"])

    def get_experiment(self, experiment_id: str) -> Experiment:
        """Return an experiment by its id."""
        found = self.ask("GET", "experiments/get", experiment_id=str(experiment_id))

        return reading.experiment(found["experiment"])

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """Return an experiment by its name, or None."""
        try:
            found = self.ask("GET", "experiments/get-by-name", experiment_name=name)
        except MlflowException as error:
            if error.error_code == RESOURCE_DOES_NOT_EXIST:
                return None
            raise

        return reading.experiment(found["experiment"])

    def search_experiments(
        self,
        view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int | None = 1000,
        filter_string: str | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Experiment]:
        """
        Search experiments, one page.

        Args:
            view_type: One of `ViewType`.

            max_results: Most of a page.

            filter_string: Such as "name LIKE 'iris%' AND tags.team = 'vision'".

            order_by: Such as ["name ASC"].

            page_token: Of the page before.
        """
        found = self.ask(
            "POST",
            "experiments/search",
            view_type=ViewType.to_string(view_type).upper(),
            max_results=max_results or 1000,
            filter=filter_string,
            order_by=None if order_by is None else list(order_by),
            page_token=page_token,
        )
        shown = [reading.experiment(each) for each in found.get("experiments", ())]

        return PagedList(shown, found.get("next_page_token"))

    def delete_experiment(self, experiment_id: str) -> None:
        """Put an experiment and its runs into the bin."""
        self.ask("POST", "experiments/delete", experiment_id=str(experiment_id))

    def restore_experiment(self, experiment_id: str) -> None:
        """Take an experiment and its runs out of the bin."""
        self.ask("POST", "experiments/restore", experiment_id=str(experiment_id))

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        """Give an experiment another name."""
        self.ask(
            "POST",
            "experiments/update",
            experiment_id=str(experiment_id),
            new_name=checks.experiment_name(new_name),
        )

    def set_experiment_tag(self, experiment_id: str, key: str, value: Any) -> None:
        """Set a tag of an experiment."""
        self.ask(
            "POST",
            "experiments/set-experiment-tag",
            experiment_id=str(experiment_id),
            key=checks.key(key),
            value=str(value),
        )

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Remove a tag of an experiment."""
        self.ask(
            "POST",
            "experiments/delete-experiment-tag",
            experiment_id=str(experiment_id),
            key=key,
        )
