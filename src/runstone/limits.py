"""
Every limit, with its unit and where it comes from.

Source of the MLflow sizes: `mlflow/utils/validation.py`, MLflow 3.18.  We
accept at least what MLflow accepts.
"""

KEY_CHARS = 250
"""Longest metric, param or tag key; MLflow: 250."""

PARAM_VALUE_CHARS = 65_536
"""Longest param value; MLflow keeps the first 6,000 and drops the rest."""

TAG_VALUE_CHARS = 1_000_000
"""Longest run tag value; MLflow keeps the first 8,000 and drops the rest."""

EXPERIMENT_TAG_VALUE_CHARS = 20_000
"""Longest experiment tag value; MLflow: 20,000."""

EXPERIMENT_NAME_CHARS = 500
"""Longest experiment name; MLflow: 500."""

DATASET_NAME_CHARS = 500
"""Longest dataset name; MLflow: 500."""

DATASET_DIGEST_CHARS = 64
"""Longest dataset digest; MLflow: 36."""

DATASET_TEXT_CHARS = 16_777_215
"""Longest dataset source, schema or profile; MLflow: 65,535 to 16,777,215."""

MODEL_NAME_CHARS = 500
"""Longest name of a registered or logged model; MLflow's columns have 256 and 500."""

MODEL_TAG_VALUE_CHARS = 100_000
"""Longest tag value of a registered model or a version; MLflow: 100,000."""

MODEL_TEXT_CHARS = 100_000
"""Longest description of a registered model or a version; MLflow's column has 5,000."""

ALIAS_CHARS = 255
"""Longest alias of a version; MLflow: 255."""

WHY_CHARS = 10_000
"""Longest reason given for a change of an alias or a stage."""

RUN_NAME_CHARS = 1_000
"""Longest run name; MLflow has none of its own but its column's."""

URI_CHARS = 2_000
"""Longest artifact location; MLflow: 2,048 with what it appends."""

ARTIFACT_PATH_BYTES = 4_000
"""Longest artifact path as UTF-8; MLflow: Linux's PATH_MAX of 4,096 with its root."""

ARTIFACT_NAME_BYTES = 255
"""Longest part of an artifact path between two `/`; every usual file system: 255."""

ARTIFACT_DEPTH = 100
"""Most parts of one artifact path."""

UPLOAD_PARTS = 10_000
"""Most parts of one upload in parts; S3: 10,000."""

BATCH_METRICS = 1_000
"""Points in one log-batch on MLflow's wire; MLflow: 1,000."""

BATCH_PARAMS = 100
"""Params in one log-batch on MLflow's wire; MLflow: 100."""

BATCH_TAGS = 100
"""Tags in one log-batch on MLflow's wire; MLflow: 100."""

BATCH_ITEMS = 1_000
"""Metrics, params and tags together in one log-batch; MLflow: 1,000."""

BODY_BYTES = 16 * 1024 * 1024
"""Largest JSON body we read; MLflow documents 1 MB for log-batch."""

HEAD_BYTES = 1024 * 1024
"""Largest request line with headers; a filter may stand in a query."""

HEAD_SECONDS = 20
"""How long a client may take to send them; Apache's reqtimeout: 20 to 40."""

SEARCH_RUNS = 50_000
"""Most runs in one answer on MLflow's wire; MLflow: 50,000."""

SEARCH_EXPERIMENTS = 50_000
"""Most experiments in one answer on MLflow's wire; MLflow: 50,000."""

SEARCH_MODELS = 1_000
"""Most registered models in one answer on MLflow's wire; MLflow: 1,000."""

SEARCH_VERSIONS = 200_000
"""Most versions in one answer on MLflow's wire; MLflow: 200,000."""

SEARCH_LOGGED_MODELS = 1_000
"""Most logged models in one answer; a search that asks for more gets pages of it."""

SEARCH_MODEL_DATASETS = 100
"""Most datasets that a search of logged models may name."""

SEARCH_EXPERIMENT_IDS = 10_000
"""Most experiments one search may name."""

FILTER_CHARS = 100_000
"""Longest filter string."""

FILTER_DEPTH = 100
"""Deepest nesting of parentheses and NOT in a filter."""

FILTER_TERMS = 200
"""Most comparisons in one filter."""

PATTERN_CHARS = 12_500
"""Longest LIKE pattern; SQLite: 50,000 bytes, of which a character has up to 4."""

ORDER_TERMS = 100
"""Most keys in one order."""

HISTORY_POINTS = 25_000
"""Most points on one page of get-history; MLflow: 25,000."""

BULK_RUNS = 100
"""Most runs in one get-history-bulk(-interval); MLflow: 100."""

BULK_INTERVAL_POINTS = 2_500
"""Most points of one series in get-history-bulk-interval; MLflow: 2,500."""

TRACE_ID_CHARS = 100
"""Longest id of a trace; MLflow: 50."""

ASSESSMENT_ID_CHARS = 100
"""Longest id of an assessment; MLflow: 50."""

ASSESSMENT_VALUE_CHARS = 1_000_000
"""Longest value, error, rationale or metadata of an assessment, as JSON."""

PREVIEW_CHARS = 100_000
"""Longest preview of what went into a trace or came out; MLflow's clients: 1,000."""

SPANS = 20_000
"""Most spans in one request of OpenTelemetry's wire."""

SPAN_BYTES = 6_000_000
"""Largest span as the JSON that we keep; MariaDB takes 16 MiB in one statement."""

ATTRIBUTE_DEPTH = 30
"""Deepest nesting of lists and tables in a span's attribute."""

TRACE_LINKS = 100
"""Most traces in one link-to-run; MLflow: 100."""

SEARCH_TRACES = 500
"""Most traces in one answer on MLflow's wire; MLflow: 500."""

TRACE_IDS = 10_000
"""Most traces that one request may name."""

INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)

CHART_RUNS = 1_000
"""Most runs in one chart on our own wire."""

MEDIA_BYTES = 1024 * 1024
"""Longest description of media at a step; the files themselves are artifacts."""

CONSOLE_BYTES = 100 * 1024 * 1024
"""Most text of one run's console; of more, the middle is dropped."""

CONSOLE_RECORD_LINES = 200_000
"""Most lines in one piece of a console; our SDK sends some thousand."""

CONSOLE_LINES = 10_000
"""Most lines of a console in one answer."""

LIVE_RUNS = 200
"""Most runs that one live stream may name."""

LIVE_STREAMS = 1_000
"""Most live streams of one server process."""
