"""Logged models over HTTP: their files below their runs, and our own wire."""

import secrets
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec
import pytest

from tests.artifacts.conftest import Bucket
from tests.server.running import Answer, Server, post, send, serving


PROXY = "/api/2.0/mlflow-artifacts/artifacts"
ML = "/api/2.0/mlflow"
OLD = "mlflow-python-client/2.22.1"
NEW = "mlflow-python-client/3.18.0"
MLMODEL = b"flavors: {}\n"


class Scene(NamedTuple):
    """A server with a run, whose model `model` has two files."""

    url: str
    experiment_id: str
    run_id: str
    model_id: str

    @property
    def run(self) -> str:
        """The run's artifacts on the proxy."""
        return f"{self.experiment_id}/{self.run_id}/artifacts"

    @property
    def model(self) -> str:
        """The model's files on the proxy."""
        return f"{self.experiment_id}/models/{self.model_id}/artifacts"

    def put(self, path: str, data: bytes) -> None:
        """Write a file on the proxy."""
        assert send(self.url, "PUT", f"{PROXY}/{quote(path)}", data).status == 200

    def get(self, path: str, **headers: str) -> Answer:
        """Read a file on the proxy."""
        return send(self.url, "GET", f"{PROXY}/{quote(path)}", b"", **headers)

    def listed(self, path: str, client: str = OLD) -> list[str]:
        """List a folder on the proxy as a client sees it."""
        target = f"{PROXY}?path={quote(path)}"
        answer = send(self.url, "GET", target, User_Agent=client)
        assert answer.status == 200, answer.body

        return names(answer)

    def asked(self, target: str, **message: object) -> Any:  # noqa: ANN401  # as varied as the protocol
        """POST a message and return its answer."""
        answer = post(self.url, target, **message)
        assert answer.status == 200, answer.body

        return answer.json


def names(answer: Answer) -> list[str]:
    """Return the paths of a listing."""
    files: Any = answer.json.get("files", [])

    return [item["path"] for item in files]


def new_scene(url: str) -> Scene:
    """Make an experiment, a run and a model with files."""
    empty = Scene(url, "", "", "")
    name = f"e{send(url, 'GET', '/api/v1/experiments').body.count(b'lifecycle')}"
    experiment = empty.asked(f"{ML}/experiments/create", name=name)["experiment_id"]
    made = empty.asked(f"{ML}/runs/create", experiment_id=experiment, start_time=1)
    run_id = made["run"]["info"]["run_id"]
    scene = Scene(url, experiment, run_id, new_model(url, experiment, run_id))
    scene.put(f"{scene.model}/MLmodel", MLMODEL)
    scene.put(f"{scene.model}/code/한글 1.py", b"pass")

    return scene


def new_model(url: str, experiment: str, run_id: str, name: str = "model") -> str:
    """Make a logged model and return its id."""
    body = {"experiment_id": experiment, "source_run_id": run_id, "name": name}
    answer = post(url, f"{ML}/logged-models", **body)
    made: Any = answer.json["model"]

    return str(made["info"]["model_id"])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server that these tests share."""
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server.url


@pytest.fixture
def scene(running: str) -> Scene:
    """A run with a model, for one test."""
    return new_scene(running)


def test_a_model_is_a_folder_of_its_run(scene: Scene) -> None:
    """Whoever knows nothing of logged models finds it where it always was."""
    scene.put(f"{scene.run}/notes.txt", b"x")

    assert scene.listed(scene.run) == ["model", "notes.txt"]
    assert scene.listed(f"{scene.run}/") == ["model", "notes.txt"]
    assert scene.listed(f"{scene.run}/model") == ["MLmodel", "code"]
    assert scene.listed(f"{scene.run}/model/code") == ["한글 1.py"]
    assert scene.listed(f"{scene.run}/model/MLmodel") == []
    assert scene.listed(f"{scene.run}/model/nothing") == []
    assert scene.listed(f"{scene.run}/nothing") == []


def test_its_files_are_read_there(scene: Scene) -> None:
    """Whole, in part, and only described."""
    whole = scene.get(f"{scene.run}/model/MLmodel")
    part = scene.get(f"{scene.run}/model/MLmodel", Range="bytes=0-2")
    head = send(scene.url, "HEAD", f"{PROXY}/{scene.run}/model/MLmodel")

    assert (whole.status, whole.body) == (200, MLMODEL)
    assert (part.status, part.body) == (206, MLMODEL[:3])
    assert head.headers["content-length"] == str(len(MLMODEL))
    assert scene.get(f"{scene.run}/model/code/한글 1.py").body == b"pass"
    for missing in ("model", "model/nothing", "model/code", "other/MLmodel"):
        answer = scene.get(f"{scene.run}/{missing}")
        assert answer.status == 404, missing
        assert answer.json["error_code"] == "RESOURCE_DOES_NOT_EXIST"


def test_a_client_of_mlflow_3_looks_for_itself(scene: Scene) -> None:
    """It would see each file twice, and register the run's folder as a model."""
    assert scene.listed(scene.run, NEW) == ["model"]
    assert scene.listed(f"{scene.run}/model", NEW) == []
    assert scene.listed(f"{scene.run}/model/code", NEW) == []
    assert scene.listed(scene.model, NEW) == ["MLmodel", "code"]
    assert scene.get(f"{scene.run}/model/MLmodel", User_Agent=NEW).body == MLMODEL


