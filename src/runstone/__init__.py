"""
Runstone: every run, set in stone.

`import runstone as mlflow` offers MLflow's names.  They are listed here by hand and
loaded when they are used, so that the import costs a training script nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

from runstone._version import __version__


if TYPE_CHECKING:
    from runstone import client as client
    from runstone import data as data
    from runstone import entities as entities
    from runstone import exceptions as exceptions
    from runstone import tracking as tracking
    from runstone import wandb as wandb
    from runstone.exceptions import MlflowException as MlflowException
    from runstone.sdk.capture.seeds import seed_everything as seed_everything
    from runstone.sdk.client import MlflowClient as MlflowClient
    from runstone.sdk.fluent import artifacts as artifacts
    from runstone.sdk.fluent.experiments import create_experiment as create_experiment
    from runstone.sdk.fluent.experiments import delete_experiment as delete_experiment
    from runstone.sdk.fluent.experiments import (
        delete_experiment_tag as delete_experiment_tag,
    )
    from runstone.sdk.fluent.experiments import get_experiment as get_experiment
    from runstone.sdk.fluent.experiments import (
        get_experiment_by_name as get_experiment_by_name,
    )
    from runstone.sdk.fluent.experiments import restore_experiment as restore_experiment
    from runstone.sdk.fluent.experiments import search_experiments as search_experiments
    from runstone.sdk.fluent.experiments import set_experiment as set_experiment
    from runstone.sdk.fluent.experiments import set_experiment_tag as set_experiment_tag
    from runstone.sdk.fluent.experiments import (
        set_experiment_tags as set_experiment_tags,
    )
    from runstone.sdk.fluent.files import get_artifact_uri as get_artifact_uri
    from runstone.sdk.fluent.files import load_table as load_table
    from runstone.sdk.fluent.files import log_artifact as log_artifact
    from runstone.sdk.fluent.files import log_artifacts as log_artifacts
    from runstone.sdk.fluent.files import log_dict as log_dict
    from runstone.sdk.fluent.files import log_figure as log_figure
    from runstone.sdk.fluent.files import log_image as log_image
    from runstone.sdk.fluent.files import log_stream as log_stream
    from runstone.sdk.fluent.files import log_table as log_table
    from runstone.sdk.fluent.files import log_text as log_text
    from runstone.sdk.fluent.models import register_model as register_model
    from runstone.sdk.fluent.models import (
        search_model_versions as search_model_versions,
    )
    from runstone.sdk.fluent.models import (
        search_registered_models as search_registered_models,
    )
    from runstone.sdk.fluent.models import (
        set_model_version_tag as set_model_version_tag,
    )
    from runstone.sdk.fluent.runs import active_run as active_run
    from runstone.sdk.fluent.runs import delete_run as delete_run
    from runstone.sdk.fluent.runs import end_run as end_run
    from runstone.sdk.fluent.runs import get_parent_run as get_parent_run
    from runstone.sdk.fluent.runs import get_run as get_run
    from runstone.sdk.fluent.runs import last_active_run as last_active_run
    from runstone.sdk.fluent.runs import restore_run as restore_run
    from runstone.sdk.fluent.runs import search_runs as search_runs
    from runstone.sdk.fluent.runs import start_run as start_run
    from runstone.sdk.fluent.servers import (
        disable_system_metrics_logging as disable_system_metrics_logging,
    )
    from runstone.sdk.fluent.servers import doctor as doctor
    from runstone.sdk.fluent.servers import (
        enable_system_metrics_logging as enable_system_metrics_logging,
    )
    from runstone.sdk.fluent.servers import (
        flush_artifact_async_logging as flush_artifact_async_logging,
    )
    from runstone.sdk.fluent.servers import flush_async_logging as flush_async_logging
    from runstone.sdk.fluent.servers import get_registry_uri as get_registry_uri
    from runstone.sdk.fluent.servers import get_tracking_uri as get_tracking_uri
    from runstone.sdk.fluent.servers import is_tracking_uri_set as is_tracking_uri_set
    from runstone.sdk.fluent.servers import login as login
    from runstone.sdk.fluent.servers import set_registry_uri as set_registry_uri
    from runstone.sdk.fluent.servers import set_tracking_uri as set_tracking_uri
    from runstone.sdk.fluent.state import ActiveRun as ActiveRun
    from runstone.sdk.fluent.values import delete_tag as delete_tag
    from runstone.sdk.fluent.values import log_input as log_input
    from runstone.sdk.fluent.values import log_inputs as log_inputs
    from runstone.sdk.fluent.values import log_metric as log_metric
    from runstone.sdk.fluent.values import log_metrics as log_metrics
    from runstone.sdk.fluent.values import log_outputs as log_outputs
    from runstone.sdk.fluent.values import log_param as log_param
    from runstone.sdk.fluent.values import log_params as log_params
    from runstone.sdk.fluent.values import set_tag as set_tag
    from runstone.sdk.fluent.values import set_tags as set_tags
    from runstone.sdk.images import Image as Image


__all__ = [
    "ActiveRun",
    "Image",
    "MlflowClient",
    "MlflowException",
    "__version__",
    "active_run",
    "artifacts",
    "client",
    "create_experiment",
    "data",
    "delete_experiment",
    "delete_experiment_tag",
    "delete_run",
    "delete_tag",
    "disable_system_metrics_logging",
    "doctor",
    "enable_system_metrics_logging",
    "end_run",
    "entities",
    "exceptions",
    "flush_artifact_async_logging",
    "flush_async_logging",
    "get_artifact_uri",
    "get_experiment",
    "get_experiment_by_name",
    "get_parent_run",
    "get_registry_uri",
    "get_run",
    "get_tracking_uri",
    "is_tracking_uri_set",
    "last_active_run",
    "load_table",
    "log_artifact",
    "log_artifacts",
    "log_dict",
    "log_figure",
    "log_image",
    "log_input",
    "log_inputs",
    "log_metric",
    "log_metrics",
    "log_outputs",
    "log_param",
    "log_params",
    "log_stream",
    "log_table",
    "log_text",
    "login",
    "register_model",
    "restore_experiment",
    "restore_run",
    "search_experiments",
    "search_model_versions",
    "search_registered_models",
    "search_runs",
    "seed_everything",
    "set_experiment",
    "set_experiment_tag",
    "set_experiment_tags",
    "set_model_version_tag",
    "set_registry_uri",
    "set_tag",
    "set_tags",
    "set_tracking_uri",
    "start_run",
    "tracking",
    "wandb",
]

_PLACES: Final = {
    "runstone.exceptions": ("MlflowException",),
    "runstone.sdk.capture.seeds": ("seed_everything",),
    "runstone.sdk.client": ("MlflowClient",),
    "runstone.sdk.fluent.experiments": (
        "create_experiment",
        "delete_experiment",
        "delete_experiment_tag",
        "get_experiment",
        "get_experiment_by_name",
        "restore_experiment",
        "search_experiments",
        "set_experiment",
        "set_experiment_tag",
        "set_experiment_tags",
    ),
    "runstone.sdk.fluent.files": (
        "get_artifact_uri",
        "load_table",
        "log_artifact",
        "log_artifacts",
        "log_dict",
        "log_figure",
        "log_image",
        "log_stream",
        "log_table",
        "log_text",
    ),
    "runstone.sdk.fluent.models": (
        "register_model",
        "search_model_versions",
        "search_registered_models",
        "set_model_version_tag",
    ),
    "runstone.sdk.fluent.runs": (
        "active_run",
        "delete_run",
        "end_run",
        "get_parent_run",
        "get_run",
        "last_active_run",
        "restore_run",
        "search_runs",
        "start_run",
    ),
    "runstone.sdk.fluent.servers": (
        "disable_system_metrics_logging",
        "doctor",
        "enable_system_metrics_logging",
        "flush_artifact_async_logging",
        "flush_async_logging",
        "get_registry_uri",
        "get_tracking_uri",
        "is_tracking_uri_set",
        "login",
        "set_registry_uri",
        "set_tracking_uri",
    ),
    "runstone.sdk.fluent.state": ("ActiveRun",),
    "runstone.sdk.fluent.values": (
        "delete_tag",
        "log_input",
        "log_inputs",
        "log_metric",
        "log_metrics",
        "log_outputs",
        "log_param",
        "log_params",
        "set_tag",
        "set_tags",
    ),
    "runstone.sdk.images": ("Image",),
}
"""Which names each module gives."""

_MODULES: Final = {
    "artifacts": "runstone.sdk.fluent.artifacts",
    "client": "runstone.client",
    "data": "runstone.data",
    "entities": "runstone.entities",
    "exceptions": "runstone.exceptions",
    "tracking": "runstone.tracking",
    "wandb": "runstone.wandb",
}
"""Names that are modules."""

_NAMES: Final = {name: place for place, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        found: object = import_module(_MODULES[name])
    elif name in _NAMES:
        found = getattr(import_module(_NAMES[name]), name)
    else:
        raise AttributeError(
            f"Runstone has no {name!r} (yet); it has {', '.join(__all__)}"
        )
    globals()[name] = found  # so that the next time costs nothing

    return found


def __dir__() -> list[str]:
    return __all__
