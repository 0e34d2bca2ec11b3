"""Experiments: their life, their tags, their search."""

from tests.wire.calls import Call, get, post


EMPTY: dict[str, object] = {}

LIFE = [
    get("the default experiment", "experiments/get", {"experiment_id": "0"}),
    post("create", "experiments/create", {"name": "first"}, e="experiment_id"),
    post("create again", "experiments/create", {"name": "first"}),
    post("create without a name", "experiments/create", EMPTY),
    post("create with an empty name", "experiments/create", {"name": ""}),
    post("create with a name of spaces", "experiments/create", {"name": "  "}),
    post("create with a number for a name", "experiments/create", {"name": 7}),
    post("create with null for a name", "experiments/create", {"name": None}),
    post("create with a long name", "experiments/create", {"name": "n" * 500}),
    post("create with too long a name", "experiments/create", {"name": "n" * 501}),
    post(
        "create with a name of any script",
        "experiments/create",
        {"name": "실험 / Größe #1 'x' \"y\" %_"},
        script="experiment_id",
    ),
    get("get any script", "experiments/get", {"experiment_id": "{script}"}),
    post(
        "create with tags",
        "experiments/create",
        {
            "name": "tagged",
            "tags": [{"key": "team", "value": "vision"}, {"key": "empty", "value": ""}],
        },
        tagged="experiment_id",
    ),
    post(
        "create with tags twice",
        "experiments/create",
        {
            "name": "tagged twice",
            "tags": [{"key": "a", "value": "1"}, {"key": "a", "value": "1"}],
        },
        twice="experiment_id",
    ),
    get("get tagged twice", "experiments/get", {"experiment_id": "{twice}"}),
    post(
        "create with a tag without a value",
        "experiments/create",
        {"name": "tag without", "tags": [{"key": "a"}]},
    ),
    post(
        "create with a tag without a key",
        "experiments/create",
        {"name": "tag without key", "tags": [{"value": "a"}]},
    ),
    post(
        "create with a text for tags",
        "experiments/create",
        {"name": "text tags", "tags": "x"},
    ),
    post(
        "create in a store of the client's",
        "experiments/create",
        {"name": "in s3", "artifact_location": "s3://bucket/place"},
        s3="experiment_id",
    ),
    get("get in a store", "experiments/get", {"experiment_id": "{s3}"}),
    post(
        "create with an empty place",
        "experiments/create",
        {"name": "empty place", "artifact_location": ""},
        place="experiment_id",
    ),
    get("get with an empty place", "experiments/get", {"experiment_id": "{place}"}),
    post(
        "create with a fragment in its place",
        "experiments/create",
        {"name": "fragment", "artifact_location": "s3://bucket/a#b"},
    ),
    post(
        "create with dots in its place",
        "experiments/create",
        {"name": "dots", "artifact_location": "s3://bucket/a/../../b"},
    ),
    post(
        "create in a file",
        "experiments/create",
        {"name": "file", "artifact_location": "file:///etc"},
    ),
    post(
        "create with an unknown field",
        "experiments/create",
        {"name": "unknown field", "colour": "red"},
    ),
    post("create with no body", "experiments/create"),
    post("create with broken JSON", "experiments/create", "{"),
    post("create with a list", "experiments/create", "[]"),
    post("create with a text", "experiments/create", '"text"'),
    post("create with null", "experiments/create", "null"),
    post(
        "create with JSON in JSON",
        "experiments/create",
        '"{\\"name\\": \\"inner\\"}"',
    ),
    get("get", "experiments/get", {"experiment_id": "{e}"}),
    get("get a missing one", "experiments/get", {"experiment_id": "123456"}),
    get("get a word", "experiments/get", {"experiment_id": "abc"}),
    get("get a negative", "experiments/get", {"experiment_id": "-1"}),
    get("get an empty id", "experiments/get", {"experiment_id": ""}),
    get("get without an id", "experiments/get"),
    get("get another field", "experiments/get", {"name": "first"}),
    get("get by name", "experiments/get-by-name", {"experiment_name": "first"}),
    get(
        "get Default by name", "experiments/get-by-name", {"experiment_name": "Default"}
    ),
    get("get a missing name", "experiments/get-by-name", {"experiment_name": "none"}),
    get("get by another case", "experiments/get-by-name", {"experiment_name": "FIRST"}),
    get("get an empty name", "experiments/get-by-name", {"experiment_name": ""}),
    get("get no name", "experiments/get-by-name"),
    post(
        "rename", "experiments/update", {"experiment_id": "{e}", "new_name": "second"}
    ),
    get("get renamed", "experiments/get", {"experiment_id": "{e}"}),
    post(
        "rename to the same",
        "experiments/update",
        {"experiment_id": "{e}", "new_name": "second"},
    ),
    post(
        "rename to a taken name",
        "experiments/update",
        {"experiment_id": "{e}", "new_name": "tagged"},
    ),
    post("rename without a name", "experiments/update", {"experiment_id": "{e}"}),
    post(
        "rename to nothing",
        "experiments/update",
        {"experiment_id": "{e}", "new_name": ""},
    ),
    post(
        "rename to too long a name",
        "experiments/update",
        {"experiment_id": "{e}", "new_name": "n" * 501},
    ),
    post("rename without an id", "experiments/update", {"new_name": "x"}),
    post(
        "rename a missing one",
        "experiments/update",
        {"experiment_id": "123456", "new_name": "x"},
    ),
    post("delete", "experiments/delete", {"experiment_id": "{e}"}),
    get("get deleted", "experiments/get", {"experiment_id": "{e}"}),
    get(
        "get deleted by name", "experiments/get-by-name", {"experiment_name": "second"}
    ),
    post("delete again", "experiments/delete", {"experiment_id": "{e}"}),
    post("delete a missing one", "experiments/delete", {"experiment_id": "123456"}),
    post("delete without an id", "experiments/delete", EMPTY),
    post("create a deleted name", "experiments/create", {"name": "second"}),
    post(
        "rename a deleted one",
        "experiments/update",
        {"experiment_id": "{e}", "new_name": "third"},
    ),
    post(
        "tag a deleted one",
        "experiments/set-experiment-tag",
        {"experiment_id": "{e}", "key": "a", "value": "b"},
    ),
    post("a run in a deleted one", "runs/create", {"experiment_id": "{e}"}),
    post("restore", "experiments/restore", {"experiment_id": "{e}"}),
    get("get restored", "experiments/get", {"experiment_id": "{e}"}),
    post("restore a live one", "experiments/restore", {"experiment_id": "{e}"}),
    post("restore a missing one", "experiments/restore", {"experiment_id": "123456"}),
    post("restore without an id", "experiments/restore", EMPTY),
    post("create under the other version", "/api/3.0/mlflow/experiments/create", EMPTY),
    post("create as a page does", "/ajax-api/2.0/mlflow/experiments/create", EMPTY),
]