def test_the_pages_list_and_read_it_by_the_run(scene: Scene) -> None:
    """With paths from the run's root, as its own files have them."""
    for path, found in {
        "": ["model"],
        "model": ["model/MLmodel", "model/code"],
        "model/code": ["model/code/한글 1.py"],
    }.items():
        query = f"run_id={scene.run_id}&path={path}"
        answer = send(scene.url, "GET", f"{ML}/artifacts/list?{query}")
        assert names(answer) == found

    query = f"run_id={scene.run_id}&path=model/MLmodel"
    assert send(scene.url, "GET", f"/get-artifact?{query}").body == MLMODEL


def test_what_lies_below_the_run_comes_first(scene: Scene) -> None:
    """A script of 2.x logs into a folder; a model of its name adds to it."""
    scene.put(f"{scene.run}/model/MLmodel", b"own")
    scene.put(f"{scene.run}/model/extra", b"own")

    assert scene.listed(f"{scene.run}/model") == ["MLmodel", "code", "extra"]
    target = f"{PROXY}?path={scene.run}/model"
    files: Any = send(scene.url, "GET", target).json["files"]
    assert (files[0]["path"], files[0]["file_size"]) == ("MLmodel", len(b"own"))
    assert scene.get(f"{scene.run}/model/MLmodel").body == b"own"
    assert scene.listed(f"{scene.run}/model", NEW) == ["MLmodel", "extra"]
    assert scene.get(f"{scene.model}/MLmodel").body == MLMODEL


def register(scene: Scene, source: str, **more: str) -> tuple[str, str]:
    """Register a version of the run; return its place and what is in its file."""
    name = f"version {secrets.token_hex(8)}"
    scene.asked(f"{ML}/registered-models/create", name=name)
    body = {"name": name, "source": source, **more}
    scene.asked(f"{ML}/model-versions/create", **body)
    query = f"name={quote(name)}&version=1"
    target = f"{ML}/model-versions/get-download-uri?{query}"
    found: Any = send(scene.url, "GET", target).json
    target = f"/model-versions/get-artifact?{query}&path=MLmodel"
    file = send(scene.url, "GET", target)

    return str(found["artifact_uri"]), file.body.decode()


def test_a_version_of_a_runs_folder_lies_with_the_model(scene: Scene) -> None:
    """Where the clients look that know of models, and those that do not."""
    source = f"mlflow-artifacts:/{scene.run}/model"

    found = register(scene, source, run_id=scene.run_id)

    assert found == (f"mlflow-artifacts:/{scene.model}", MLMODEL.decode())


def test_a_version_of_a_folder_of_the_run_stays_there(scene: Scene) -> None:
    """What lies below the run comes first there, too."""
    scene.put(f"{scene.run}/model/MLmodel", b"of the run")
    source = f"mlflow-artifacts:/{scene.run}/model"

    found = register(scene, source, run_id=scene.run_id)

    assert found == (source, "of the run")


def test_files_of_a_version_are_given_out_wherever_they_lie(scene: Scene) -> None:
    """With the model it names, or with one that is seen below its run."""
    by_model = f"models:/{scene.model_id}"
    alone = new_model(scene.url, scene.experiment_id, "")
    scene.put(f"{scene.experiment_id}/models/{alone}/artifacts/MLmodel", b"alone")

    assert register(scene, by_model, model_id=scene.model_id)[1] == MLMODEL.decode()
    assert register(scene, f"models:/{alone}", model_id=alone)[1] == "alone"
    by_run = f"runs:/{scene.run_id}/model"
    assert register(scene, by_run, run_id=scene.run_id)[1] == MLMODEL.decode()


def test_a_place_that_was_only_claimed_is_not_read(scene: Scene) -> None:
    """Whoever names the place of a model of others in a bucket gets nothing."""
    source = f"s3://bucket/{scene.model}"

    _, answer = register(scene, source, run_id=scene.run_id)

    assert "PERMISSION_DENIED" in answer


