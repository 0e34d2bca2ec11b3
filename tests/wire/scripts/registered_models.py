"""Registered models: their life, their names, their tags and aliases."""

from tests.wire.calls import Call, delete, get, patch, post


EMPTY: dict[str, object] = {}
CREATE = "registered-models/create"
GET = "registered-models/get"
ALIAS = "registered-models/alias"

LIFE = [
    post("create", CREATE, {"name": "iris"}),
    post("create again", CREATE, {"name": "iris"}),
    post("create without a name", CREATE, EMPTY),
    post("create with an empty name", CREATE, {"name": ""}),
    post("create with a number for a name", CREATE, {"name": 7}),
    post("create with null for a name", CREATE, {"name": None}),
    post(
        "create with everything",
        CREATE,
        {
            "name": "digits",
            "description": "reads digits",
            "tags": [{"key": "team", "value": "vision"}, {"key": "empty", "value": ""}],
        },
    ),
    get("get", GET, {"name": "iris"}),
    get("get with everything", GET, {"name": "digits"}),
    get("get nothing", GET),
    get("get a missing one", GET, {"name": "none"}),
    get("get in another case", GET, {"name": "Iris"}),
    get("get with a space", GET, {"name": "iris "}),
    get(
        "get at the other door", "/ajax-api/2.0/mlflow/registered-models/get?name=iris"
    ),
    patch(
        "describe", "registered-models/update", {"name": "iris", "description": "new"}
    ),
    patch(
        "describe with nothing",
        "registered-models/update",
        {"name": "iris", "description": ""},
    ),
    patch("describe without words", "registered-models/update", {"name": "digits"}),
    patch(
        "describe a missing one",
        "registered-models/update",
        {"name": "none", "description": "x"},
    ),
    patch("describe no one", "registered-models/update", {"description": "x"}),
    post("rename", "registered-models/rename", {"name": "iris", "new_name": "flowers"}),
    get("get by the old name", GET, {"name": "iris"}),
    get("get by the new name", GET, {"name": "flowers"}),
    post(
        "rename to its own name",
        "registered-models/rename",
        {"name": "flowers", "new_name": "flowers"},
    ),
    post(
        "rename to a taken name",
        "registered-models/rename",
        {"name": "flowers", "new_name": "digits"},
    ),
    post("rename to nothing", "registered-models/rename", {"name": "flowers"}),
    post(
        "rename to a bad name",
        "registered-models/rename",
        {"name": "flowers", "new_name": "a/b"},
    ),
    post(
        "rename a missing one",
        "registered-models/rename",
        {"name": "none", "new_name": "x"},
    ),
    delete("delete", "registered-models/delete", {"name": "flowers"}),
    delete("delete again", "registered-models/delete", {"name": "flowers"}),
    delete("delete no one", "registered-models/delete", EMPTY),
    get("get a deleted one", GET, {"name": "flowers"}),
    post("create a deleted one anew", CREATE, {"name": "flowers"}),
    post("create with broken JSON", CREATE, '{"name": '),
    post("create with a text for tags", CREATE, {"name": "t", "tags": "x"}),
    post(
        "create with a tag twice",
        CREATE,
        {
            "name": "twice",
            "tags": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}],
        },
    ),
    post(
        "create with a tag without a key",
        CREATE,
        {"name": "no key", "tags": [{"value": "1"}]},
    ),
    post(
        "create with a tag without a value",
        CREATE,
        {"name": "no value", "tags": [{"key": "a"}]},
    ),
    post(
        "create a prompt",
        CREATE,
        {
            "name": "greeting",
            "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}],
        },
    ),
    post("create a model of a prompt's name", CREATE, {"name": "greeting"}),
    post(
        "create a prompt of a model's name",
        CREATE,
        {
            "name": "digits",
            "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}],
        },
    ),
]

NAMES = [
    "실험 #1 'x' \"y\" %_",
    "a b",
    "a/b",
    "a:b",
    "..",
    ".",
    "a.b",
    "a..b",
    "../x",
    "/a",
    "a%2Fb",
    "a%20b",
    "a%00b",
    "100%",
    "a\\b",
    "..\\b",
    "a\nb",
    "a\tb",
    "a\x00b",
    "a\x1bb",
    "a\u200bb",
    "a\u202eb",
    "a\u00a0b",
    " a",
    "a ",
    "a.",
    "A B",
    "  ",
    "é",
    "e\u0301",
    "\u0430",
    "<script>alert(1)</script>",
    "'; DROP TABLE registered_model; --",
    "$(touch x)",
    "{{7*7}}",
    "-x",
    "a#b",
    "a?b",
    "a;b",
    "a@b",
    "a&b=c",
    "latest",
    "m-0123456789abcdef0123456789abcdef",
    "😀",
    "n" * 256,
    "n" * 501,
]

HOSTILE = [
    call
    for name in NAMES
    for shown in [ascii(name)[:40] + str(len(name))]
    for call in (
        post(f"create {shown}", CREATE, {"name": name}),
        get(f"get {shown}", GET, {"name": name}),
    )
]

