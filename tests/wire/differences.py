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
NO_FIELD = "MLflow reads a missing number as 0 and complains about the 0"

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
        **_each(OK, "the model of a point is not kept yet", "with a model"),
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
}