def test_what_is_deleted_below_the_run_leaves_the_model(scene: Scene) -> None:
    """A view is not the thing: the entity has a way of its own to go."""
    gone = send(scene.url, "DELETE", f"{PROXY}/{scene.run}/model")

    assert gone.status == 200
    assert scene.get(f"{scene.model}/MLmodel").body == MLMODEL
    send(scene.url, "DELETE", f"{ML}/logged-models/{scene.model_id}")
    assert scene.listed(scene.run) == []
    assert scene.get(f"{scene.run}/model/MLmodel").status == 404


def test_nobody_puts_a_model_below_the_run_of_others(scene: Scene) -> None:
    """A model names any run it likes; it shows below those of its experiment."""
    other = new_scene(scene.url)
    foreign = new_model(scene.url, other.experiment_id, scene.run_id, "foreign")
    place = f"{other.experiment_id}/models/{foreign}/artifacts"
    scene.put(f"{place}/MLmodel", b"foreign")

    assert scene.listed(scene.run) == ["model"]
    assert scene.listed(f"{scene.run}/foreign") == []
    assert scene.get(f"{scene.run}/foreign/MLmodel").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "model/../../../secret",
        "model/%2e%2e/secret",
        "../{model}/MLmodel",
        "model//MLmodel",
        "model/..;/MLmodel",
        "model\\MLmodel",
        "model/MLmodel\0",
    ],
)
def test_a_path_that_climbs_is_refused(scene: Scene, path: str) -> None:
    """The same rules below a model as anywhere else."""
    target = quote(path.replace("{model}", scene.model_id))
    for asked in (
        f"{PROXY}/{scene.run}/{target}",
        f"{PROXY}?path={scene.run}/{target}",
        f"{ML}/artifacts/list?run_id={scene.run_id}&path={target}",
        f"/get-artifact?run_id={scene.run_id}&path={target}",
        f"{ML}/logged-models/{scene.model_id}/artifacts/directories"
        f"?artifact_directory_path={target}",
        f"{ML}/logged-models/{scene.model_id}/artifacts/files"
        f"?artifact_file_path={target}",
    ):
        answer = send(scene.url, "GET", asked)
        assert answer.status == 400, asked
        assert answer.json["error_code"] == "INVALID_PARAMETER_VALUE"


def test_a_path_that_only_looks_like_a_runs_is_nothing(scene: Scene) -> None:
    """Neither an id of nobody nor a run's id at another place."""
    nobody = "0" * 32
    for place in (
        f"{scene.experiment_id}/{nobody}/artifacts",
        f"9/{scene.run_id}/artifacts",
        f"{scene.run_id}/artifacts",
        f"{scene.run}/x/{scene.run_id}/artifacts",
    ):
        assert scene.listed(place) == []
        assert scene.get(f"{place}/model/MLmodel").status == 404


def test_a_model_lists_and_gives_its_files(scene: Scene) -> None:
    """By its own id, below every prefix."""
    base = f"{ML}/logged-models/{scene.model_id}/artifacts"
    root = send(scene.url, "GET", f"{base}/directories")
    inner = send(scene.url, "GET", f"{base}/directories?artifact_directory_path=code")
    file = send(scene.url, "GET", f"{base}/files?artifact_file_path=MLmodel")

    assert names(root) == ["MLmodel", "code"]
    assert root.json["root_uri"] == f"mlflow-artifacts:/{scene.model}"
    assert names(inner) == ["code/한글 1.py"]
    assert file.body == MLMODEL
    assert file.headers["content-disposition"].startswith("attachment")


def test_a_model_in_a_bucket_is_a_folder_of_its_run_too(
    start: Callable[..., Server], bucket: Bucket, tmp_path: Path
) -> None:
    """Where the server reads for its clients, the store makes no difference."""
    server = start(
        folder=tmp_path / "s3",
        environ=bucket.server.environ(),
        artifacts_destination=f"s3://{bucket.name}/{secrets.token_hex(8)}",
    )
    scene = new_scene(server.url)

    assert scene.listed(f"{scene.run}/model") == ["MLmodel", "code"]
    assert scene.get(f"{scene.run}/model/MLmodel").body == MLMODEL
    signed = send(
        scene.url,
        "GET",
        f"/api/2.0/mlflow-artifacts/presigned/{scene.run}/model/MLmodel",
    )
    assert signed.json["file_size"] == len(MLMODEL)


