"""Where we answer differently on purpose: what we answer, and why."""

from typing import Final


OK: Final = "200"
BAD: Final = "400 INVALID_PARAMETER_VALUE"
GONE: Final = "404 RESOURCE_DOES_NOT_EXIST"
TAKEN: Final = "400 RESOURCE_ALREADY_EXISTS"

Same = dict[str, tuple[str, str]]


def _each(outline: str, reason: str, *says: str) -> Same:
    return dict.fromkeys(says, (outline, reason))


NOT_JSON = "MLflow takes a body that is not JSON for an empty one, or answers 500"
MISFIT = "MLflow drops a field of the wrong type without a word, we say which one"
WHOLE = "MLflow cuts long values, we keep them whole"
RICHER = "our filters can do more: OR, NOT, parentheses, IN on every text"
TWICE = "MLflow breaks on its own unique key, we keep the last value"
ANY_VERSION = "MLflow has each path under one version only, we under all"
NO_MODEL = "MLflow writes the run's half and fails at the model, we write nothing"
IN_PATH = "the model's id stands in the path"
NOT_500 = "a client's mistake is not a 500"
NO_FIELD = "MLflow reads a missing number as 0 and complains about the 0"

OUR_SHAPE = "our errors have one shape, also on OpenTelemetry's wire"
NOT_OURS = "a client's mistake is not a 500"
ALIASES = "wherever a version stands, its aliases stand beside it"
HIDDEN = "a name with signs that cannot be seen passes for another one (E6.14)"
ENCODED = "a name that is another one once decoded shadows it (CVE-2024-3099)"
COMPOSED = "one text is one name, whichever way Unicode spells it (E6.14)"
LONG = "a name of any length fills pages and indexes (CVE-2024-6838)"
SMUGGLED = "a place has no fragment, query or params (CVE-2024-1483)"
NOWHERE = "nothing here or in a client reads models from there"


def _named(reason: str, *names: str) -> Same:
    shown = [ascii(name)[:40] + str(len(name)) for name in names]
    says = [f"{verb} {name}" for name in shown for verb in ("create", "get")]

    return _each(BAD, reason, *says)


def _with_and_without_run(reason: str, *sources: str) -> Same:
    says = [
        f"{how}: {source!r}" if how == "with a run" else f"{how} {source!r}"
        for source in sources
        for how in ("source", "with a run")
    ]

    return _each(BAD, reason, *says)


