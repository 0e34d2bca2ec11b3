"""The registry over HTTP: our own wire, and what a source may be."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest

from tests.wire.conftest import run_server


class Client:
    """Asks one server on both wires."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._wire = http.client.HTTPConnection(parts.hostname or "", parts.port)

    def close(self) -> None:
        """Hang up."""
        self._wire.close()

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return status and answer."""
        sent = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if sent else {}
        self._wire.request(method, path, sent, headers)
        response = self._wire.getresponse()
        answer = response.read()
        is_json = response.getheader("Content-Type") == "application/json"

        return response.status, json.loads(answer) if is_json else answer

    def own(self, method: str, path: str, **body: object) -> Any:  # noqa: ANN401  # JSON
        """Return a good answer from below /api/v1."""
        status, answer = self.ask(method, f"/api/v1/{path}", body or None)
        assert status == 200, answer

        return answer

    def mlflow(self, path: str, **body: object) -> Any:  # noqa: ANN401  # JSON
        """Post to MLflow's wire and return a good answer."""
        status, answer = self.ask("POST", f"/api/2.0/mlflow/{path}", body)
        assert status == 200, answer

        return answer

    def model(self, name: str, count: int = 1) -> str:
        """Create a model with some versions, and return its name in a path."""
        self.mlflow("registered-models/create", name=name)
        for _ in range(count):
            self.mlflow("model-versions/create", name=name, source="s3://bucket/m")

        return quote(name, safe="")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the server's store and artifacts."""
    return tmp_path_factory.mktemp("registry")


@pytest.fixture(scope="module")
def client(home: Path) -> Iterator[Client]:
    """Give a client of an empty server."""
    with run_server(home) as url:
        client = Client(url)
        yield client
        client.close()


@pytest.mark.parametrize(
    "name",
    ["plain", "a b", "실험 #1 'x' \"y\" %_", "100%", "a?b&c=d;e", "a\\b+c@d", "-"],
)
def test_a_name_of_any_signs_stands_in_a_path(client: Client, name: str) -> None:
    """Percent-encoded, as every client does it."""
    path = client.model(name, 2)

    client.own("PUT", f"models/{path}/aliases/champion", version=2)
    client.own("PUT", f"models/{path}/versions/1/stage", stage="staging")

    found = client.own("GET", f"models/{path}")
    assert (found["name"], found["versions"]) == (name, 2)
    assert found["aliases"] == {"champion": 2}
    assert {each["version"]: each["stage"] for each in found["latest"]} == {
        1: "Staging",
        2: "None",
    }
    page = client.own("GET", f"models/{path}/versions/2")
    assert page["version"]["aliases"] == ["champion"]
    assert [each["subject"] for each in page["transitions"]] == ["champion"]
    moves = client.own("GET", f"models/{path}/transitions")["transitions"]
    assert [each["model"] for each in moves] == [name, name]


def test_the_list_is_what_a_page_shows(client: Client) -> None:
    """Models with versions, aliases and stages; searched and paged."""
    for number in range(5):
        client.model(f"listed {number}", 2)
    client.own("PUT", "models/listed%203/aliases/best", version=1, by="ann", why="*")

    asked = {"filter": "name LIKE 'listed%'", "order_by": "name DESC", "limit": 3}
    first = client.own("GET", f"models?{urlencode(asked)}")
    asked["page_token"] = first["next_page_token"]
    second = client.own("GET", f"models?{urlencode(asked)}")

    names = [each["name"] for page in (first, second) for each in page["models"]]
    assert names == [f"listed {number}" for number in (4, 3, 2, 1, 0)]
    assert second["next_page_token"] is None
    assert first["models"][1]["aliases"] == {"best": 1}
    assert first["models"][1]["latest"][0]["version"] == 2
    versions = client.own("GET", "models/listed%203/versions")["versions"]
    assert [each["version"] for each in versions] == [2, 1]
    assert versions[1]["aliases"] == ["best"]


