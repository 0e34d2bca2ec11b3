"""Questions to the server about runs: by `Api`, by `resume=`, by `restore`."""

import json
import math
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from runstone import errors
from runstone.sdk import calls, door
from runstone.sdk.door import Door
from runstone.sdk.session import session
from runstone.wandb import labels, util
from runstone.wandb.definitions import parsed as metrics_of
from runstone.wandb.errors import CommError
from runstone.wandb.settings import PROJECT, Settings
from runstone.wandb.summaries import parsed as summary_of
from runstone.wandb.summaries import view


PATIENT_SECONDS: Final = 2.0
"""How long what was logged may take to come to the server before a short question."""

LARGEST: Final = sys.float_info.max
HISTORY_POINTS: Final = 25_000
"""Points in one answer."""


class Point(NamedTuple):
    """A value at a step."""

    step: int
    time_ms: int
    value: float


class Metric(NamedTuple):
    """The last value of a series and its step."""

    last: float
    step: int


class Record(NamedTuple):
    """A run without its history."""

    id: str
    experiment_id: str
    name: str
    user: str
    status: str
    start_ms: int | None
    end_ms: int | None
    params: dict[str, str]
    tags: dict[str, str]
    metrics: dict[str, Metric]

    @property
    def config(self) -> dict[str, Any]:
        """The config, with what MLflow's names logged as params."""
        given = summary_of(self.tags.get(labels.CONFIG))
        covered = set(_flat_names(given))
        others = {
            key: guessed(text)
            for key, text in self.params.items()
            if key not in covered
        }

        return {**others, **given}

    @property
    def last(self) -> dict[str, float]:
        """The last value of each metric."""
        return {key: metric.last for key, metric in self.metrics.items()}

    @property
    def put(self) -> dict[str, Any]:
        """What people put into the summary."""
        return summary_of(self.tags.get(labels.SUMMARY))

    @property
    def summary(self) -> dict[str, Any]:
        """The summary, with W&B's `_step`, `_runtime` and `_timestamp`."""
        defined = metrics_of(self.tags.get(labels.METRICS))

        return {**view(self.last, self.put, defined), **self._times()}

    @property
    def next_step(self) -> int:
        """The step behind the last one."""
        return max((metric.step for metric in self.metrics.values()), default=-1) + 1

    def _times(self) -> dict[str, Any]:
        if self.start_ms is None:
            return {}
        end_ms = self.end_ms or self.start_ms

        return {
            "_step": max(self.next_step - 1, 0),
            "_runtime": (end_ms - self.start_ms) / 1000,
            "_timestamp": end_ms / 1000,
        }


class Page(NamedTuple):
    """Some runs, and where the next begin."""

    runs: list[Record]
    next_page_token: str | None = None


def number(path: str) -> str:
    """
    Return the 32 hex digits of a run.

    Args:
        path: Its id, or with its project, or with its entity before that.
    """
    parts = path.strip("/").split("/")
    project = parts[-2] if len(parts) > 1 else Settings().project or PROJECT

    return util.run_number(project, parts[-1])


def run(number: str, way: Door | None = None) -> Record:
    """
    Return a run.

    Raises:
        NotFound: There is none.
        Unavailable: Nobody answers.
    """
    answer = (way or session.door()).ask(
        "GET", "/api/2.0/mlflow/runs/get", query={"run_id": number}
    )

    return _record(msgspec.json.decode(calls.checked(answer).body)["run"])


def address(number: str) -> str | None:
    """Return where a browser finds a run; None where there is no server."""
    root = session.tracking_uri.rstrip("/")
    if not root.startswith("http"):
        return None
    session.flush(PATIENT_SECONDS)
    try:
        found = run(number, door.to(session.tracking_uri))
    except errors.RunstoneError:
        return root  # it is on its way

    return f"{root}/#/experiments/{found.experiment_id}/runs/{number}"


def page(
    experiment: str, *, filter: str, order: list[str], token: str | None, limit: int
) -> Page:
    """Return a page of the runs of an experiment."""
    message = {
        "experiment_ids": [experiment],
        "filter": filter or None,
        "order_by": order,
        "page_token": token,
        "max_results": limit,
    }
    found = calls.ask(session.door(), "POST", "runs/search", message)

    return Page(
        [_record(one) for one in found.get("runs", [])], found.get("next_page_token")
    )