TAGS = [
    post("create", CREATE, {"name": "iris"}),
    post(
        "set a tag",
        "registered-models/set-tag",
        {"name": "iris", "key": "team", "value": "vision"},
    ),
    post(
        "set it again",
        "registered-models/set-tag",
        {"name": "iris", "key": "team", "value": "speech"},
    ),
    post(
        "set an empty value", "registered-models/set-tag", {"name": "iris", "key": "e"}
    ),
    post(
        "set an odd key",
        "registered-models/set-tag",
        {"name": "iris", "key": "a/b c:d-e_f.g", "value": "1"},
    ),
    get("get", GET, {"name": "iris"}),
    post("set without a key", "registered-models/set-tag", {"name": "iris"}),
    post("set without a name", "registered-models/set-tag", {"key": "a", "value": "1"}),
    post(
        "set on a missing one",
        "registered-models/set-tag",
        {"name": "none", "key": "a", "value": "1"},
    ),
    post(
        "set a bad key",
        "registered-models/set-tag",
        {"name": "iris", "key": "../a", "value": "1"},
    ),
    post(
        "set a bad sign",
        "registered-models/set-tag",
        {"name": "iris", "key": "a*", "value": "1"},
    ),
    post(
        "set a long key",
        "registered-models/set-tag",
        {"name": "iris", "key": "k" * 251, "value": "1"},
    ),
    post(
        "set a long value",
        "registered-models/set-tag",
        {"name": "iris", "key": "long", "value": "v" * 5_000},
    ),
    post(
        "set too long a value",
        "registered-models/set-tag",
        {"name": "iris", "key": "too long", "value": "v" * 100_001},
    ),
    delete(
        "delete a tag", "registered-models/delete-tag", {"name": "iris", "key": "team"}
    ),
    delete(
        "delete it again",
        "registered-models/delete-tag",
        {"name": "iris", "key": "team"},
    ),
    delete(
        "delete of a missing one",
        "registered-models/delete-tag",
        {"name": "none", "key": "team"},
    ),
    delete("delete without a key", "registered-models/delete-tag", {"name": "iris"}),
    get("get the rest", GET, {"name": "iris"}),
]


def _version(says: str) -> Call:
    body = {"name": "iris", "source": "s3://bucket/iris"}

    return post(says, "model-versions/create", body)


def _set(says: str, alias: object, version: object, name: str = "iris") -> Call:
    return post(says, ALIAS, {"name": name, "alias": alias, "version": version})


ALIASES = [
    post("create", CREATE, {"name": "iris"}),
    _version("first"),
    _version("second"),
    _set("set", "champion", "1"),
    _set("set another", "challenger", "2"),
    _set("set a number", "number", 2),
    get("get", GET, {"name": "iris"}),
    get("get the version", "model-versions/get", {"name": "iris", "version": "2"}),
    get("by alias", ALIAS, {"name": "iris", "alias": "champion"}),
    _set("move", "champion", "2"),
    get("by the moved alias", ALIAS, {"name": "iris", "alias": "champion"}),
    get("by another case", ALIAS, {"name": "iris", "alias": "Champion"}),
    get("by a missing alias", ALIAS, {"name": "iris", "alias": "none"}),
    get("by no alias", ALIAS, {"name": "iris"}),
    get("by alias of a missing one", ALIAS, {"name": "none", "alias": "champion"}),
    get("by latest", ALIAS, {"name": "iris", "alias": "latest"}),
    get("by a bad alias", ALIAS, {"name": "iris", "alias": "a b"}),
    _set("set latest", "latest", "1"),
    _set("set Latest", "LATEST", "1"),
    _set("set v1", "v1", "1"),
    _set("set v1x", "v1x", "1"),
    _set("set any script", "챔피언", "1"),
    _set("set a slash", "a/b", "1"),
    _set("set a space", "a b", "1"),
    _set("set a line", "a\n", "1"),
    _set("set nothing", "", "1"),
    _set("set a long one", "a" * 255, "1"),
    _set("set too long a one", "a" * 256, "1"),
    _set("set to a missing version", "x", "9"),
    _set("set to a word", "x", "one"),
    _set("set to no version", "x", ""),
    _set("set to a fraction", "x", "1.5"),
    _set("set to a huge version", "x", "9" * 30),
    _set("set to a negative version", "x", "-1"),
    _set("set on a missing one", "x", "1", name="none"),
    delete("delete", ALIAS, {"name": "iris", "alias": "champion"}),
    delete("delete again", ALIAS, {"name": "iris", "alias": "champion"}),
    delete("delete of a missing one", ALIAS, {"name": "none", "alias": "champion"}),
    delete("delete a bad one", ALIAS, {"name": "iris", "alias": "a b"}),
    delete("delete without an alias", ALIAS, {"name": "iris"}),
    delete(
        "delete the version",
        "model-versions/delete",
        {"name": "iris", "version": "2"},
    ),
    get("get the rest", GET, {"name": "iris"}),
    get("by an alias that went too", ALIAS, {"name": "iris", "alias": "challenger"}),
]

SCRIPTS = {
    "registered_models": LIFE,
    "registered_model_names": HOSTILE,
    "registered_model_tags": TAGS,
    "registered_model_aliases": ALIASES,
}
