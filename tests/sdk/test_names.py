"""What `runstone` offers is listed by hand, and all of it is there."""

import ast
import inspect
import subprocess
import sys

import msgspec
import pytest

import runstone
from runstone import entities, exceptions
from tests import tree


def test_the_names_are_sorted_and_lead_somewhere() -> None:
    """A name that cannot be loaded would be found by a user in a training."""
    assert runstone.__all__ == sorted(runstone.__all__, key=_order)
    assert all(getattr(runstone, name) is not None for name in runstone.__all__)


def test_editors_see_what_python_gives() -> None:
    """The list for type checkers and the one for Python are the same."""
    source = (tree.ROOT / "src" / "runstone" / "__init__.py").read_text()
    block = next(n for n in ast.parse(source).body if isinstance(n, ast.If))
    shown = {
        alias.asname or alias.name
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert shown | {"__version__"} == set(runstone.__all__)


def test_what_is_not_there_is_named() -> None:
    """The error says what there is."""
    with pytest.raises(AttributeError, match="'sklearn' \\(yet\\); it has ActiveRun"):
        runstone.sklearn  # noqa: B018  # that is the test


def test_every_name_of_mlflow_has_its_words() -> None:
    """What a user hovers over in an editor explains itself."""
    functions = [getattr(runstone, name) for name in runstone.__all__]

    assert [f for f in functions if callable(f) and not inspect.getdoc(f)] == []


def test_the_names_load_nothing_that_was_not_asked_for() -> None:
    """NumPy, pandas and Pillow come only with a value of theirs."""
    script = (
        "import sys, runstone as mlflow\n"
        "with mlflow.start_run():\n"
        "    mlflow.log_metric('a', 1.0)\n"
        "    mlflow.log_params({'b': 2})\n"
        "    mlflow.log_text('c', 'c.txt')\n"
        "print(*sys.modules, sep='\\n')\n"
    )

    loaded = subprocess.check_output(
        [sys.executable, "-c", script],
        text=True,
        env={"PYTHONPATH": str(tree.ROOT / "src"), "RUNSTONE_MODE": "disabled"},
    ).split()

    heavy = ("numpy", "pandas", "PIL", "sqlalchemy", "starlette", "urllib3", "yaml")
    assert [name for name in loaded if name.partition(".")[0] in heavy] == []


def test_a_server_loads_nothing_of_the_sdk() -> None:
    """Its package of stores answers for MLflow's `artifacts` only when asked."""
    script = "import sys, runstone.server.app; print(*sys.modules, sep='\\n')"

    loaded = subprocess.check_output(
        [sys.executable, "-c", script],
        text=True,
        env={"PYTHONPATH": str(tree.ROOT / "src")},
    ).split()

    assert [name for name in loaded if name.startswith("runstone.sdk")] == []


def test_records_are_dicts_to_whoever_wants_them() -> None:
    """Scripts write `dict(run.info)` and `metric.key`."""
    metric = entities.Metric("loss", 0.5, 7, 1)

    assert (metric.key, metric.value, metric.timestamp, metric.step) == (
        "loss",
        0.5,
        7,
        1,
    )
    assert dict(entities.Param("a", "b")) == {"key": "a", "value": "b"}
    assert entities.RunStatus.to_string(entities.RunStatus.FINISHED) == "FINISHED"
    with pytest.raises(AttributeError):
        metric.value = 1.0  # type: ignore[misc]  # that is the test


@pytest.mark.parametrize("code", list(exceptions.STATUSES))
def test_an_error_has_its_code_and_status(code: str) -> None:
    """Scripts compare codes and statuses; what pickles survives."""
    import pickle

    error = exceptions.MlflowException("words", code, more="1")

    back = pickle.loads(pickle.dumps(error))
    assert (back.error_code, str(back)) == (code, "words")
    assert back.get_http_status_code() == exceptions.STATUSES[code]
    said = msgspec.json.decode(error.serialize_as_json())
    assert said == {"error_code": code, "message": "words", "more": "1"}


def _order(name: str) -> tuple[int, str]:
    """Sort as ruff does: classes, then modules and functions."""
    return (0 if name[0].isupper() else 1, name)
