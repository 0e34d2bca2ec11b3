"""Media: what is richer than a number comes back as it was."""

import io
import json
import math
import wave
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pil

from runstone import wandb
from runstone.wandb import asking, plot
from runstone.wandb.live import Run
from tests.wandb.asking import items, told


mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def run() -> Run:
    """A run to log media to."""
    return wandb.init(project="p")


def fetched(run: Run, path: str) -> bytes:
    """Return a file of a run."""
    asking.fetch(asking.number(f"p/{run.id}"), path, Path("fetched"))

    return Path("fetched").read_bytes()


def picture(run: Run, item: dict[str, Any]) -> Any:
    """Return the pixels of an image's item."""
    return np.asarray(Pil.open(io.BytesIO(fetched(run, item["path"]))))


def test_images_are_logged_as_a_list(run: Run) -> None:
    """S2.27: arrays with captions, several under one key."""
    arrays = [np.full((4, 6, 3), n * 50, np.uint8) for n in range(3)]

    run.log(
        {"predictions": [wandb.Image(a, caption=f"Pred: {a.max()}") for a in arrays]}
    )

    found = items(run, "predictions")
    assert [item["caption"] for item in found] == ["Pred: 0", "Pred: 50", "Pred: 100"]
    assert (found[0]["width"], found[0]["height"]) == (6, 4)
    for item, array in zip(found, arrays, strict=True):
        assert np.array_equal(picture(run, item), array)


