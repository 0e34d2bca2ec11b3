"""URIs of MLflow that name artifacts of runs and versions of models."""

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from runstone.exceptions import INVALID_PARAMETER_VALUE, MlflowException


STAGES = ("None", "Staging", "Production", "Archived", "latest")


class ModelUri(NamedTuple):
    """
    A version of a registered model: models:/name/version, …/stage or …@alias.

    Source: `_parse_model_uri` in `mlflow/store/artifact/utils/models.py`, 3.18.
    """

    name: str
    version: str = ""
    stage: str = ""
    alias: str = ""
    path: str = ""
    """Of a file below it."""

    @staticmethod
    def read(uri: str) -> "ModelUri":
        """
        Read a URI.

        Raises:
            MlflowException: It has another shape.
        """
        scheme, _, rest = uri.partition(":")
        name, _, below = unquote(rest).strip("/").partition("/")
        if scheme != "models" or not name:
            raise _misshapen(uri)
        if "@" in name:
            name, _, alias = name.partition("@")
            return ModelUri(name, alias=alias, path=below)
        suffix, _, path = below.partition("/")
        if suffix.isdecimal():
            return ModelUri(name, version=suffix, path=path)
        stage = next((each for each in STAGES if each.lower() == suffix.lower()), "")
        if not stage:
            raise _misshapen(uri)

        return ModelUri(name, stage=stage, path=path)


class RunUri(NamedTuple):
    """Artifacts of a run: runs:/<run id>/path."""

    run_id: str
    path: str

    @staticmethod
    def read(uri: str) -> "RunUri":
        """
        Read a URI.

        Raises:
            MlflowException: It has another shape.
        """
        run_id, _, path = unquote(urlsplit(uri).path).strip("/").partition("/")
        if not uri.startswith("runs:") or not run_id:
            raise MlflowException(
                f"Not a proper runs:/ URI: {uri}. Runs URIs must be of the form "
                "'runs:/<run_id>/run-relative/path/to/artifact'",
                INVALID_PARAMETER_VALUE,
            )

        return RunUri(run_id, path)


def _misshapen(uri: str) -> MlflowException:
    return MlflowException(
        f"Not a proper models:/ URI: {uri}. Models URIs must be of the form "
        "'models:/model_name/suffix' or 'models:/model_name@alias' where suffix is a "
        "model version, stage, or 'latest'",
        INVALID_PARAMETER_VALUE,
    )
