"""Artifacts by MLflow's names: what goes in comes back."""

import io
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import runstone as mlflow
from runstone.exceptions import MlflowException
from runstone.sdk.client.files import safe
from tests.sdk.mlflow_names import names
from tests.server.running import serving


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server that these tests share."""
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server.url


@pytest.fixture
def run(spool: Path, url: str) -> Iterator[mlflow.ActiveRun]:
    """Yield a run that is under way."""
    with names(url, spool), mlflow.start_run() as active:
        yield active


def listed(run: mlflow.ActiveRun, path: str | None = None) -> list[str]:
    """Return the paths in a folder of a run's artifacts."""
    found = mlflow.artifacts.list_artifacts(run_id=run.info.run_id, artifact_path=path)

    return [item.path for item in found]


def uri(run: mlflow.ActiveRun, path: str) -> str:
    """Name an artifact."""
    return f"runs:/{run.info.run_id}/{path}"


def test_texts_and_dicts_come_back(run: mlflow.ActiveRun) -> None:
    """JSON and YAML by the ending."""
    mlflow.log_text("안녕", "words/hello.txt")
    mlflow.log_dict({"lr": 0.1, "at": Path("x")}, "config.json")
    mlflow.log_dict({"layers": [1, 2]}, "config.yaml")
    mlflow.log_stream(io.BytesIO(b"bytes"), "stream.bin")

    assert mlflow.artifacts.load_text(uri(run, "words/hello.txt")) == "안녕"
    assert mlflow.artifacts.load_dict(uri(run, "config.json")) == {"lr": 0.1, "at": "x"}
    assert mlflow.artifacts.load_dict(uri(run, "config.yaml")) == {"layers": [1, 2]}
    assert listed(run) == ["config.json", "config.yaml", "stream.bin", "words"]


def test_a_file_may_change_as_soon_as_it_is_logged(
    run: mlflow.ActiveRun, tmp_path: Path
) -> None:
    """It is copied at once, so the next epoch may overwrite it."""
    file = tmp_path / "model.pt"
    file.write_text("epoch 1")
    mlflow.log_artifact(str(file), "models")
    file.write_text("epoch 2")

    assert mlflow.artifacts.load_text(uri(run, "models/model.pt")) == "epoch 1"


def test_a_folder_goes_in_and_comes_out_whole(
    run: mlflow.ActiveRun, tmp_path: Path
) -> None:
    """By `log_artifacts`, and by `log_artifact` under its name."""
    folder = tmp_path / "out"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "deep" / "b.txt").write_text("b")
    mlflow.log_artifacts(str(folder), "all")
    mlflow.log_artifact(str(folder))

    target = str(tmp_path / "down")
    place = Path(mlflow.artifacts.download_artifacts(uri(run, ""), dst_path=target))

    found = {p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file()}
    assert found == {"all/a.txt", "all/deep/b.txt", "out/a.txt", "out/deep/b.txt"}


def test_a_table_grows_row_by_row(run: mlflow.ActiveRun) -> None:
    """Each call adds below what is there, also when the run goes on elsewhere."""
    import pandas as pd

    mlflow.log_table({"epoch": [1, 2], "ok": ["y", "n"]}, "table.json")
    mlflow.log_table(pd.DataFrame({"epoch": [3], "ok": ["y"]}), "table.json")
    mlflow.log_table({"epoch": 4, "note": "late"}, "table.json")
    other = mlflow.MlflowClient()
    mlflow.end_run()
    other.log_table(run.info.run_id, {"epoch": [5]}, "table.json")

    frame = mlflow.load_table("table.json", extra_columns=["run_id"])

    assert frame["epoch"].tolist() == [1, 2, 3, 4, 5]
    assert frame["note"].tolist()[3] == "late"
    assert set(frame["run_id"]) == {run.info.run_id}


def test_a_table_may_hold_images(run: mlflow.ActiveRun) -> None:
    """They lie beside it, and the cell says where."""
    picture = mlflow.Image(np.zeros((4, 4, 3), dtype=np.uint8))
    mlflow.log_table({"image": [picture, picture], "label": ["a", "b"]}, "t.json")

    (columns, rows) = mlflow.artifacts.load_dict(uri(run, "t.json")).values()
    assert columns == ["image", "label"]
    assert rows[0][0]["type"] == "image"
    image = mlflow.artifacts.load_image(uri(run, rows[0][0]["filepath"]))
    assert image.size == (4, 4)
    with pytest.raises(ValueError, match="mix of images"):
        mlflow.log_table({"image": [picture, 1]}, "mixed.json")