RUNS_OF_DELETED = [
    post(
        "make one for runs", "experiments/create", {"name": "runs"}, r="experiment_id"
    ),
    post(
        "a run that stays",
        "runs/create",
        {"experiment_id": "{r}", "start_time": 1},
        stays="run.info.run_id",
    ),
    post(
        "a run that goes before",
        "runs/create",
        {"experiment_id": "{r}", "start_time": 1},
        goes="run.info.run_id",
    ),
    post("delete it before", "runs/delete", {"run_id": "{goes}"}),
    post("delete with runs", "experiments/delete", {"experiment_id": "{r}"}),
    get("a run of a deleted one", "runs/get", {"run_id": "{stays}"}),
    post(
        "log to a run of a deleted one",
        "runs/log-metric",
        {"run_id": "{stays}", "key": "m", "value": 1, "timestamp": 1},
    ),
    post("restore with runs", "experiments/restore", {"experiment_id": "{r}"}),
    get("a run of a restored one", "runs/get", {"run_id": "{stays}"}),
]


def _tag(says: str, **body: object) -> Call:
    return post(says, "experiments/set-experiment-tag", body)


TAGS = [
    post(
        "make one for tags", "experiments/create", {"name": "tags"}, t="experiment_id"
    ),
    _tag("tag", experiment_id="{t}", key="a", value="1"),
    _tag("tag again", experiment_id="{t}", key="a", value="2"),
    _tag("tag with nothing", experiment_id="{t}", key="b", value=""),
    _tag("tag without a value", experiment_id="{t}", key="c"),
    _tag("tag without a key", experiment_id="{t}", value="1"),
    _tag("tag with an empty key", experiment_id="{t}", key="", value="1"),
    _tag("tag without an id", key="a", value="1"),
    _tag("tag a missing one", experiment_id="123456", key="a", value="1"),
    _tag("tag with a long key", experiment_id="{t}", key="k" * 250, value="1"),
    _tag("tag with too long a key", experiment_id="{t}", key="k" * 251, value="1"),
    _tag("tag with a long value", experiment_id="{t}", key="l", value="v" * 20_000),
    _tag("tag with too long a value", experiment_id="{t}", key="l", value="v" * 20_001),
    _tag("tag with a bad key", experiment_id="{t}", key="a*b", value="1"),
    _tag("tag with a path for a key", experiment_id="{t}", key="a/../b", value="1"),
    _tag("tag with a number", experiment_id="{t}", key="n", value=5),
    _tag("tag of the UI", experiment_id="{t}", key="mlflow.note.content", value="# Hi"),
    get("get tags", "experiments/get", {"experiment_id": "{t}"}),
    post(
        "remove a tag",
        "experiments/delete-experiment-tag",
        {"experiment_id": "{t}", "key": "a"},
    ),
    post(
        "remove a tag again",
        "experiments/delete-experiment-tag",
        {"experiment_id": "{t}", "key": "a"},
    ),
    post(
        "remove a tag without a key",
        "experiments/delete-experiment-tag",
        {"experiment_id": "{t}"},
    ),
    post(
        "remove a tag of a missing one",
        "experiments/delete-experiment-tag",
        {"experiment_id": "123456", "key": "a"},
    ),
    post(
        "remove a tag without an id", "experiments/delete-experiment-tag", {"key": "a"}
    ),
]


