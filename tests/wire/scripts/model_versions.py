"""Versions of models: their life, where they come from, their stages and tags."""

from tests.wire.calls import Call, delete, get, patch, post


EMPTY: dict[str, object] = {}
CREATE = "model-versions/create"
GET = "model-versions/get"
STAGE = "model-versions/transition-stage"
LATEST = "registered-models/get-latest-versions"

RUN = post("run", "runs/create", {"experiment_id": "0"}, run="run.info.run_id")
MODEL = post("model", "registered-models/create", {"name": "iris"})


def _create(says: str, source: object, name: str = "iris", **more: object) -> Call:
    return post(says, CREATE, {"name": name, "source": source, **more})


def _get(says: str, version: object, name: str = "iris") -> Call:
    return get(says, GET, {"name": name, "version": version})


LIFE = [
    RUN,
    MODEL,
    _create("create", "s3://bucket/iris"),
    _create("create with a run", "runs:/{run}/model", run_id="{run}"),
    _create(
        "create with everything",
        "s3://bucket/iris",
        run_id="{run}",
        run_link="https://elsewhere/run",
        description="third",
        tags=[{"key": "a", "value": "1"}, {"key": "b", "value": ""}],
    ),
    _create("create of a missing model", "s3://bucket/iris", name="none"),
    post("create without a source", CREATE, {"name": "iris"}),
    post("create without a name", CREATE, {"source": "s3://bucket/iris"}),
    post("create with nothing", CREATE, EMPTY),
    _create("create with an empty source", ""),
    _create("create with a number for a source", 7),
    _create("create with a text for tags", "s3://bucket/iris", tags="x"),
    _create(
        "create with a bad tag", "s3://bucket/iris", tags=[{"key": "*", "value": "1"}]
    ),
    _create(
        "create with a tag twice",
        "s3://bucket/iris",
        tags=[{"key": "a", "value": "1"}, {"key": "a", "value": "2"}],
    ),
    _get("get", "1"),
    _get("get with a run", "2"),
    _get("get with everything", "3"),
    _get("get with a zero", "01"),
    _get("get a missing version", "9"),
    _get("get a word", "one"),
    _get("get nothing", ""),
    _get("get a fraction", "1.5"),
    _get("get a huge one", "9" * 30),
    _get("get a negative one", "-1"),
    _get("get of a missing model", "1", name="none"),
    get("get without a version", GET, {"name": "iris"}),
    get("get without a name", GET, {"version": "1"}),
    get("get the model", "registered-models/get", {"name": "iris"}),
    patch(
        "describe",
        "model-versions/update",
        {"name": "iris", "version": "1", "description": "first"},
    ),
    patch(
        "describe with nothing",
        "model-versions/update",
        {"name": "iris", "version": "1", "description": ""},
    ),
    patch(
        "describe without words",
        "model-versions/update",
        {"name": "iris", "version": "3"},
    ),
    patch(
        "describe a missing one",
        "model-versions/update",
        {"name": "iris", "version": "9", "description": "x"},
    ),
    get(
        "download uri",
        "model-versions/get-download-uri",
        {"name": "iris", "version": "2"},
    ),
    get(
        "download uri of a missing one",
        "model-versions/get-download-uri",
        {"name": "iris", "version": "9"},
    ),
    get("download uri of nothing", "model-versions/get-download-uri", {"name": "iris"}),
    delete("delete", "model-versions/delete", {"name": "iris", "version": "3"}),
    delete("delete again", "model-versions/delete", {"name": "iris", "version": "3"}),
    delete("delete a word", "model-versions/delete", {"name": "iris", "version": "x"}),
    delete("delete no one", "model-versions/delete", {"name": "iris"}),
    _get("get a deleted one", "3"),
    get(
        "download uri of a deleted one",
        "model-versions/get-download-uri",
        {"name": "iris", "version": "3"},
    ),
    delete(
        "delete the last", "model-versions/delete", {"name": "iris", "version": "4"}
    ),
    _create("create after a deleted one", "s3://bucket/iris"),
    post(
        "rename the model",
        "registered-models/rename",
        {"name": "iris", "new_name": "flowers"},
    ),
    _get("get by the old name", "1"),
    _get("get by the new name", "1", name="flowers"),
    delete("delete the model", "registered-models/delete", {"name": "flowers"}),
    _get("get of a deleted model", "1", name="flowers"),
    post("the model anew", "registered-models/create", {"name": "flowers"}),
    _create("its first version", "s3://bucket/iris", name="flowers"),
]

