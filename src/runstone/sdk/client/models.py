"""The model registry, by MLflow's client."""

from collections.abc import Mapping, Sequence
from typing import Any

from runstone.entities import ModelVersion, PagedList, RegisteredModel
from runstone.exceptions import INVALID_PARAMETER_VALUE, MlflowException
from runstone.sdk import reading
from runstone.sdk.client.base import Asking
from runstone.sdk.uris import ModelUri


class Models(Asking):
    """What is asked and said of registered models and their versions."""

    def create_registered_model(
        self,
        name: str,
        tags: Mapping[str, Any] | None = None,
        description: str | None = None,
        deployment_job_id: str | None = None,
    ) -> RegisteredModel:
        """Create a registered model; no other one has its name."""
        return self._model(
            "POST", "create", name=name, tags=_pairs(tags), description=description
        )

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        """Give a registered model another name."""
        return self._model("POST", "rename", name=name, new_name=new_name)

    def update_registered_model(
        self,
        name: str,
        description: str | None = None,
        deployment_job_id: str | None = None,
    ) -> RegisteredModel:
        """Describe a registered model."""
        return self._model("PATCH", "update", name=name, description=description or "")

    def delete_registered_model(self, name: str) -> None:
        """Delete a registered model and its versions."""
        self.ask("DELETE", "registered-models/delete", name=name)

    def get_registered_model(self, name: str) -> RegisteredModel:
        """Return a registered model."""
        return self._model("GET", "get", name=name)

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int = 100,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[RegisteredModel]:
        """Search registered models, one page."""
        found = self.ask(
            "GET",
            "registered-models/search",
            filter=filter_string,
            max_results=max_results,
            order_by=None if order_by is None else list(order_by),
            page_token=page_token,
        )
        shown = [
            reading.registered_model(item)
            for item in found.get("registered_models", ())
        ]

        return PagedList(shown, found.get("next_page_token"))

    def set_registered_model_tag(self, name: str, key: str, value: Any) -> None:
        """Set a tag of a registered model."""
        self.ask(
            "POST", "registered-models/set-tag", name=name, key=key, value=str(value)
        )

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Remove a tag of a registered model."""
        self.ask("DELETE", "registered-models/delete-tag", name=name, key=key)

    def set_registered_model_alias(
        self, name: str, alias: str, version: str | int
    ) -> None:
        """Let an alias point to a version."""
        self.ask(
            "POST",
            "registered-models/alias",
            name=name,
            alias=alias,
            version=str(version),
        )

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """Remove an alias."""
        self.ask("DELETE", "registered-models/alias", name=name, alias=alias)

    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """Return the version that an alias points to."""
        return self._version(
            self.ask("GET", "registered-models/alias", name=name, alias=alias)
        )

    def get_latest_versions(
        self, name: str, stages: Sequence[str] | None = None
    ) -> list[ModelVersion]:
        """Return the newest version of each stage."""
        found = self.ask(
            "POST",
            "registered-models/get-latest-versions",
            name=name,
            stages=None if stages is None else list(stages),
        )

        return [reading.model_version(each) for each in found.get("model_versions", ())]

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: Mapping[str, Any] | None = None,
        run_link: str | None = None,
        description: str | None = None,
        await_creation_for: int = 300,
        model_id: str | None = None,
    ) -> ModelVersion:
        """
        Make what lies at *source* the next version of a registered model.

        Args:
            name: Of the registered model.

            source: Where its files lie, such as the artifact URI of a run.

            run_id: The run that it comes from.

            tags: Labels.

            run_link: Where the run is shown, if elsewhere.

            description: What people should know.

            await_creation_for: Taken for MLflow's sake: a version is ready at once.

            model_id: The logged model that it comes from.
        """
        return self._version(
            self.ask(
                "POST",
                "model-versions/create",
                name=name,
                source=source,
                run_id=run_id,
                tags=_pairs(tags),
                run_link=run_link,
                description=description,
                model_id=model_id,
            )
        )

    def copy_model_version(self, src_model_uri: str, dst_name: str) -> ModelVersion:
        """
        Make a version of one model the next version of another one.

        Args:
            src_model_uri: models:/name/version or models:/name@alias.

            dst_name: The other model, which is created if it is missing.
        """
        origin = self.get_model_version_of(ModelUri.read(src_model_uri))
        try:
            self.create_registered_model(dst_name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

        return self.create_model_version(
            dst_name,
            f"models:/{origin.name}/{origin.version}",
            run_id=origin.run_id or None,
            tags=origin.tags,
            description=origin.description,
        )

    def update_model_version(
        self, name: str, version: str | int, description: str | None = None
    ) -> ModelVersion:
        """Describe a version."""
        return self._version(
            self.ask(
                "PATCH",
                "model-versions/update",
                name=name,
                version=str(version),
                description=description or "",
            )
        )

    def transition_model_version_stage(
        self,
        name: str,
        version: str | int,
        stage: str,
        archive_existing_versions: bool = False,
    ) -> ModelVersion:
        """
        Bring a version to another stage.

        Args:
            name: Of the model.

            version: Its number.

            stage: None, Staging, Production or Archived.

            archive_existing_versions: Whether those that are there go to Archived.
        """
        return self._version(
            self.ask(
                "POST",
                "model-versions/transition-stage",
                name=name,
                version=str(version),
                stage=stage,
                archive_existing_versions=archive_existing_versions,
            )
        )

    def delete_model_version(self, name: str, version: str | int) -> None:
        """Delete a version."""
        self.ask("DELETE", "model-versions/delete", name=name, version=str(version))

    def get_model_version(self, name: str, version: str | int) -> ModelVersion:
        """Return a version."""
        return self._version(
            self.ask("GET", "model-versions/get", name=name, version=str(version))
        )

    def get_model_version_download_uri(self, name: str, version: str | int) -> str:
        """Return where the files of a version lie."""
        found = self.ask(
            "GET", "model-versions/get-download-uri", name=name, version=str(version)
        )

        return str(found["artifact_uri"])

    def get_model_version_stages(self, name: str, version: str | int) -> list[str]:
        """Return the stages that there are."""
        return ["None", "Staging", "Production", "Archived"]

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int = 10_000,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[ModelVersion]:
        """Search versions, such as "name='iris' AND tags.ok='yes'", one page."""
        found = self.ask(
            "GET",
            "model-versions/search",
            filter=filter_string,
            max_results=max_results,
            order_by=None if order_by is None else list(order_by),
            page_token=page_token,
        )
        shown = [
            reading.model_version(each) for each in found.get("model_versions", ())
        ]

        return PagedList(shown, found.get("next_page_token"))

    def set_model_version_tag(
        self,
        name: str,
        version: str | int | None = None,
        key: str | None = None,
        value: Any = None,
        stage: str | None = None,
    ) -> None:
        """Set a tag of a version, or of the newest one of a stage."""
        self.ask(
            "POST",
            "model-versions/set-tag",
            name=name,
            version=self._chosen(name, version, stage),
            key=key,
            value=str(value),
        )

    def delete_model_version_tag(
        self,
        name: str,
        version: str | int | None = None,
        key: str | None = None,
        stage: str | None = None,
    ) -> None:
        """Remove a tag of a version, or of the newest one of a stage."""
        chosen = self._chosen(name, version, stage)
        self.ask(
            "DELETE", "model-versions/delete-tag", name=name, version=chosen, key=key
        )

    def get_model_version_of(self, uri: ModelUri) -> ModelVersion:
        """Return the version that models:/… names."""
        if uri.alias:
            return self.get_model_version_by_alias(uri.name, uri.alias)
        if uri.version:
            return self.get_model_version(uri.name, uri.version)
        stages = [] if uri.stage == "latest" else [uri.stage]
        found = self.get_latest_versions(uri.name, stages)
        if not found:
            raise MlflowException(
                f"No versions of model with name {uri.name!r} and stage "
                f"{uri.stage!r} found",
                INVALID_PARAMETER_VALUE,
            )

        return max(found, key=lambda each: int(each.version))

    def _chosen(self, name: str, version: str | int | None, stage: str | None) -> str:
        if (version is None) == (stage is None):
            raise MlflowException(
                "Exactly one of 'version' and 'stage' must be specified",
                INVALID_PARAMETER_VALUE,
            )
        if stage is not None:
            return self.get_model_version_of(ModelUri(name, stage=stage)).version

        return str(version)

    def _model(self, method: str, verb: str, **fields: object) -> RegisteredModel:
        found = self.ask(method, f"registered-models/{verb}", **fields)

        return reading.registered_model(found["registered_model"])

    def _version(self, found: dict[str, Any]) -> ModelVersion:
        return reading.model_version(found["model_version"])


def _pairs(tags: Mapping[str, Any] | None) -> list[dict[str, str]]:
    return [{"key": key, "value": str(value)} for key, value in (tags or {}).items()]