def _search(says: str, keep: str = "", **body: object) -> Call:
    kept = {keep: "next_page_token"} if keep else {}
    return post(says, "experiments/search", body, **kept)


FILTERS = [
    "name = 'alpha'",
    "name != 'alpha'",
    "name LIKE 'al%'",
    "name ILIKE 'AL%'",
    "name LIKE 'AL%'",
    "attribute.name = 'alpha'",
    "attributes.name = 'alpha'",
    "tags.team = 'vision'",
    "tag.team = 'vision'",
    "tags.`team` = 'vision'",
    "tags.team != 'vision'",
    "tags.team LIKE '%s%'",
    "tags.team ILIKE 'VIS%'",
    "tags.team IS NULL",
    "tags.team IS NOT NULL",
    "tags.none = 'x'",
    "name = 'alpha' AND tags.team = 'vision'",
    "creation_time > 0",
    "creation_time < 0",
    "last_update_time >= 1",
    "name IN ('alpha', 'beta')",
    "name = alpha",
    "name > 'alpha'",
    "creation_time = 'x'",
    "metrics.m > 1",
    "params.p = 'x'",
    "colour = 'red'",
    "name = 'alpha' OR name = 'beta'",
    "name",
    "name =",
    "= 'alpha'",
    "'alpha' = name",
    "tags.team > 'a'",
    "name = 'it''s'",
    "",
    "   ",
]
ORDERS = [
    ["name"],
    ["name ASC"],
    ["name DESC"],
    ["NAME DESC"],
    ["name desc"],
    ["attribute.name DESC"],
    ["experiment_id ASC"],
    ["experiment_id DESC"],
    ["creation_time ASC"],
    ["creation_time ASC", "name DESC"],
    ["last_update_time DESC"],
    ["tags.team"],
    ["colour"],
    ["name UP"],
    ["name, experiment_id"],
    [""],
    [],
]

SEARCH = [
    *(
        post(f"make {name}", "experiments/create", {"name": name, "tags": tags})
        for name, tags in (
            ("alpha", [{"key": "team", "value": "vision"}]),
            ("beta", [{"key": "team", "value": "speech"}]),
            ("gamma", []),
        )
    ),
    post(
        "make a deleted one", "experiments/create", {"name": "gone"}, g="experiment_id"
    ),
    post("delete that one", "experiments/delete", {"experiment_id": "{g}"}),
    _search("search without max_results"),
    *(
        _search(f"search with max_results {n!r}", max_results=n)
        for n in (0, -1, 1, 2, 50_000, 50_001, "3", "x", None, 2.5)
    ),
    _search("first page", keep="p", max_results=2, order_by=["name ASC"]),
    _search("second page", max_results=2, order_by=["name ASC"], page_token="{p}"),
    _search("a page of nonsense", max_results=2, page_token="nonsense"),
    _search("an empty page token", max_results=9, page_token="", order_by=["name"]),
    *(
        _search(f"view {view!r}", max_results=9, view_type=view, order_by=["name"])
        for view in (
            "ACTIVE_ONLY",
            "DELETED_ONLY",
            "ALL",
            1,
            2,
            3,
            "1",
            "2",
            4,
            0,
            "NONE",
            "",
            None,
        )
    ),
    *(
        _search(f"filter {text}|", max_results=9, filter=text, order_by=["name"])
        for text in FILTERS
    ),
    *(_search(f"order {order}", max_results=9, order_by=order) for order in ORDERS),
    get("search by a query", "experiments/search", {"max_results": 5}),
    get("search by an empty query", "experiments/search"),
    get(
        "search by a query with lists",
        "experiments/search",
        {
            "max_results": 5,
            "order_by": ["name DESC", "experiment_id"],
            "view_type": "ALL",
            "filter": "name != 'Default'",
        },
    ),
]

SCRIPTS = {
    "experiments": [*LIFE, *RUNS_OF_DELETED],
    "experiment_tags": TAGS,
    "experiment_search": SEARCH,
}