PLACE = "mlflow-artifacts:/0/{run}/artifacts"
BAD_SOURCES = [
    "/etc",
    "/etc/passwd",
    "etc",
    "./model",
    "../../etc",
    "file:///etc",
    "file:etc",
    "file://host/etc",
    "FILE:///etc",
    "//proc/self/root",
    "s3://bucket/../x",
    "s3://bucket/a/%2e%2e/x",
    "s3://bucket/a/%252e%252e/x",
    "http://host/api/2.0/mlflow-artifacts/artifacts/../../../",
    "http://host/api/2.0/mlflow-artifacts/artifacts/0/x",
    "mlflow-artifacts:/../../etc",
    "mlflow-artifacts://host/0/x",
    "mlflow-artifacts:/0/other/artifacts/model",
    "runs:/{run}/../x",
    "runs://host/{run}/model",
    "runs:/",
    "runs:/none/model",
    "models:/",
    "models:/none/1",
    "models:/iris/9",
    "models:/iris/1/2",
    "models://host/iris/1",
    "models:/iris@none",
    "models:/iris/NoStage",
    "models:/m-0123456789abcdef0123456789abcdef",
    "s3://bucket/a#b",
    "s3://bucket/a?b",
    "s3://bucket/a;b",
    "s3://bucket/a\x00b",
    "s3://bucket/a%00b",
    "javascript:alert(1)",
    "dbfs:/a/b",
    "C:\\windows",
    "..\\..\\x",
    "hdfs://host/path",
    "gopher://host/x",
]

SOURCES = [
    RUN,
    MODEL,
    post("other run", "runs/create", {"experiment_id": "0"}, other="run.info.run_id"),
    _create("first", "s3://bucket/iris"),
    # In a model of their own: what is refused counts no version on.
    post("odd model", "registered-models/create", {"name": "odd"}),
    *[_create(f"source {ascii(source)[:60]}", source, "odd") for source in BAD_SOURCES],
    *[
        _create(f"with a run: {ascii(source)[:60]}", source, "odd", run_id="{run}")
        for source in BAD_SOURCES
    ],
    _create("without the run", "runs:/{run}"),
    _create("the run's root", "runs:/{run}", run_id="{run}"),
    _create("inside the run", PLACE + "/model", run_id="{run}"),
    _create("the run itself", PLACE, run_id="{run}"),
    _create("inside the run, without it", PLACE + "/model"),
    _create("beside the run", PLACE + "x/model", run_id="{run}"),
    _create("inside another run", PLACE + "/model", run_id="{other}"),
    _create("inside a missing run", PLACE + "/model", run_id="0" * 32),
    _create("of another run", "runs:/{run}/model", run_id="{other}"),
    _create("of a missing run", "runs:/" + "0" * 32 + "/model", run_id="0" * 32),
    _create("with a missing run", "s3://bucket/iris", run_id="0" * 32),
    _create("with a run that is none", "s3://bucket/iris", run_id="../x"),
    _create(
        "with a missing model", "s3://bucket/iris", "odd", model_id="m-" + "0" * 32
    ),
    _create(
        "of a missing model",
        "models:/m-" + "0" * 32,
        "odd",
        model_id="m-" + "0" * 32,
    ),
    _create("in gs", "gs://bucket/iris"),
    _create("in wasbs", "wasbs://box@account.blob.core.windows.net/iris"),
    _create("with a slash at the end", "s3://bucket/iris/"),
    _create("with spaces and signs", "s3://bucket/내 모델/a b+c"),
    _create("long", "s3://bucket/" + "long/" * 90 + "a"),
]

COPIES = [
    RUN,
    MODEL,
    _create("first", "runs:/{run}/model", run_id="{run}"),
    _create("second", "s3://bucket/iris"),
    post("other model", "registered-models/create", {"name": "prod"}),
    _create("copy", "models:/iris/1", name="prod"),
    _get("get the copy", "1", name="prod"),
    get(
        "download uri of the copy",
        "model-versions/get-download-uri",
        {"name": "prod", "version": "1"},
    ),
    _create("copy of a copy", "models:/prod/1", name="prod"),
    get(
        "download uri of the copy's copy",
        "model-versions/get-download-uri",
        {"name": "prod", "version": "2"},
    ),
    _create("copy with its run", "models:/iris/1", name="prod", run_id="{run}"),
    _create("copy with another run", "models:/iris/2", name="prod", run_id="{run}"),
    _create("copy with an empty run", "models:/iris/2", name="prod", run_id=""),
    _create("copy the latest", "models:/iris/latest", name="prod"),
    post(
        "alias",
        "registered-models/alias",
        {"name": "iris", "alias": "champion", "version": "2"},
    ),
    _create("copy by alias", "models:/iris@champion", name="prod"),
    post("stage", STAGE, {"name": "iris", "version": "1", "stage": "Production"}),
    _create("copy by stage", "models:/iris/production", name="prod"),
    _create("copy by an empty stage", "models:/iris/Staging", name="prod"),
    delete(
        "delete the source", "model-versions/delete", {"name": "iris", "version": "1"}
    ),
    _get("the copy stays", "1", name="prod"),
    post(
        "a prompt",
        "registered-models/create",
        {
            "name": "greeting",
            "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}],
        },
    ),
    _create(
        "version of a prompt",
        "dummy-source",
        name="greeting",
        tags=[
            {"key": "mlflow.prompt.is_prompt", "value": "true"},
            {"key": "mlflow.prompt.text", "value": "Hi {{name}}"},
        ],
    ),
    _create(
        "a file as a prompt",
        "/etc/passwd",
        name="greeting",
        tags=[{"key": "mlflow.prompt.is_prompt", "value": "true"}],
    ),
    _create(
        "a file as no prompt",
        "/etc/passwd",
        name="greeting",
        tags=[{"key": "mlflow.prompt.is_prompt", "value": "false"}],
    ),
    _create("placeholder without the tag", "dummy-source", name="greeting"),
    _create("copy a prompt", "models:/greeting/1", name="prod"),
    _get("get the prompt", "1", name="greeting"),
]