def test_an_image_may_be_a_figure_a_picture_or_a_path(run: Run, store: Path) -> None:
    """S2.28: figures of Matplotlib; also just as they are, without wandb.Image."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([1, 2, 3])
    small = Pil.new("RGB", (5, 4), "red")
    small.save(store / "small.jpg")

    run.log(
        {
            "figure": wandb.Image(figure),
            "plt": wandb.Image(plt),
            "bare": figure,
            "picture": wandb.Image(small),
            "path": wandb.Image(str(store / "small.jpg")),
            "grey": wandb.Image(small, mode="L", file_type="jpg"),
        }
    )
    plt.close(figure)
    (store / "small.jpg").unlink()

    assert items(run, "figure") == items(run, "bare") == items(run, "plt")
    assert picture(run, items(run, "figure")[0]).shape[:2] == (480, 640)
    assert picture(run, items(run, "picture")[0])[0, 0].tolist() == [255, 0, 0]
    assert picture(run, items(run, "path")[0]).shape == (4, 5, 3)
    assert picture(run, items(run, "grey")[0]).shape == (4, 5)


def test_the_same_picture_is_stored_once(run: Run) -> None:
    """A fixed sample, logged every epoch, costs its size once."""
    array = np.zeros((4, 4), np.uint8)

    for _ in range(3):
        run.log({"sample": wandb.Image(array)})

    assert len(told(run).files(pattern="media/%")) == 1


def test_masks_and_boxes_stand_with_their_image(run: Run) -> None:
    """They are drawn over it."""
    mask = np.array([[0, 1], [2, 1]])
    box = {
        "position": {"minX": 0.1, "maxX": 0.2, "minY": 0.3, "maxY": 0.4},
        "class_id": 1,
        "scores": {"p": np.float32(0.5)},
    }

    run.log(
        {
            "seen": wandb.Image(
                np.zeros((2, 2)),
                masks={"m": {"mask_data": mask, "class_labels": {1: "cat"}}},
                boxes={"b": {"box_data": [box]}},
                classes=[{"id": 1, "name": "cat"}],
            )
        }
    )

    (item,) = items(run, "seen")
    assert np.array_equal(picture(run, item["masks"]["m"]), mask)
    assert item["masks"]["m"]["names"] == item["boxes"]["b"]["names"] == {"1": "cat"}
    assert item["boxes"]["b"]["boxes"] == [{**box, "scores": {"p": 0.5}}]


def test_samples_are_a_wav_file(run: Run) -> None:
    """Two channels, floats from -1 to 1."""
    samples = np.stack([np.linspace(-1, 1, 800), np.zeros(800)], axis=1)

    run.log({"sound": wandb.Audio(samples, sample_rate=8000, caption="up")})

    (item,) = items(run, "sound")
    assert (item["rate"], item["seconds"], item["caption"]) == (8000, 0.1, "up")
    with wave.open(io.BytesIO(fetched(run, item["path"]))) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 8000)
        heard = np.frombuffer(file.readframes(800), "<i2")[::2]
    assert (heard[0], heard[-1]) == (-32767, 32767)


def test_frames_are_a_film(run: Run) -> None:
    """S2.29: time, channels, height, width."""
    frames = np.zeros((5, 3, 8, 6), np.uint8)
    frames[:, 0] = np.arange(5)[:, None, None] * 50

    run.log({"film": wandb.Video(frames, fps=10, caption="red")})

    (item,) = items(run, "film")
    film: Any = Pil.open(io.BytesIO(fetched(run, item["path"])))
    assert (film.n_frames, film.size) == (5, (6, 8))


def test_a_table_holds_numbers_texts_and_pictures(run: Run) -> None:
    """Media in cells are files of their own."""
    table = wandb.Table(columns=["id", "image", "score"])
    table.add_data(1, wandb.Image(np.zeros((2, 2))), np.float64(0.5))
    table.add_data(2, wandb.Image(np.ones((2, 2))), float("nan"))
    table.add_column("name", ["a", "b"])

    run.log({"table": table})

    (item,) = items(run, "table")
    whole = json.loads(fetched(run, item["path"]))
    assert item["columns"] == whole["columns"] == ["id", "image", "score", "name"]
    assert item["rows"] == 2
    assert whole["data"][1][2:] == ["NaN", "b"]
    cell = whole["data"][0][1]
    assert cell["type"] == "images"
    assert picture(run, cell["items"][0]).shape == (2, 2)


def test_a_dataframe_is_a_table(run: Run) -> None:
    """Also without wandb.Table around it."""
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})

    run.log({"frame": frame, "table": wandb.Table(dataframe=frame)})

    assert items(run, "frame") == items(run, "table")
    assert wandb.Table(dataframe=frame).get_dataframe().equals(frame)
    assert wandb.Table(data=np.eye(2)).columns == ["0", "1"]


@pytest.mark.parametrize("row", [(), (1,), (1, 2, 3)])
def test_a_row_has_a_cell_for_each_column(row: tuple[int, ...]) -> None:
    """The error names the columns."""
    with pytest.raises(wandb.UsageError, match="columns"):
        wandb.Table(columns=["a", "b"]).add_data(*row)


def test_a_histogram_is_what_numpy_counts(run: Run) -> None:
    """Its own bins, or those that were counted already."""
    numbers = np.array([0.0, 1.0, 1.0, 2.0, np.nan, np.inf])
    counted = np.histogram([1, 2, 3], bins=2)

    run.log(
        {
            "own": wandb.Histogram(numbers, num_bins=2),
            "given": wandb.Histogram(np_histogram=counted),
        }
    )

    assert items(run, "own") == [{"counts": [1, 3], "edges": [0.0, 1.0, 2.0]}]
    assert items(run, "given")[0]["counts"] == counted[0].tolist()


@given(numbers=st.lists(st.floats(), max_size=50), bins=st.integers(1, 64))
def test_any_numbers_have_a_histogram(numbers: list[float], bins: int) -> None:
    """However near, far or few they are; each that is finite is counted."""
    found = wandb.Histogram(numbers, num_bins=bins)

    assert sum(found.histogram) == sum(map(math.isfinite, numbers))
    assert len(found.bins) == len(found.histogram) + 1


def test_files_of_their_own_kind(run: Run, store: Path) -> None:
    """HTML, points in space, molecules, figures of Plotly."""
    (store / "m.pdb").write_text("ATOM")
    (store / "page.html").write_text("<i>page</i>")

    run.log(
        {
            "html": wandb.Html("<b>bold</b>"),
            "page": wandb.Html(store / "page.html"),
            "cloud": wandb.Object3D(np.zeros((3, 6))),
            "molecule": wandb.Molecule(store / "m.pdb", caption="small"),
            "plotly": wandb.Plotly({"data": [], "layout": {}}),
        }
    )

    assert fetched(run, items(run, "html")[0]["path"]) == b"<b>bold</b>"
    assert fetched(run, items(run, "page")[0]["path"]) == b"<i>page</i>"
    cloud = json.loads(fetched(run, items(run, "cloud")[0]["path"]))
    assert len(cloud["points"]) == 3
    assert items(run, "molecule")[0]["format"] == "pdb"
    assert fetched(run, items(run, "plotly")[0]["path"]) == b'{"data":[],"layout":{}}'


def test_a_chart_is_its_numbers(run: Run) -> None:
    """Many of them stand in a file."""
    few = wandb.Table(columns=["x", "y"], data=[[1, 2]])
    many = wandb.Table(columns=["x", "y"], data=[[n, n] for n in range(20_000)])

    run.log(
        {
            "few": plot.line(few, "x", "y", title="t"),
            "many": wandb.plot.scatter(many, "x", "y"),
        }
    )

    (one,) = items(run, "few")
    assert (one["form"], one["data"], one["strings"]) == (
        "line",
        [[1, 2]],
        {"title": "t"},
    )
    assert "path" in items(run, "many")[0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: wandb.Image("missing.png"),
        lambda: wandb.Audio(np.zeros(3)),
        lambda: wandb.Audio(np.zeros((2, 2, 2)), sample_rate=1),
        lambda: wandb.Video(np.zeros((2, 2))),
        lambda: wandb.Object3D(np.zeros((2, 2))),
        lambda: wandb.Molecule("missing.pdb"),
        lambda: wandb.Histogram(),
        lambda: wandb.Image(np.zeros((2, 2)), masks={"m": {"mask_data": np.zeros(2)}}),
    ],
)
def test_what_cannot_be_media_says_why(run: Run, make: Any) -> None:
    """Before training is long under way, and never as a broken file."""
    with pytest.raises(wandb.UsageError):
        run.log({"x": make()})
