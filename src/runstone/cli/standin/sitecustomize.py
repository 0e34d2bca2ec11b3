"""
Answers `import mlflow` and `import wandb` with Runstone's names.

Python runs this file at its start, because `runstone exec` puts its folder first on
PYTHONPATH.  It needs nothing but Python itself, also where a process has nothing to
do with training, and it gives way to a `sitecustomize` of the user's.
"""

import importlib
import importlib.machinery
import os
import sys
from collections.abc import Sequence
from types import FunctionType, ModuleType


MODULES = {
    "mlflow": "runstone",
    "mlflow.artifacts": "runstone.sdk.fluent.artifacts",
    "mlflow.client": "runstone.client",
    "mlflow.data": "runstone.data",
    "mlflow.entities": "runstone.entities",
    "mlflow.entities.model_registry": "runstone.entities",
    "mlflow.exceptions": "runstone.exceptions",
    "mlflow.protos": "runstone.exceptions",
    "mlflow.protos.databricks_pb2": "runstone.exceptions",
    "mlflow.store": "runstone.entities",
    "mlflow.store.entities": "runstone.entities",
    "mlflow.tracking": "runstone.tracking",
    "mlflow.tracking.client": "runstone.client",
    "mlflow.tracking.fluent": "runstone",
    "wandb": "runstone.wandb",
}
"""What answers each module; others are looked for under the same name in Runstone."""

INTERNAL = frozenset(
    {"cli", "local", "sdk", "search", "server", "settings", "storage", "store"}
)
"""What Runstone has under such a name is another thing."""

VERSIONS = {"mlflow": "3.18.0", "wandb": "0.23.0"}
"""The releases whose names these are: some libraries ask before they use them."""

MISSING = "Runstone has no {name} (yet), so `runstone exec` cannot run what needs it"


class Loader:
    """Makes a module that gives what another one has."""

    def __init__(self, target: str) -> None:
        self._target = target

    def create_module(self, _: importlib.machinery.ModuleSpec) -> None:
        """Take the usual kind of module."""

    def exec_module(self, module: ModuleType) -> None:
        """Let a module answer with the names of another one."""
        found = _imported(module.__name__, self._target)

        def answer(name: str) -> object:
            try:
                value: object = getattr(found, name)
            except AttributeError:
                place = f"{module.__name__}.{name}"
                raise AttributeError(MISSING.format(name=place)) from None
            if isinstance(value, FunctionType | type):  # `wandb.run` may change
                module.__dict__[name] = value

            return value

        version = VERSIONS.get(module.__name__)
        if version:
            module.__dict__["__version__"] = version
        names = [name for name in dir(found) if not name.startswith("__")]
        module.__dict__["__all__"] = getattr(found, "__all__", names)
        module.__dict__["__doc__"] = found.__doc__
        module.__dict__["__getattr__"] = answer
        module.__dict__["__dir__"] = lambda: names


class Finder:
    """Finds what answers `mlflow` and `wandb`."""

    def find_spec(
        self, name: str, _: Sequence[str] | None = None, __: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return where a module comes from, or None for those of others."""
        top, _dot, below = name.partition(".")
        if top not in VERSIONS:
            return None
        target = MODULES.get(name)
        if target is None:
            if below.partition(".")[0] in INTERNAL:
                raise ModuleNotFoundError(MISSING.format(name=name), name=name)
            target = f"{MODULES[top]}.{below}"

        return importlib.machinery.ModuleSpec(name, Loader(target), is_package=True)  # type: ignore[arg-type]  # a loader by its methods


def _imported(name: str, target: str) -> ModuleType:
    """
    Import what answers a module.

    Raises:
        ModuleNotFoundError: Runstone does not have it, or is not there at all.
    """
    try:
        return importlib.import_module(target)
    except ModuleNotFoundError as error:
        if error.name == "runstone":
            raise ModuleNotFoundError(
                f"`runstone exec` needs Runstone in {sys.executable} too; install it "
                f"there with: {sys.executable} -m pip install runstone",
                name=name,
            ) from None
        if error.name and target.startswith(error.name):
            raise ModuleNotFoundError(MISSING.format(name=name), name=name) from None
        raise


def _give_way() -> None:
    """Run the `sitecustomize` that this one stands before, if there is one."""
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  # pathlib takes 10 ms of every start
    ours = sys.modules.pop(__name__, None)
    kept = sys.path[:]
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]  # noqa: PTH100
    try:
        importlib.import_module(__name__)
    except ModuleNotFoundError as error:
        if error.name != __name__:
            raise
    finally:
        sys.path[:] = [path for path in kept if os.path.abspath(path) != here]  # noqa: PTH100
        if __name__ not in sys.modules and ours:
            sys.modules[__name__] = ours


if __name__ == "sitecustomize":
    sys.meta_path.insert(0, Finder())
    _give_way()