def _stage(says: str, version: object, stage: object, **more: object) -> Call:
    return post(
        says, STAGE, {"name": "iris", "version": version, "stage": stage, **more}
    )


def _latest(says: str, *stages: str) -> Call:
    return post(says, LATEST, {"name": "iris", "stages": list(stages)})


STAGES = [
    MODEL,
    *[_create(f"version {number}", f"s3://bucket/{number}") for number in range(1, 6)],
    _stage("to staging", "1", "Staging"),
    _stage("to staging in small letters", "2", "staging"),
    _stage("to production", "3", "PRODUCTION"),
    _stage("to archived", "4", "Archived"),
    _stage("to a stage that is none", "1", "Live"),
    _stage("to the internal stage", "1", "Deleted_Internal"),
    _stage("to nothing", "1", ""),
    post("without a stage", STAGE, {"name": "iris", "version": "1"}),
    post("without a version", STAGE, {"name": "iris", "stage": "Staging"}),
    _stage("a missing version", "9", "Staging"),
    _stage("a word for a version", "x", "Staging"),
    _stage(
        "a missing version, archiving", "9", "Staging", archive_existing_versions=True
    ),
    get("get the model", "registered-models/get", {"name": "iris"}),
    _latest("latest"),
    _latest("latest in staging", "Staging"),
    _latest("latest in two stages", "production", "None"),
    _latest("latest in a stage that is none", "Live"),
    get("latest by a query", LATEST, {"name": "iris"}),
    get("latest in a stage by a query", LATEST, {"name": "iris", "stages": "Staging"}),
    post("latest of a missing one", LATEST, {"name": "none"}),
    post("latest of nothing", LATEST, EMPTY),
    _stage("archive the others", "5", "Staging", archive_existing_versions=True),
    _stage("archive itself not", "5", "staging", archive_existing_versions=True),
    _stage("archive for archived", "5", "Archived", archive_existing_versions=True),
    _stage("archive for none", "5", "None", archive_existing_versions=True),
    _stage("archive with a word", "5", "Staging", archive_existing_versions="true"),
    _stage("archive with another word", "5", "Staging", archive_existing_versions="x"),
    _stage("back to none", "3", "none"),
    get("get the model again", "registered-models/get", {"name": "iris"}),
    *[_get(f"get {number}", str(number)) for number in range(1, 6)],
    post(
        "alias",
        "registered-models/alias",
        {"name": "iris", "alias": "champion", "version": "5"},
    ),
    _latest("latest with an alias"),
]

TAGS = [
    MODEL,
    _create("version", "s3://bucket/iris"),
    post(
        "set a tag",
        "model-versions/set-tag",
        {"name": "iris", "version": "1", "key": "status", "value": "approved"},
    ),
    post(
        "set it again",
        "model-versions/set-tag",
        {"name": "iris", "version": "1", "key": "status", "value": "rejected"},
    ),
    post(
        "set an empty value",
        "model-versions/set-tag",
        {"name": "iris", "version": "1", "key": "e"},
    ),
    _get("get", "1"),
    post(
        "set on a missing version",
        "model-versions/set-tag",
        {"name": "iris", "version": "9", "key": "a", "value": "1"},
    ),
    post(
        "set on a missing model",
        "model-versions/set-tag",
        {"name": "none", "version": "1", "key": "a", "value": "1"},
    ),
    post(
        "set on a word",
        "model-versions/set-tag",
        {"name": "iris", "version": "x", "key": "a", "value": "1"},
    ),
    post(
        "set without a key",
        "model-versions/set-tag",
        {"name": "iris", "version": "1", "value": "1"},
    ),
    post(
        "set a bad key",
        "model-versions/set-tag",
        {"name": "iris", "version": "1", "key": "a*", "value": "1"},
    ),
    post(
        "set too long a value",
        "model-versions/set-tag",
        {"name": "iris", "version": "1", "key": "long", "value": "v" * 100_001},
    ),
    delete(
        "delete a tag",
        "model-versions/delete-tag",
        {"name": "iris", "version": "1", "key": "status"},
    ),
    delete(
        "delete it again",
        "model-versions/delete-tag",
        {"name": "iris", "version": "1", "key": "status"},
    ),
    delete(
        "delete of a missing version",
        "model-versions/delete-tag",
        {"name": "iris", "version": "9", "key": "status"},
    ),
    _get("get the rest", "1"),
]

SCRIPTS = {
    "model_versions": LIFE,
    "model_version_sources": SOURCES,
    "model_version_copies": COPIES,
    "model_version_stages": STAGES,
    "model_version_tags": TAGS,
}
