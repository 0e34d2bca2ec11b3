"""Files go up, are listed, and come down the same."""

import json
import tempfile
from pathlib import Path

import mlflow
from mlflow.tracking import MlflowClient


client = MlflowClient()
with tempfile.TemporaryDirectory() as home:
    folder = Path(home)
    picture = folder / "confusion matrix.png"
    picture.write_bytes(bytes(range(256)) * 4096)
    (folder / "more" / "deep").mkdir(parents=True)
    (folder / "more" / "deep" / "한글.txt").write_text("안녕", encoding="utf-8")
    with mlflow.start_run() as run:
        mlflow.log_artifact(str(picture), "plots")
        mlflow.log_artifacts(str(folder / "more"), "tree")
        mlflow.log_text("hello", "notes/a.txt")
        mlflow.log_dict({"lr": 0.1}, "config.json")

    run_id = run.info.run_id
    top = {item.path: item.is_dir for item in client.list_artifacts(run_id)}
    assert top == {"config.json": False, "notes": True, "plots": True, "tree": True}
    plots = client.list_artifacts(run_id, "plots")
    assert [(item.path, item.file_size) for item in plots] == [
        ("plots/confusion matrix.png", 256 * 4096)
    ]
    assert client.list_artifacts(run_id, "nothing") == []

    target = folder / "down"
    target.mkdir()
    got = client.download_artifacts(run_id, "plots/confusion matrix.png", str(target))
    assert Path(got).read_bytes() == picture.read_bytes()
    tree = mlflow.artifacts.download_artifacts(
        artifact_uri=f"runs:/{run_id}/tree", dst_path=str(target)
    )
    assert (Path(tree) / "deep" / "한글.txt").read_text(encoding="utf-8") == "안녕"
    assert json.loads(mlflow.artifacts.load_text(f"runs:/{run_id}/config.json")) == {
        "lr": 0.1
    }