def test_a_client_moves_a_models_files_by_urls_of_the_bucket(
    start: Callable[..., Server], bucket: Bucket
) -> None:
    """By the model's id, and below its run as everywhere."""
    server = start(
        environ=bucket.server.environ(),
        default_artifact_root=f"s3://{bucket.name}/{secrets.token_hex(8)}",
    )
    empty = Scene(server.url, "0", "", "")
    made = empty.asked(f"{ML}/runs/create", experiment_id="0", start_time=1)
    run_id = made["run"]["info"]["run_id"]
    model_id = new_model(server.url, "0", run_id)
    sign = f"{ML}/artifacts/presigned-"

    asked = {"model_id": model_id, "path": "MLmodel"}
    url = empty.asked(f"{sign}upload-url", **asked)["presigned_url"]
    sent = urllib.request.Request(url, MLMODEL, method="PUT")
    urllib.request.urlopen(sent, timeout=10).close()

    below = {"run_id": run_id, "path": "model/MLmodel"}
    for place in (asked, below):
        signed = empty.asked(f"{sign}download-url", **place)
        assert signed["file_size"] == len(MLMODEL)
        with urllib.request.urlopen(signed["presigned_url"], timeout=10) as file:
            assert file.read() == MLMODEL
    for refused in (asked | below, {"path": "MLmodel"}):
        assert post(server.url, f"{sign}download-url", **refused).status == 400
    missing = asked | {"path": "nothing"}
    assert post(server.url, f"{sign}download-url", **missing).status == 404


def test_our_own_wire_shows_a_run_with_what_it_read_and_made(scene: Scene) -> None:
    """Datasets with their context, models with their names."""
    dataset = {"name": "d", "digest": "1", "source_type": "http", "source": "{}"}
    context = [{"key": "mlflow.data.context", "value": "training"}]
    scene.asked(
        f"{ML}/runs/log-inputs",
        run_id=scene.run_id,
        datasets=[{"dataset": dataset, "tags": context}],
        models=[{"model_id": "m-x"}],
    )
    scene.asked(
        f"{ML}/runs/outputs",
        run_id=scene.run_id,
        models=[{"model_id": scene.model_id, "step": 3}],
    )

    run: Any = send(scene.url, "GET", f"/api/v1/runs/{scene.run_id}").json

    assert run["datasets"] == [
        dataset
        | {
            "schema": None,
            "profile": None,
            "context": "training",
            "tags": {"mlflow.data.context": "training"},
        }
    ]
    unknown = dict.fromkeys(("step", "name", "type", "status"))
    assert run["models_in"] == [{"id": "m-x"} | unknown]
    assert run["models_out"] == [
        {
            "id": scene.model_id,
            "step": 3,
            "name": "model",
            "type": "",
            "status": "PENDING",
        }
    ]


def test_our_own_wire_shows_models(scene: Scene) -> None:
    """With every value that was measured of them, what is not finite too."""
    for step, value in enumerate([0.5, "NaN"]):
        scene.asked(
            f"{ML}/runs/log-metric",
            run_id=scene.run_id,
            key="acc",
            value=value,
            timestamp=7,
            step=step,
            model_id=scene.model_id,
            **({"dataset_name": "d", "dataset_digest": "1"} if step else {}),
        )

    model: Any = send(scene.url, "GET", f"/api/v1/logged-models/{scene.model_id}").json

    assert model["name"] == "model"
    assert model["source_run_id"] == scene.run_id
    assert [
        (m["value"], m["step"], m["run_id"], m["dataset_name"])
        for m in model["metrics"]
    ] == [(0.5, 0, scene.run_id, None), ("NaN", 1, scene.run_id, "d")]
    assert send(scene.url, "GET", "/api/v1/logged-models/m-0").status == 404


def test_our_own_wire_finds_models_in_pages(scene: Scene) -> None:
    """By filter, order and dataset."""
    for number in range(4):
        name = f"other {number}"
        new_model(scene.url, scene.experiment_id, scene.run_id, name)
    base = f"/api/v1/experiments/{scene.experiment_id}/logged-models"

    found: list[str] = []
    token = ""
    while token is not None:
        query = f"limit=2&order_by=name%20DESC&page_token={quote(token)}"
        page: Any = send(scene.url, "GET", f"{base}?{query}").json
        found += [model["name"] for model in page["models"]]
        token = page["next_page_token"]

    assert found == ["other 3", "other 2", "other 1", "other 0", "model"]
    asked = quote("name = 'other 2'")
    page = send(scene.url, "GET", f"{base}?filter={asked}&order_by=name").json
    assert [model["name"] for model in page["models"]] == ["other 2"]
    page = send(scene.url, "GET", f"{base}?dataset=d").json
    assert page == {"models": [], "next_page_token": None}


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("experiments/0/logged-models?limit=0", 400),
        ("experiments/0/logged-models?limit=1001", 400),
        ("experiments/0/logged-models?filter=x", 400),
        ("experiments/0/logged-models?order_by=params.x", 400),
        ("experiments/0/logged-models?page_token=x", 400),
        ("experiments/x/logged-models", 400),
        ("experiments/123456/logged-models", 404),
    ],
)
def test_a_bad_question_about_models_gets_a_reason(
    running: str, target: str, status: int
) -> None:
    """In the one shape that every error has."""
    answer = send(running, "GET", f"/api/v1/{target}")

    assert answer.status == status
    assert set(msgspec.json.decode(answer.body)) == {"error_code", "message"}