@pytest.mark.parametrize(
    ("array", "pixel"),
    [
        (np.full((2, 3, 3), 255, dtype=np.uint8), (255, 255, 255)),
        (np.full((2, 3, 3), 0.5), (127, 127, 127)),
        (np.ones((2, 3), dtype=bool), 255),
        (np.full((2, 3, 1), 7), 7),
        (np.full((2, 3, 4), 1.0), (255, 255, 255, 255)),
    ],
)
def test_an_image_comes_back(
    run: mlflow.ActiveRun,
    array: "np.ndarray[tuple[int, ...], np.dtype[np.generic]]",
    pixel: object,
) -> None:
    """Arrays of every kind that MLflow takes."""
    mlflow.log_image(array, "image.png")

    image = mlflow.artifacts.load_image(uri(run, "image.png"))
    assert image.size == (3, 2)
    assert image.getpixel((0, 0)) == pixel


def test_images_of_a_series_are_where_mlflow_looks(run: mlflow.ActiveRun) -> None:
    """Each with its step in the name, a small copy, and the tag."""
    for step in (0, 5):
        picture = np.zeros((8, 8), dtype=np.uint8)
        mlflow.log_image(picture, key="val/pics", step=step)

    found = listed(run, "images")
    assert sum("val~pics+step+5+" in path for path in found) == 2
    assert sum(path.endswith("+compressed.webp") for path in found) == 2
    tags = mlflow.get_run(run.info.run_id).data.tags
    assert tags["mlflow.loggedImages"] == "True"


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    "array",
    [np.zeros((2, 2, 2)), np.zeros(3), np.full((2, 2), 300), np.array([["a"]])],
)
def test_what_is_no_image_is_refused(
    array: "np.ndarray[tuple[int, ...], np.dtype[np.generic]]",
) -> None:
    """The words say which shape is expected."""
    with pytest.raises((TypeError, ValueError), match=r"[Mm]ust be|range"):
        mlflow.log_image(array, "image.png")


def test_a_figure_is_saved_by_its_ending(run: mlflow.ActiveRun) -> None:
    """Matplotlib's own formats."""
    figure_module = pytest.importorskip("matplotlib.figure")
    figure = figure_module.Figure()
    figure.subplots().plot([1, 2])
    mlflow.log_figure(figure, "plots/curve.png", save_kwargs={"dpi": 50})
    mlflow.log_figure(figure, "plots/curve.svg")

    assert listed(run, "plots") == ["plots/curve.png", "plots/curve.svg"]
    assert "<svg" in mlflow.artifacts.load_text(uri(run, "plots/curve.svg"))
    with pytest.raises(TypeError, match="Unsupported figure"):
        mlflow.log_figure("no figure", "x.png")


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("path", ["", "../x", "/etc/x", "a/../../x", "a\0b"])
def test_a_path_that_leads_out_is_refused(path: str) -> None:
    """Here already, and not by a server later."""
    with pytest.raises(MlflowException, match="Invalid artifact path"):
        mlflow.log_text("x", path)


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x", "a\0b"])
def test_a_server_cannot_write_beside_a_download(path: str) -> None:
    """What it lists is believed as little as what a user types."""
    with pytest.raises(MlflowException, match="Unsafe"):
        safe(path)


def test_what_is_not_there_is_said(run: mlflow.ActiveRun, tmp_path: Path) -> None:
    """And nothing half-written stays."""
    with pytest.raises(MlflowException) as refusal:
        mlflow.artifacts.download_artifacts(
            uri(run, "none.txt"), dst_path=str(tmp_path)
        )

    assert refusal.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    assert [p for p in tmp_path.iterdir() if p.name.startswith("none")] == []
    with pytest.raises(MlflowException, match="ftp"):
        mlflow.artifacts.download_artifacts("ftp://host/x")


@pytest.mark.usefixtures("run")
def test_the_place_of_artifacts_can_be_fetched_from() -> None:
    """`get_artifact_uri` gives something that `download_artifacts` takes."""
    mlflow.log_text("x", "deep/x.txt")
    mlflow.log_text("y", "deep/down/y.txt")

    place = Path(mlflow.artifacts.download_artifacts(mlflow.get_artifact_uri("deep")))

    assert (place / "x.txt").read_text() == "x"
    assert (place / "down" / "y.txt").read_text() == "y"


def test_our_package_of_stores_answers_for_mlflows_module() -> None:
    """`mlflow.artifacts` is there also when a store is open in this process."""
    stores = import_module("runstone.artifacts")
    theirs = import_module("runstone.sdk.fluent.artifacts")

    assert set(theirs.__all__) == stores.MLFLOWS
    for name in theirs.__all__:
        assert getattr(stores, name) is getattr(theirs, name)
    with pytest.raises(AttributeError, match="none_such"):
        stores.none_such  # noqa: B018  # that is the test
