"""
W&B's names over Runstone: `import runstone.wandb as wandb`.

A script that logs to W&B logs to Runstone; with MLflow's names in the same process
both say one run.  What is different is in `docs/how-to/from-wandb.md`.
"""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from runstone.sdk.session import session
from runstone.wandb import runs
from runstone.wandb.configs import Config
from runstone.wandb.data_types import (
    Audio,
    Classes,
    Histogram,
    Html,
    Image,
    Molecule,
    Object3D,
    Plotly,
    Table,
    Video,
    box3d,
)
from runstone.wandb.definitions import Metric
from runstone.wandb.errors import CommError, Error, UsageError
from runstone.wandb.live import AlertLevel, Run
from runstone.wandb.missing import (
    Artifact,
    ArtifactTTL,
    EvalTable,
    Graph,
    agent,
    controller,
    link_model,
    sweep,
    use_artifact,
    use_model,
)
from runstone.wandb.runs import finish, init, teardown
from runstone.wandb.settings import Settings
from runstone.wandb.summaries import Summary
from runstone.wandb.term import termerror, termlog, termsetup, termwarn


run: Run | None
"""The run that is under way."""

config: Config
"""Its config."""

summary: Summary
"""Its summary."""

LAZY: Final = {
    "Api": "runstone.wandb.apis",
    "plot_table": "runstone.wandb.plot",
}
MODULES: Final = ("apis", "plot", "sdk", "tensorboard", "util", "wandb_run")


def __getattr__(name: str) -> Any:
    if name == "run":
        return runs.current()
    if name in ("config", "summary"):
        return getattr(runs.require(name), name)
    if name in MODULES:
        return importlib.import_module(f"runstone.wandb.{name}")
    if name in LAZY:
        return getattr(importlib.import_module(LAZY[name]), name)

    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def log(
    data: Mapping[str, Any],
    step: int | None = None,
    commit: bool | None = None,
    sync: bool | None = None,
) -> None:
    """Log values at a step of the run that is under way; see `Run.log`."""
    runs.require("log").log(data, step, commit, sync)


def define_metric(
    name: str,
    step_metric: str | Metric | None = None,
    step_sync: bool | None = None,
    hidden: bool | None = None,
    summary: str | None = None,
    goal: str | None = None,
    overwrite: bool | None = None,
) -> Metric:
    """Say how a metric is drawn and summed up; see `Run.define_metric`."""
    return runs.require("define_metric").define_metric(
        name, step_metric, step_sync, hidden, summary, goal, overwrite
    )


def alert(title: str, text: str, level: Any = None, wait_duration: Any = None) -> None:
    """Say something that people should look at; see `Run.alert`."""
    runs.require("alert").alert(title, text, level, wait_duration)


def save(
    glob_str: Any = None,
    base_path: Any = None,
    policy: str = "live",
    glob: bool = True,
) -> list[str]:
    """Store files with the run; see `Run.save`."""
    return runs.require("save").save(glob_str, base_path, policy, glob)


def restore(
    name: str,
    run_path: str | None = None,
    replace: bool = False,
    root: str | None = None,
) -> Any:
    """Fetch a file of a run; see `Run.restore`."""
    return runs.require("restore").restore(name, run_path, replace, root)


def log_artifact(
    artifact_or_path: Any,
    name: str | None = None,
    type: str | None = None,
    aliases: Sequence[str] | None = None,
    tags: Sequence[str] | None = None,
) -> list[str]:
    """Store a file or a folder with the run; see `Run.log_artifact`."""
    return runs.require("log_artifact").log_artifact(
        artifact_or_path, name, type, aliases, tags
    )


def log_model(
    path: Any, name: str | None = None, aliases: Sequence[str] | None = None
) -> list[str]:
    """Store a model's file or folder with the run; see `Run.log_model`."""
    return runs.require("log_model").log_model(path, name, aliases)


def watch(
    models: Any,
    criterion: Any = None,
    log: str | None = "gradients",
    log_freq: int = 1000,
    idx: int | None = None,
    log_graph: bool = False,
) -> None:
    """Log histograms of a torch model; see `Run.watch`."""
    runs.require("watch").watch(models, criterion, log, log_freq, idx, log_graph)


def unwatch(models: Any = None) -> None:
    """Stop what `watch` began."""
    runs.require("unwatch").unwatch(models)


def mark_preempting() -> None:
    """Note that this machine is about to be taken away."""
    runs.require("mark_preempting").mark_preempting()


def login(
    key: str | None = None,
    relogin: bool | None = None,
    host: str | None = None,
    force: bool | None = None,
    timeout: int | None = None,
    verify: bool = False,
    **_: Any,
) -> bool:
    """
    Return True: a server of your own knows no key of W&B's.

    Args:
        key: Taken and unused, as are the others.

        relogin: Unused.

        host: Address of the server, from now on.

        force: Unused.

        timeout: Unused.

        verify: Unused.
    """
    if host:
        session.set_tracking_uri(host)

    return True


def setup(settings: Settings | None = None) -> None:
    """Do nothing: what W&B sets up ahead is set up when it is needed."""


def require(*_: Any, **__: Any) -> None:
    """Do nothing: there are no experimental parts to be asked for."""


__all__ = [
    "AlertLevel",
    "Api",
    "Artifact",
    "ArtifactTTL",
    "Audio",
    "Classes",
    "CommError",
    "Config",
    "Error",
    "EvalTable",
    "Graph",
    "Histogram",
    "Html",
    "Image",
    "Molecule",
    "Object3D",
    "Plotly",
    "Run",
    "Settings",
    "Table",
    "UsageError",
    "Video",
    "agent",
    "alert",
    "box3d",
    "config",
    "controller",
    "define_metric",
    "finish",
    "init",
    "link_model",
    "log",
    "log_artifact",
    "log_model",
    "login",
    "mark_preempting",
    "plot_table",
    "require",
    "restore",
    "run",
    "save",
    "setup",
    "summary",
    "sweep",
    "teardown",
    "termerror",
    "termlog",
    "termsetup",
    "termwarn",
    "unwatch",
    "use_artifact",
    "use_model",
    "watch",
]
