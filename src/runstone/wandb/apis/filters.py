"""
W&B's filters: {"config.lr": {"$gt": 0.01}, "$or": [{"state": "finished"}, …]}.

Each is answered here, exactly, on the runs that came; what the server can be asked
of it in its own language is asked too, so that few runs have to come.  The server's
filter may let more through, never less.

Source: MongoDB's query operators; the fields are those of `wandb.Api.runs`, 0.31.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from runstone.wandb import labels
from runstone.wandb.asking import Record
from runstone.wandb.errors import UsageError


STATES: Final = {
    "RUNNING": "running",
    "SCHEDULED": "pending",
    "FINISHED": "finished",
    "FAILED": "failed",
    "KILLED": "killed",
}
SAME_STATES: Final = {
    "crashed": "killed",
    "preempted": "killed",
    "preempting": "running",
}
"""States of W&B's that are others here."""

NUMBER_OPS: Final = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<=", "$eq": "="}
NAMES: Final = {
    "display_name": "display_name",
    "displayName": "display_name",
    "name": "name",
    "state": "state",
    "tags": "tags",
    "group": "group",
    "job_type": "job_type",
    "jobType": "job_type",
    "username": "user",
    "user.username": "user",
    "created_at": "created_at",
    "createdAt": "created_at",
}


def fits(record: Record, asked: Mapping[str, Any]) -> bool:
    """
    Say whether a run fits a filter.

    Raises:
        UsageError: The filter has an operator or a field that there is not.
    """
    return all(_fits(record, key, wanted) for key, wanted in asked.items())


def server(asked: Mapping[str, Any]) -> str:
    """Return a filter of ours that lets at least the same runs through, or ""."""
    parts = [part for key, value in asked.items() if (part := _server(key, value))]

    return " AND ".join(parts)


def order(asked: str) -> list[str]:
    """
    Return W&B's order as ours: "-created_at", "+summary_metrics.loss".

    Raises:
        UsageError: There is no such field.
    """
    way = "DESC" if asked.startswith("-") else "ASC"
    field = asked.lstrip("+-")
    if field in ("heartbeat_at", "heartbeatAt"):
        return [f"attributes.end_time {way}"]
    kind, name = split(field)
    places = {
        "created_at": "attributes.start_time",
        "display_name": "attributes.run_name",
        "state": "attributes.status",
        "name": "attributes.run_id",
        "user": "attributes.user_id",
        "group": _tag(labels.GROUP),
        "job_type": _tag(labels.JOB),
    }
    if kind == "summary":
        return [f"metrics.{_quoted(name)} {way}"]
    if kind == "config":
        return [f"params.{_quoted(name)} {way}"]
    if kind not in places:
        raise UsageError(f"Runs cannot be ordered by {field!r}")

    return [f"{places[kind]} {way}"]


def split(field: str) -> tuple[str, str]:
    """Return what a field is of, and its name there."""
    if field in NAMES:
        return NAMES[field], ""
    kind, _, name = field.partition(".")
    if kind == "config" and name:
        return "config", name.removesuffix(".value")
    if kind in ("summary_metrics", "summaryMetrics", "summary") and name:
        return "summary", name

    raise UsageError(
        f"{field!r} is not known; a filter takes config.x, summary_metrics.x, "
        f"{', '.join(sorted(set(NAMES)))}, $and, $or, $not, $nor"
    )


def value(record: Record, field: str) -> Any:
    """Return what a run has at a field; None where it has nothing."""
    kind, name = split(field)
    if kind in ("config", "summary"):
        return _inside(record.config if kind == "config" else record.summary, name)
    read: Mapping[str, Callable[[], Any]] = {
        "display_name": lambda: record.name,
        "name": lambda: record.tags.get(labels.ID, record.id),
        "state": lambda: STATES.get(record.status, record.status),
        "tags": lambda: list(labels.words(record.tags)),
        "group": lambda: record.tags.get(labels.GROUP),
        "job_type": lambda: record.tags.get(labels.JOB),
        "user": lambda: record.user,
        "created_at": lambda: record.start_ms,
    }

    return read[kind]()


def _fits(record: Record, key: str, wanted: Any) -> bool:
    if key in ("$and", "$or", "$nor"):
        answers = (fits(record, part) for part in wanted)
        return all(answers) if key == "$and" else any(answers) is (key == "$or")
    if key == "$not":
        return not fits(record, wanted)
    if key.startswith("$"):
        raise UsageError(f"The operator {key} is not known")
    found = value(record, key)
    kind, _ = split(key)
    asked = wanted if _is_operators(wanted) else {"$eq": wanted}

    return all(_compared(found, op, _meant(kind, arg)) for op, arg in asked.items())


