"""Names of W&B's that are not built yet: each says what helps meanwhile."""

from typing import Any, Final, NoReturn

from runstone.wandb.errors import Missing


HELP: Final = {
    "sweep": "begin a run for each choice of values, with group= to find them together",
    "controller": "begin a run for each choice of values",
    "agent": "call your function for each choice of values",
    "use_artifact": "run.restore(path) fetches a file that a run stored",
    "use_model": "run.restore(path) fetches a file that a run stored",
    "link_model": "store the model with run.log_model(path)",
    "link_artifact": "store files with run.log_artifact(path)",
    "upsert_artifact": "store files with run.log_artifact(path)",
    "finish_artifact": "store files with run.log_artifact(path)",
    "Artifact": "run.log_artifact(path) stores a file or a folder with the run",
    "ArtifactTTL": "artifacts stay until somebody deletes them",
    "EvalTable": "log a wandb.Table",
    "Graph": "run.watch(model, log_graph=True) keeps the model's text",
}


def refuse(name: str) -> NoReturn:
    """
    Say that a name is not built, and what to use meanwhile.

    Raises:
        Missing: Always.
    """
    raise Missing(f"wandb.{name} is not built yet; meanwhile: {HELP[name]}")


def _function(name: str) -> Any:
    def missing(*_: Any, **__: Any) -> NoReturn:
        refuse(name)

    missing.__name__ = missing.__qualname__ = name
    missing.__doc__ = f"Not built yet; meanwhile: {HELP[name]}."

    return missing


sweep = _function("sweep")
controller = _function("controller")
agent = _function("agent")
use_artifact = _function("use_artifact")
use_model = _function("use_model")
link_model = _function("link_model")
link_artifact = _function("link_artifact")


class Artifact:
    """Files with versions: not built yet."""

    def __init__(self, *_: Any, **__: Any) -> None:
        refuse("Artifact")


class ArtifactTTL:
    """How long an artifact stays: not built yet."""

    def __init__(self, *_: Any, **__: Any) -> None:
        refuse("ArtifactTTL")


class EvalTable:
    """A table of an evaluation: not built yet."""

    def __init__(self, *_: Any, **__: Any) -> None:
        refuse("EvalTable")


class Graph:
    """A drawing of a model: not built yet."""

    def __init__(self, *_: Any, **__: Any) -> None:
        refuse("Graph")
