"""Filters, orders and pages of registered models and their versions."""

from tests.wire.calls import Call, get, post


MODELS = "registered-models/search"
VERSIONS = "model-versions/search"

PROMPT = "mlflow.prompt.is_prompt"


def _model(name: str, **tags: str) -> Call:
    pairs = [{"key": key, "value": value} for key, value in tags.items()]

    return post(
        f"model {name}", "registered-models/create", {"name": name, "tags": pairs}
    )


def _version(name: str, source: str, run: str = "", **tags: str) -> Call:
    pairs = [{"key": key, "value": value} for key, value in tags.items()]
    body = {"name": name, "source": source, "tags": pairs}

    return post(
        f"version {name} {source}",
        "model-versions/create",
        body | ({"run_id": run} if run else {}),
    )


FILLED = [
    post("run", "runs/create", {"experiment_id": "0"}, run="run.info.run_id"),
    _model("alpha", team="vision", size="1"),
    _model("beta", team="speech"),
    _model("Beta"),
    _model("gamma 100%", team="vision"),
    _model("greeting", **{PROMPT: "true"}),
    _version("alpha", "s3://bucket/a1", status="good"),
    _version("alpha", "s3://bucket/a2", run="{run}", status="bad"),
    _version("beta", "s3://bucket/b1", run="{run}"),
    _version("beta", "s3://bucket/B1"),
    _version("greeting", "dummy-source", **{PROMPT: "true"}),
    post(
        "stage",
        "model-versions/transition-stage",
        {"name": "alpha", "version": "1", "stage": "Production"},
    ),
]

MODEL_FILTERS = [
    "",
    "   ",
    "name = 'alpha'",
    'name = "alpha"',
    "name = 'Alpha'",
    "name != 'alpha'",
    "name LIKE 'a%'",
    "name LIKE '%eta'",
    "name ILIKE '%ETA'",
    "name LIKE 'gamma 100%'",
    "name IN ('alpha', 'beta')",
    "name NOT IN ('alpha')",
    "name IN ()",
    "name > 'a'",
    "name = alpha",
    "name = 1",
    "name IS NULL",
    "attribute.name = 'alpha'",
    "attributes.name = 'alpha'",
    "`name` = 'alpha'",
    "tag.team = 'vision'",
    "tags.team = 'vision'",
    "tags.team != 'vision'",
    "tags.team LIKE 'v%'",
    "tags.team ILIKE 'V%'",
    "tags.team = 'vision' AND tags.size = '1'",
    "tags.team = 'vision' and name LIKE '%a%'",
    "tags.team LIKE '%' AND tags.team != 'speech'",
    "tags.`team` = 'vision'",
    "tags.\"team\" = 'vision'",
    "tags.team IN ('vision')",
    "tags.team = 1",
    "tags.none = 'x'",
    f"tags.`{PROMPT}` = 'true'",
    f"tag.`{PROMPT}` = 'true' AND name LIKE 'g%'",
    f"tags.`{PROMPT}` != 'true'",
    f"name LIKE '%a%' AND tag.`{PROMPT}` != 'true'",
    f"tags.`{PROMPT}` = 'false'",
    f"tags.`{PROMPT}` != 'false'",
    "name = 'alpha' OR name = 'beta'",
    "NOT name = 'alpha'",
    "(name = 'alpha')",
    "description = 'x'",
    "run_id = 'x'",
    "version_number = 1",
    "metrics.a > 1",
    "name = 'alpha' AND",
    "name =",
    "name",
    "'; DROP TABLE registered_model; --",
    "name = 'a' ; SELECT 1",
]