def _is_operators(wanted: Any) -> bool:
    return isinstance(wanted, Mapping) and any(str(k).startswith("$") for k in wanted)


def _meant(kind: str, wanted: Any) -> Any:
    """Return a value as runs have it: times as milliseconds, states as ours."""
    if isinstance(wanted, list | tuple):
        return [_meant(kind, one) for one in wanted]
    if kind == "state":
        return SAME_STATES.get(str(wanted).lower(), str(wanted).lower())
    if kind == "created_at" and isinstance(wanted, str):
        moment = datetime.fromisoformat(wanted)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)

    return wanted


def _compared(found: Any, op: str, wanted: Any) -> bool:
    compare = OPERATORS.get(op)
    if compare is None:
        raise UsageError(
            f"The operator {op} is not known, expected one of "
            f"{', '.join(sorted(OPERATORS))}"
        )
    try:
        return compare(found, wanted)
    except TypeError:  # a text and a number: neither is more
        return False


def _equals(found: Any, wanted: Any) -> bool:
    """Compare as MongoDB does: a list equals each of what it holds too."""
    return bool(
        found == wanted
        or (
            isinstance(found, list) and not isinstance(wanted, list) and wanted in found
        )
    )


def _any_of(found: Any, wanted: Any) -> bool:
    return any(_equals(found, one) for one in wanted)


def _matches(found: Any, wanted: Any) -> bool:
    every = found if isinstance(found, list) else [found]

    return any(isinstance(one, str) and re.search(wanted, one) for one in every)


OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "$eq": _equals,
    "$ne": lambda found, wanted: not _equals(found, wanted),
    "$gt": lambda found, wanted: bool(found > wanted),
    "$gte": lambda found, wanted: bool(found >= wanted),
    "$lt": lambda found, wanted: bool(found < wanted),
    "$lte": lambda found, wanted: bool(found <= wanted),
    "$in": _any_of,
    "$nin": lambda found, wanted: not _any_of(found, wanted),
    "$exists": lambda found, wanted: (found is not None) is bool(wanted),
    "$regex": _matches,
    "$all": lambda found, wanted: all(_equals(found, one) for one in wanted),
    "$not": lambda found, wanted: not all(
        _compared(found, op, arg) for op, arg in wanted.items()
    ),
}


def _server(key: str, wanted: Any) -> str:
    if key == "$and":
        return _joined(" AND ", [part for one in wanted if (part := server(one))])
    if key == "$or":
        parts = [server(one) for one in wanted]
        return _joined(" OR ", parts) if parts and all(parts) else ""
    if key.startswith("$"):
        return ""
    kind, name = split(key)
    asked = wanted if _is_operators(wanted) else {"$eq": wanted}
    parts = [_term(kind, name, op, _meant(kind, arg)) for op, arg in asked.items()]

    return _joined(" AND ", [part for part in parts if part])


def _joined(word: str, parts: list[str]) -> str:
    return f"({word.join(parts)})" if len(parts) > 1 else "".join(parts)


def _term(kind: str, name: str, op: str, wanted: Any) -> str:
    """Return one comparison in our language, or "" where it has none."""
    is_number = isinstance(wanted, int | float) and not isinstance(wanted, bool)
    if kind == "summary" and op in NUMBER_OPS and is_number:
        # What people put into the summary goes before the metric of that name.
        metric = f"metrics.{_quoted(name)} {NUMBER_OPS[op]} {wanted!r}"
        return f"({metric} OR {_tag(labels.SUMMARY)} IS NOT NULL)"
    if kind == "created_at" and op in NUMBER_OPS and is_number:
        return f"attributes.start_time {NUMBER_OPS[op]} {wanted}"
    if op != "$eq" or not isinstance(wanted, str) or "'" in wanted:
        return ""
    places = {
        "display_name": "attributes.run_name",
        "group": _tag(labels.GROUP),
        "job_type": _tag(labels.JOB),
        "user": "attributes.user_id",
    }
    if kind == "state":
        back = {state: status for status, state in STATES.items()}
        return f"attributes.status = '{back.get(wanted, 'NONE')}'"
    if kind == "tags":
        return f"{_tag(labels.LABEL + wanted)} = 'true'" if "`" not in wanted else ""

    return f"{places[kind]} = '{wanted}'" if kind in places else ""


def _tag(name: str) -> str:
    return f"tags.{_quoted(name)}"


def _quoted(name: str) -> str:
    return f"`{name}`" if "`" not in name else f'"{name}"'


def _inside(values: Mapping[str, Any], name: str) -> Any:
    """Return what lies at a name, whose dots may lead into nested dicts."""
    if name in values:
        return values[name]
    for key, inner in values.items():
        if isinstance(inner, Mapping) and name.startswith(f"{key}."):
            return _inside(inner, name[len(key) + 1 :])

    return None