def test_whoever_is_late_learns_who_was_first(client: Client) -> None:
    """409, the present holder in words and as a value; nothing changed."""
    path = client.model("race", 3)
    client.own("PUT", f"models/{path}/aliases/champion", version=1, expected=None)

    alias = f"/api/v1/models/{path}/aliases/champion"
    stage = f"/api/v1/models/{path}/versions/2/stage"
    client.own("PUT", f"models/{path}/versions/3/stage", stage="Production")
    late = [
        (*client.ask("PUT", alias, {"version": 2, "expected": None}), 1),
        (*client.ask("PUT", alias, {"version": 2, "expected": 3}), 1),
        (*client.ask("DELETE", alias, {"expected": 2}), 1),
        (
            *client.ask("PUT", stage, {"stage": "Staging", "expected": "Production"}),
            "None",
        ),
        (*client.ask("PUT", stage, {"stage": "Production", "expected_holder": 1}), 3),
        (
            *client.ask("PUT", stage, {"stage": "Staging", "expected_holder": 1}),
            None,
        ),
    ]

    for status, answer, present in late:
        assert status == 409
        assert answer["error_code"] == "RESOURCE_CONFLICT"
        assert answer["present"] == present
        assert str(present or "nothing") in answer["message"]
    found = client.own("GET", f"models/{path}")
    assert found["aliases"] == {"champion": 1}
    assert len(client.own("GET", f"models/{path}/transitions")["transitions"]) == 2
    client.own("PUT", f"models/{path}/aliases/champion", version=2, expected=1)
    client.own("DELETE", f"models/{path}/aliases/champion", expected=2, why="over")
    assert client.own("GET", f"models/{path}")["aliases"] == {}


def test_the_history_says_who_and_why(client: Client) -> None:
    """A page at a time, and after the model has gone."""
    path = client.model("told")
    for why in ("첫째", "second"):
        client.own("PUT", f"models/{path}/aliases/a", version=1, by="김", why=why)
        client.own("DELETE", f"models/{path}/aliases/a", by="bob", why=why)
    client.ask("DELETE", "/api/2.0/mlflow/registered-models/delete", {"name": "told"})

    first = client.own("GET", f"models/{path}/transitions?limit=3")
    token = quote(first["next_page_token"])
    second = client.own("GET", f"models/{path}/transitions?page_token={token}")

    moves = [*first["transitions"], *second["transitions"]][::-1]
    assert [(each["kind"], each["old"], each["new"]) for each in moves] == [
        *[("alias", None, "1"), ("alias", "1", None)] * 2,
        ("name", "told", None),
    ]
    assert [each["by"] for each in moves] == ["김", "bob", "김", "bob", ""]
    assert moves[0]["why"] == "첫째"
    assert client.ask("GET", f"/api/v1/models/{path}")[0] == 404


BAD = [
    ("GET", "models/none", None, 404),
    ("GET", "models/none/versions", None, 404),
    ("GET", "models/none/versions/1", None, 404),
    ("GET", "models/none/transitions", None, 404),
    ("GET", "models/a%3Ab", None, 400),
    ("GET", "models/a%2525b", None, 400),
    ("GET", "models/..", None, 400),
    ("GET", "models/bad/versions/9", None, 404),
    ("GET", "models/bad/versions/one", None, 400),
    ("GET", "models/bad/versions?filter=nonsense", None, 400),
    ("GET", "models/bad/versions?page_token=x", None, 400),
    ("GET", "models/bad/transitions?limit=0", None, 400),
    ("GET", "models/bad/transitions?page_token=x", None, 400),
    ("GET", "models?limit=1001", None, 400),
    ("PUT", "models/bad/aliases/a", {}, 400),
    ("PUT", "models/bad/aliases/a", {"version": "x"}, 400),
    ("PUT", "models/bad/aliases/a", {"version": 9}, 404),
    ("PUT", "models/bad/aliases/a", {"version": 2**70}, 400),
    ("PUT", "models/bad/aliases/a%20b", {"version": 1}, 400),
    ("PUT", "models/bad/aliases/latest", {"version": 1}, 400),
    ("PUT", "models/bad/aliases/a", {"version": 1, "expected": "x"}, 400),
    ("PUT", "models/bad/aliases/a", {"version": 1, "why": "w" * 10_001}, 400),
    ("PUT", "models/bad/aliases/a", {"version": 1, "by": "a\0b"}, 400),
    ("PUT", "models/none/aliases/a", {"version": 1}, 404),
    ("PUT", "models/bad/versions/1/stage", {}, 400),
    ("PUT", "models/bad/versions/1/stage", {"stage": "Live"}, 400),
    ("PUT", "models/bad/versions/1/stage", {"stage": "None", "expected": "x"}, 400),
    (
        "PUT",
        "models/bad/versions/1/stage",
        {"stage": "Archived", "archive_existing": True},
        400,
    ),
    ("PUT", "models/bad/versions/9/stage", {"stage": "Staging"}, 404),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), BAD)
def test_nonsense_is_refused_and_nothing_written(
    client: Client, method: str, path: str, body: object, status: int
) -> None:
    """With the right status, and words that help."""
    if client.ask("GET", "/api/v1/models/bad")[0] == 404:
        client.model("bad")

    found, answer = client.ask(method, f"/api/v1/{path}", body)

    assert found == status, answer
    assert answer["message"]
    assert client.own("GET", "models/bad")["aliases"] == {}
    assert client.ask("GET", "/api/v1/models/bad/transitions")[1]["transitions"] == []