DIFFERENT: Final[dict[str, Same]] = {
    "about": _each(
        OK,
        "server-info tells what this server can do",
        "server info",
        "server info of a page",
    ),
    "bulk": {
        **_each(OK, ANY_VERSION, "bulk at the other door"),
        **_each(OK, "we send a run that is named twice once", "interval of two runs"),
        **_each(OK, "MLflow samples evenly, we keep every peak", "interval thinned"),
    },
    "datasets": {
        **_each(OK, "the client's own odd path, see F1", "search at the odd door"),
        **_each(
            OK, "what only deleted runs read is gone", "search after the run is gone"
        ),
        **_each(
            BAD,
            "MLflow keeps datasets without a name or a source",
            "no name",
            "no digest",
            "no source",
            "no source type",
            "no dataset",
            "a tag without a key",
            "text",
        ),
    },
    "experiment_search": {
        **_each(
            BAD,
            NO_FIELD,
            "search without max_results",
            "search with max_results None",
            "search by an empty query",
        ),
        **_each(BAD, MISFIT, "view 4", "view 'NONE'"),
        **_each(OK, "no view is the active ones, and the order still counts", "view 0"),
        **_each(
            OK,
            RICHER,
            "filter name IN ('alpha', 'beta')|",
            "filter name = 'alpha' OR name = 'beta'|",
            "filter    |",
        ),
    },
    "experiments": {
        **_each(OK, TWICE, "create with tags twice", "get tagged twice"),
        **_each(
            BAD,
            "a place outside our roots, or with .. in it, is no client's to choose",
            "create with dots in its place",
            "create in a file",
        ),
        **_each(
            BAD,
            "a missing key is said to be missing",
            "create with a tag without a key",
        ),
        **_each(
            BAD,
            NOT_JSON,
            "create with broken JSON",
            "create with a list",
            "create with a text",
        ),
        **_each(TAKEN, "one code for a name that is taken", "rename to a taken name"),
        **_each(BAD, "a client's mistake is not a 500", "rename a deleted one"),
        **_each(BAD, ANY_VERSION, "create under the other version"),
    },
    "log_batch": {
        **_each(BAD, NOT_JSON, "broken JSON", "numbers for params"),
        **_each(
            BAD,
            MISFIT,
            "a bare NaN",
            "a metric in words",
            "a metric of bool",
            "a metric of a list",
            "a metric with a broken step",
            "a metric with a broken time",
            "a metric with a huge step",
            "a param as a number",
        ),
        **_each(OK, "null is a field that is not there", "null for metrics"),
        **_each(OK, WHOLE, "get all"),
    },
    "logged_model_metrics": {
        **_each(
            GONE, NO_MODEL, "log to a missing model", "log a batch to a missing model"
        ),
        **_each(OK, "MLflow keeps a model's NaN as 0", "get NaN"),
        **_each(
            OK,
            "MLflow leaves a run's models out of a search, we send them",
            "search with both",
        ),
        **_each(BAD, NOT_500, "note a list"),
    },
    "logged_model_search": {
        **_each(
            OK,
            RICHER,
            "filter attribute.name = 'model 1'|",
            'filter name = "model 1"|',
            "filter name = 'a' OR name = 'b'|",
            "filter    |",
        ),
        **_each(BAD, "a text without quotes is a slip", "filter name = model|"),
        **_each(
            BAD,
            NOT_500,
            "filter creation_time = 'x'|",
            "filter metrics.acc > '0.6'|",
            "page of nothing",
        ),
        **_each(
            OK,
            "without a digest any will do, as MLflow's documents have it",
            "datasets [{'dataset_name': 'iris'}]",
        ),
        **_each(BAD, "there are no -1 models", "max_results -1"),
    },
    "logged_models": {
        **_each(
            BAD,
            "a key that is empty cannot be found",
            "create with a param without a key",
            "tag without a key",
        ),
        **_each(
            BAD,
            MISFIT,
            "create with a param of a number",
            "finish in words",
            "finish by a wild number",
        ),
        **_each(
            OK,
            "a param may come twice with one value, as with runs",
            "create with a param twice",
            "params again",
        ),
        **_each(OK, IN_PATH, "finish without its id", "params without its id"),
        **_each(
            BAD,
            "MLflow shows its database's error",
            "params changed",
        ),
        **_each(BAD, "one code for what is missing", "no file"),
    },
    "metrics": {
        **_each(
            BAD,
            MISFIT,
            "a bare NaN",
            "a bare infinity",
            "a bool",
            "a list",
            "a broken time",
            "a huge time",
            "a broken step",
            "a huge step",
            "history of words",
        ),
        **_each(GONE, NO_MODEL, "with a model"),
        **_each(GONE, "a mistyped run is not an empty one", "history of a missing run"),
    },
    "params_and_tags": _each(OK, WHOLE, "get all"),
    "run_search": {
        **_each(OK, "no body asks for nothing", "no body"),
        **_each(BAD, MISFIT, "a number for an experiment", "max_results 1.5"),
        **_each(OK, "null is a field that is not there", "max_results None"),
        **_each(BAD, MISFIT, "view 4", "view 'NONE'", "numbers for an order"),
        **_each(
            OK,
            RICHER,
            "filter params.lr IN ('0.1')|",
            "filter status IN ('FINISHED', 'FAILED')|",
            "filter user_id IN ('ann')|",
            "filter metrics.acc > 0.8 OR params.lr = '0.1'|",
            "filter NOT metrics.acc > 0.8|",
            "filter (metrics.acc > 0.8)|",
            "filter   |",
            "order ['`Run Name` ASC']",
        ),
        **_each(
            BAD,
            "a client's mistake is not a 500",
            "order ['metrics.acc DESC', 'metrics.acc ASC']",
        ),
    },
    "runs": {
        **_each(
            OK,
            "a run without an experiment goes to the default one",
            "create with nothing",
        ),
        **_each(OK, TWICE, "create with a tag twice"),
        **_each(OK, ANY_VERSION, "get under version 3"),
        **_each(
            BAD,
            MISFIT,
            "create with a broken time",
            "create with a huge time",
            "create with a text for tags",
            "no such status",
        ),
        **_each(BAD, "a tag without a key cannot be found", "create with an empty tag"),
        **_each(BAD, "an empty id is no id", "create in nothing"),
    },
    "registered_models": _each(BAD, NOT_JSON, "create with broken JSON")
    | _each(
        BAD, "a missing key is said to be missing", "create with a tag without a key"
    ),
    "registered_model_names": {
        **_named(ENCODED, "a%2Fb", "a%20b", "a%00b"),
        **_named(HIDDEN, "a\nb", "a\tb", "a\x00b", "a\x1bb"),
        **_named(HIDDEN, "a\u200bb", "a\u202eb", "a\u00a0b"),
        **_named(LONG, "n" * 501),
        **_each(TAKEN, COMPOSED, r"create 'e\u0301'2"),
        **_each(OK, COMPOSED, r"get 'e\u0301'2"),
    },
    "registered_model_aliases": {
        **_each(OK, ALIASES, "get", "get the rest"),
        **_each(BAD, NOT_OURS, "set to a huge version"),
    },
    "model_versions": _each(BAD, NOT_OURS, "get a huge one"),
    "logged_model_versions": {
        **_each(BAD, NOT_500, "register with a broken list"),
        **_each(GONE, NOT_500, "register a deleted one"),
    },
    "model_version_sources": {
        **_with_and_without_run(NOT_OURS, "file://host/etc"),
        **_with_and_without_run(
            SMUGGLED, "s3://bucket/a#b", "s3://bucket/a?b", "s3://bucket/a;b"
        ),
        **_with_and_without_run(NOWHERE, "dbfs:/a/b", "gopher://host/x"),
        **_each(GONE, NOT_OURS, "of a missing model"),
    },
    "model_version_copies": _each(GONE, NOT_OURS, "copy by an empty stage"),
    "model_version_stages": {
        **_each(BAD, NOT_OURS, "archive for archived", "archive for none"),
        **_each(OK, "true in quotes is true", "archive with a word"),
    },
    "model_search": {
        **_each(
            OK,
            RICHER,
            "filter    |",
            "filter attributes.name = 'alpha'|",
            "filter `name` = 'alpha'|",
            "filter tags.team IN ('vision')|",
            "filter name = 'alpha' OR name = 'beta'|",
            "filter NOT name = 'alpha'|",
            "filter (name = 'alpha')|",
            "order ['creation_timestamp ASC']",
        ),
        **_each(
            BAD,
            NOT_OURS,
            "order ['name', 'name DESC']",
            "order ['timestamp', 'last_updated_timestamp']",
        ),
        **_each(BAD, "no model is no page", "max_results 0", "max_results -1"),
    },
    "model_version_search": {
        **_each(
            OK,
            RICHER,
            "filter source_path IN ('s3://bucket/b1')|",
            "filter name = 'alpha' OR name = 'beta'|",
            "filter NOT name = 'alpha'|",
            "filter (name = 'alpha')|",
            "filter tags.status IS NULL|",
            "filter tags.status IN ('good')|",
            "filter creation_timestamp > 1|",
            "filter current_stage = 'Production'|",
        ),
        **_each(
            BAD,
            NOT_OURS,
            "filter version_number = 99999999999999999999|",
            "order ['name', 'name DESC']",
        ),
    },
    "webhooks": _each(BAD, MISFIT, "create with a bad status"),
    "old_traces": _each(BAD, NOT_OURS, "start with nothing", "end with nothing"),
    "spans": {
        **_each(BAD, "one code for what is missing", "get no file"),
        **_each(
            BAD, "MLflow takes an empty id for one", "export without an experiment"
        ),
        **_each(
            BAD,
            OUR_SHAPE,
            "export as text",
            "export half a byte",
            "export broken protobuf",
            "export broken JSON",
        ),
        **_each(
            BAD,
            "422 is MLflow's own, OpenTelemetry says 400",
            "export without a trace",
            "export without a span id",
        ),
    },
    "trace_search": {
        **_each(
            OK,
            RICHER,
            "find status = 'OK' OR status = 'ERROR'|",
            "find by ['client_request_id']",
        ),
        **_each(
            OK,
            "MLflow compares '42' with the text of a float, 42.0",
            "find expectation.answer = '42'|",
        ),
        **_each(
            BAD,
            "there are no issues here, and a filter by them says so",
            "find issue.id = 'iss-1'|",
        ),
        **_each(BAD, NOT_OURS, "find by ['status', 'status']"),
    },
    "traces": {
        **_each(OK, "MLflow's answer lacks the tags just added", "start again"),
        **_each(BAD, NOT_OURS, "start nowhere"),
        **_each(
            BAD,
            MISFIT,
            "start with words for a time",
            "start with words for a duration",
            "start with a wrong state",
        ),
        **_each(
            GONE,
            "spans that lie in a file are not a failure of the server",
            "get the trace without spans",
        ),
        **_each(
            GONE,
            "what is not there is said not to be there",
            "set a tag of nothing",
            "link to nothing",
        ),
    },
}