def experiment(name: str) -> str:
    """
    Return the id of a project's experiment.

    Raises:
        NotFound: There is none.
    """
    message = {"experiment_name": name}
    found = calls.ask(session.door(), "GET", "experiments/get-by-name", message)

    return str(found["experiment"]["experiment_id"])


def project(experiment_id: str) -> str:
    """Return the name of an experiment."""
    message = {"experiment_id": experiment_id}
    found = calls.ask(session.door(), "GET", "experiments/get", message)

    return str(found["experiment"]["name"])


def projects() -> list[str]:
    """Return the names of all experiments."""
    message = {"max_results": 1000}
    found = calls.ask(session.door(), "POST", "experiments/search", message)

    return [one["name"] for one in found.get("experiments", [])]


def series(number: str, key: str) -> Iterator[Point]:
    """Yield the points of a metric, by step."""
    way = session.door()
    message = {"run_id": number, "metric_key": key, "max_results": HISTORY_POINTS}
    while True:
        found = calls.ask(way, "GET", "metrics/get-history", message)
        for point in found.get("metrics", []):
            yield Point(
                int(point.get("step", 0)),
                int(point["timestamp"]),
                _number(point["value"]),
            )
        message["page_token"] = found.get("next_page_token")
        if not message["page_token"]:
            return


def media(number: str) -> list[dict[str, Any]]:
    """Return what a run logged that is richer than a number."""
    answer = session.door().ask(
        "GET", f"/api/v1/runs/{number}/media", query={"limit": "10000"}
    )
    found = msgspec.json.decode(calls.checked(answer).body)

    return list(found["media"])


def files(number: str, folder: str = "") -> Iterator[tuple[str, int]]:
    """Yield path and size of each artifact of a run."""
    message = {"run_id": number, "path": folder or None}
    found = calls.ask(session.door(), "GET", "artifacts/list", message)
    for one in found.get("files", []):
        if one.get("is_dir"):
            yield from files(number, one["path"])
        else:
            yield one["path"], int(one.get("file_size", 0))


def fetch(number: str, path: str, place: Path) -> None:
    """
    Fetch an artifact into a file.

    Raises:
        NotFound: There is none.
    """
    query = {"run_uuid": number, "path": path}
    pieces = iter(session.door().fetch("/get-artifact", query=query))
    first = next(pieces, b"")
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = place.with_name(f"{place.name}.{uuid.uuid4().hex[:8]}")
    try:
        with aside.open("wb") as file:
            file.write(first)
            file.writelines(pieces)
        aside.replace(place)
    finally:
        aside.unlink(missing_ok=True)


def tell(number: str, records: bytes) -> None:
    """
    Say something of a run at once; see `runstone.journal`.

    Raises:
        CommError: The server refuses a part of it.
    """
    sent = calls.Sent(number, uuid.uuid4().hex, 0, records)
    heard = calls.journal(session.door(), sent)
    if heard.refused:
        raise CommError(heard.refused[0].message)


def delete(number: str) -> None:
    """Put a run into the bin."""
    calls.ask(session.door(), "POST", "runs/delete", {"run_id": number})


def guessed(text: str) -> Any:
    """Return the value that a param was before it was text."""
    if text in ("True", "False", "None"):
        return {"True": True, "False": False, "None": None}[text]
    for read in (int, float, json.loads):
        try:
            return read(text)
        except (ValueError, RecursionError):
            continue

    return text


def _number(said: Any) -> float:
    """Return a value; MLflow's wire says the largest number for what is infinite."""
    value = float(said)

    return math.copysign(math.inf, value) if abs(value) == LARGEST else value


def _flat_names(values: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for key, value in values.items():
        yield before + key
        if isinstance(value, Mapping):
            yield from _flat_names(value, f"{before}{key}.")


def _record(message: Mapping[str, Any]) -> Record:
    """Return a run as MLflow's wire has it as ours."""
    info, content = message["info"], message.get("data", {})
    params, tags = (
        {pair["key"]: pair.get("value", "") for pair in content.get(kind, [])}
        for kind in ("params", "tags")
    )
    metrics = {
        one["key"]: Metric(_number(one["value"]), int(one.get("step", 0)))
        for one in content.get("metrics", [])
    }

    return Record(
        info["run_id"],
        info["experiment_id"],
        info.get("run_name", ""),
        info.get("user_id", ""),
        info["status"],
        int(info["start_time"]) if info.get("start_time") else None,
        int(info["end_time"]) if info.get("end_time") else None,
        params,
        tags,
        metrics,
    )