@pytest.fixture(scope="module")
def run_id(client: Client) -> str:
    """Id of a run that has a model's file."""
    made = client.mlflow("runs/create", experiment_id="0")["run"]["info"]
    name = str(made["run_id"])
    path = f"/api/2.0/mlflow-artifacts/artifacts/0/{name}/artifacts/model/MLmodel"
    status, _ = client.ask("PUT", path, "flavors")
    assert status == 200

    return name


@pytest.mark.parametrize(
    "source", ["runs:/{}/model", "mlflow-artifacts:/0/{}/artifacts/model"]
)
def test_a_file_of_a_version_is_given_out(
    client: Client, run_id: str, source: str
) -> None:
    """As MLflow's pages ask for it, however the version names its place."""
    name = f"served from {source[:4]}"
    client.mlflow("registered-models/create", name=name)
    created = {"name": name, "source": source.format(run_id), "run_id": run_id}
    client.mlflow("model-versions/create", **created)
    query = {"name": name, "version": "1", "path": "MLmodel"}

    status, file = client.ask("GET", f"/model-versions/get-artifact?{urlencode(query)}")

    assert (status, file) == (200, b'"flavors"')
    for path in ("../MLmodel", "..%2fMLmodel", "/etc/passwd", "a\\b"):
        asked = urlencode(query | {"path": path})
        status, _ = client.ask("GET", f"/model-versions/get-artifact?{asked}")
        assert status == 400


def test_a_place_elsewhere_is_not_read_for_others(
    client: Client, home: Path, run_id: str
) -> None:
    """CVE-2023-1177: the server's own files and keys are nobody's model."""
    canary = home / "canary.txt"
    canary.write_text("secret")
    client.mlflow("registered-models/create", name="elsewhere")
    refused = [
        *(str(home), f"file://{home}", f"{home}/../..", "/", "file:///", "."),
        "mlflow-artifacts:/",
        "mlflow-artifacts:/0",
        f"mlflow-artifacts:/0/{run_id}",
        f"mlflow-artifacts:/0/{run_id}/artifacts/..",
        f"mlflow-artifacts:/0/{run_id}/artifacts/%2e%2e",
        f"mlflow-artifacts:/0/{run_id}/artifacts\\..",
        f"runs:/{run_id}/..",
        f"runs:/{run_id}/%2e%2e/%2e%2e",
        "models:/elsewhere/../..",
    ]
    prompt = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
    for source in refused:
        for more in ({}, {"tags": prompt}, {"model_id": "m-" + "0" * 32}):
            body = {"name": "elsewhere", "source": source, "run_id": run_id, **more}
            status, answer = client.ask(
                "POST", "/api/2.0/mlflow/model-versions/create", body
            )
            assert status in (400, 404), (source, more, answer)

    created = {"name": "elsewhere", "source": "s3://bucket/x", "run_id": run_id}
    client.mlflow("model-versions/create", **created)
    asked = urlencode({"name": "elsewhere", "version": "1", "path": "canary.txt"})
    status, answer = client.ask("GET", f"/model-versions/get-artifact?{asked}")

    assert status == 403
    assert "s3://bucket/x" in answer["message"]


def test_a_local_source_lies_in_the_artifacts_of_its_run(tmp_path: Path) -> None:
    """Where clients write to a folder by themselves, and only there."""
    root = tmp_path / "shared"
    with run_server(tmp_path / "server", "--default-artifact-root", str(root)) as url:
        client = Client(url)
        runs = [
            client.mlflow("runs/create", experiment_id="0")["run"]["info"]
            for _ in range(2)
        ]
        folder = Path(runs[0]["artifact_uri"].removeprefix("file://"))
        (folder / "model").mkdir(parents=True)
        (folder / "model" / "MLmodel").write_text("flavors")
        (folder / "way out").symlink_to(tmp_path)
        client.mlflow("registered-models/create", name="local")

        def create(source: str, run: dict[str, str]) -> int:
            body = {"name": "local", "source": source, "run_id": run["run_id"]}
            return client.ask("POST", "/api/2.0/mlflow/model-versions/create", body)[0]

        assert create(f"{folder}/model", runs[0]) == 200
        assert create(f"file://{folder}/model", runs[0]) == 200
        assert create(f"{folder}/model", runs[1]) == 400
        assert create(f"{folder}x/model", runs[0]) == 400
        assert create(f"{folder}/way out/server", runs[0]) == 400
        assert create(f"{folder}/../../..", runs[0]) == 400
        asked = urlencode({"name": "local", "version": "1", "path": "MLmodel"})
        found = client.ask("GET", f"/model-versions/get-artifact?{asked}")
        assert found == (200, b"flavors")
        client.close()