VERSION_FILTERS = [
    "",
    "name = 'alpha'",
    "name='alpha'",
    "name != 'alpha'",
    "name LIKE 'a%'",
    "name ILIKE 'A%'",
    "name IN ('alpha', 'none')",
    "name NOT IN ('alpha')",
    "run_id = '{run}'",
    "run_id != '{run}'",
    "run_id IN ('{run}')",
    "run_id IN ('{run}', 'x')",
    "run_id LIKE '%'",
    "run_id = ''",
    "source_path = 's3://bucket/b1'",
    "source_path LIKE '%/b1'",
    "source_path ILIKE '%/b1'",
    "source_path IN ('s3://bucket/b1')",
    "version_number = 1",
    "version_number = '1'",
    "version_number != 1",
    "version_number > 1",
    "version_number >= 2",
    "version_number < 2",
    "version_number <= 1",
    "version_number = 1.5",
    "version_number = 'x'",
    "version_number LIKE '1'",
    "version_number IN (1, 2)",
    "version_number = 99999999999999999999",
    "name = 'alpha' AND version_number = 2",
    "name = 'alpha' AND run_id = '{run}'",
    "tags.status = 'good'",
    "tag.status != 'good'",
    "tags.status LIKE '%d'",
    "attribute.name = 'alpha'",
    "name = 'alpha' OR name = 'beta'",
    "NOT name = 'alpha'",
    "(name = 'alpha')",
    "tags.status IS NULL",
    "tags.status IN ('good')",
    f"tags.`{PROMPT}` = 'true'",
    f"tags.`{PROMPT}` != 'true'",
    f"name = 'greeting' AND tag.`{PROMPT}` = 'true'",
    "name = 'greeting'",
    "creation_timestamp > 1",
    "current_stage = 'Production'",
    "source = 'x'",
    "version = 1",
    "name = 1",
    "name =",
    "name > 'a'",
]

MODEL_ORDERS = [
    ["name ASC"],
    ["name DESC"],
    ["name"],
    ["name asc"],
    ["timestamp DESC"],
    ["timestamp ASC", "name DESC"],
    ["last_updated_timestamp ASC"],
    ["last_updated_timestamp DESC"],
    ["creation_timestamp ASC"],
    ["name", "name DESC"],
    ["timestamp", "last_updated_timestamp"],
    ["tags.team"],
    ["description"],
    ["name UP"],
    ["name ASC DESC"],
    [""],
    ["`name` DESC"],
]

VERSION_ORDERS = [
    ["name ASC"],
    ["name DESC", "version_number ASC"],
    ["version_number DESC"],
    ["version_number ASC"],
    ["creation_timestamp ASC"],
    ["creation_timestamp DESC"],
    ["last_updated_timestamp ASC"],
    ["last_updated_timestamp DESC"],
    ["attribute.name DESC"],
    ["name", "name DESC"],
    ["run_id"],
    ["source_path"],
    ["version"],
    ["tags.status"],
    ["name UP"],
]

LIMITS: list[object] = [1, 2, 0, -1, 1000, 1001, "2", "x", 1.5, 10**30]
VERSION_LIMITS: list[object] = [1, 2, 0, -1, 200_000, 200_001, "2", "x", 1.5]

MODEL_SEARCH = [
    *FILLED,
    *[
        get(f"filter {text}|", MODELS, {"filter": text, "max_results": 100})
        for text in MODEL_FILTERS
    ],
    *[
        get(f"order {order}", MODELS, {"order_by": order, "max_results": 100})
        for order in MODEL_ORDERS
    ],
    *[
        get(f"max_results {limit!r}", MODELS, {"max_results": limit})
        for limit in LIMITS
    ],
    get("no query", MODELS),
    get("first page", MODELS, {"max_results": 3}, token="next_page_token"),
    get("second page", MODELS, {"max_results": 3, "page_token": "{token}"}),
    get("a page of nothing", MODELS, {"max_results": 3, "page_token": "none"}),
]

VERSION_SEARCH = [
    *FILLED,
    *[
        get(f"filter {text}|", VERSIONS, {"filter": text, "max_results": 100})
        for text in VERSION_FILTERS
    ],
    *[
        get(f"order {order}", VERSIONS, {"order_by": order, "max_results": 100})
        for order in VERSION_ORDERS
    ],
    *[
        get(f"max_results {limit!r}", VERSIONS, {"max_results": limit})
        for limit in VERSION_LIMITS
    ],
    get("no query", VERSIONS),
    get("first page", VERSIONS, {"max_results": 3}, token="next_page_token"),
    get("second page", VERSIONS, {"max_results": 3, "page_token": "{token}"}),
    get("a page of nothing", VERSIONS, {"max_results": 3, "page_token": "none"}),
]

SCRIPTS = {"model_search": MODEL_SEARCH, "model_version_search": VERSION_SEARCH}
