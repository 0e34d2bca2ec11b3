"""Runs as `Api` returns them."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatch
from typing import Any, Final

from runstone import errors, journal
from runstone.wandb import asking, labels
from runstone.wandb.apis import filters
from runstone.wandb.apis.files import File
from runstone.wandb.asking import Record
from runstone.wandb.configs import flat, plain
from runstone.wandb.errors import CommError, UsageError
from runstone.wandb.settings import PROJECT, Settings


PAGE_RUNS: Final = 50


class Run:
    """
    A run of the server, as it was when it was asked for; `load` asks again.

    Args:
        record: What the server said.

        project: Name of its experiment.
    """

    def __init__(self, record: Record, project: str) -> None:
        self.project = project
        self._take(record)

    def load(self, force: bool = False) -> None:
        """Ask for it again."""
        self._take(asking.run(self._record.id))

    @property
    def id(self) -> str:
        """The id by which it was begun."""
        return self._record.tags.get(labels.ID, self._record.id)

    @property
    def state(self) -> str:
        """How far it has come: running, finished, failed, killed."""
        return filters.STATES.get(self._record.status, self._record.status.lower())

    @property
    def entity(self) -> str:
        """Who it was said to belong to."""
        return self._record.tags.get(labels.ENTITY, "")

    @property
    def username(self) -> str:
        """Whose process it was."""
        return self._record.user

    @property
    def group(self) -> str | None:
        """Name of the runs that belong together."""
        return self._record.tags.get(labels.GROUP)

    @property
    def job_type(self) -> str | None:
        """What kind of work it did."""
        return self._record.tags.get(labels.JOB)

    @property
    def created_at(self) -> str:
        """When it began, as ISO 8601 in UTC."""
        moment = datetime.fromtimestamp((self._record.start_ms or 0) / 1000, UTC)

        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def path(self) -> list[str]:
        """Entity, project and id."""
        return [part for part in (self.entity, self.project, self.id) if part]

    @property
    def url(self) -> str | None:
        """Address of its page."""
        return asking.address(self._record.id)

    @property
    def lastHistoryStep(self) -> int:  # noqa: N802  # W&B's name
        """The last step; -1 where nothing was logged."""
        return self._record.next_step - 1

    @property
    def metadata(self) -> dict[str, str]:
        """What is known of its process."""
        return {
            key.removeprefix("mlflow."): value
            for key, value in self._record.tags.items()
            if key.startswith("mlflow.")
        }

    def history(
        self,
        samples: int = 500,
        keys: Sequence[str] | None = None,
        x_axis: str = "_step",
        pandas: bool = True,
        stream: str = "default",
    ) -> Any:
        """
        Return what was logged, step by step.

        Args:
            samples: Rows at most: where there are more, they are taken at equal
                distances, with the first and the last.

            keys: What of it; rows that lack one of them are left out.

            x_axis: Taken and unused: rows are by step.

            pandas: Whether a DataFrame is returned, or a list of dicts.

            stream: Taken and unused.
        """
        rows = list(self.scan_history(keys))
        if len(rows) > samples > 0:
            last = len(rows) - 1
            places = [round(n * last / max(samples - 1, 1)) for n in range(samples)]
            rows = [rows[place] for place in places]
        if not pandas:
            return rows
        import pandas as pd

        return pd.DataFrame.from_records(rows)

    def scan_history(
        self,
        keys: Sequence[str] | None = None,
        page_size: int = 1000,
        min_step: int | None = None,
        max_step: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """
        Yield all that was logged, step by step.

        Where a step has a metric twice, the later value counts.
        """
        rows = self._rows(keys)
        for step in sorted(rows):
            row = rows[step]
            is_inside = (min_step is None or step >= min_step) and (
                max_step is None or step < max_step
            )
            if is_inside and all(key in row for key in keys or ()):
                yield {key: row[key] for key in keys} if keys else row

    def files(
        self, names: Sequence[str] | None = None, pattern: str | None = None, **_: Any
    ) -> list[File]:
        """Return its files."""
        return [
            File(self._record.id, path, size)
            for path, size in asking.files(self._record.id)
            if (not names or path in names)
            and (not pattern or fnmatch(path, pattern.replace("%", "*")))
        ]

    def file(self, name: str) -> File:
        """Return one of its files; whether it is there shows when it is fetched."""
        return File(self._record.id, name, 0)

    def update(self) -> None:
        """Keep what was changed of name, notes, tags, config and summary."""
        tags = {labels.NAME: self.name or "", **labels.of_words(self.tags)}
        if self.notes is not None:
            tags[labels.NOTES] = self.notes
        records = [journal.change(self._changed_tags(tags))]
        records += [
            journal.change(journal.Untag(labels.LABEL + word))
            for word in set(labels.words(self._record.tags)) - set(self.tags)
        ]
        params = {
            key: str(value)
            for key, value in flat(self.config, ".")
            if self._record.params.get(key) != str(value)
        }
        if params:
            records.append(journal.change(journal.Params(params, anew=True)))
        asking.tell(self._record.id, b"".join(records))
        self.load()

    save = update

    def delete(self, delete_artifacts: bool = False) -> None:
        """Put it into the bin, where it can be restored from."""
        asking.delete(self._record.id)

    def wait_until_finished(self) -> None:
        """Return when it has ended."""
        import time

        while self._record.status in ("RUNNING", "SCHEDULED"):
            time.sleep(1)
            self.load()

    def __repr__(self) -> str:
        return f"<Run {'/'.join(self.path)} ({self.state})>"

    def _take(self, record: Record) -> None:
        self._record = record
        self.name = record.name
        self.notes = record.tags.get(labels.NOTES)
        self.tags = list(labels.words(record.tags))
        self.config = record.config
        self.summary = HttpSummary(record.summary, self)

    def _changed_tags(self, tags: dict[str, str]) -> journal.Tags:
        """Return all tags that the run gets; config and summary are two of them."""
        import json

        if self.config != self._record.config:
            tags[labels.CONFIG] = json.dumps(plain(self.config))
        put = {**self._record.put, **self.summary.changed}
        if self.summary.changed:
            tags[labels.SUMMARY] = json.dumps(plain(put))

        return journal.Tags(tags)

    def _rows(self, keys: Sequence[str] | None) -> dict[int, dict[str, Any]]:
        """Return what was logged by step, with `_step`, `_timestamp`, `_runtime`."""
        start_ms = self._record.start_ms or 0
        rows: dict[int, dict[str, Any]] = {}

        def put(step: int, time_ms: int, key: str, value: Any) -> None:
            row = rows.setdefault(step, {"_step": step})
            row[key] = value
            row["_timestamp"] = max(row.get("_timestamp", -math.inf), time_ms / 1000)
            row["_runtime"] = row["_timestamp"] - start_ms / 1000

        names = self._record.metrics if keys is None else keys
        for key in names:
            if key in self._record.metrics:
                points = asking.series(self._record.id, key)
                for point in sorted(points, key=lambda one: one[:2]):
                    put(point.step, point.time_ms, key, point.value)
        if keys is None or not set(keys) <= set(self._record.metrics):
            for one in asking.media(self._record.id):
                if keys is None or one["key"] in keys:
                    put(one["step"], one["time_ms"], one["key"], _shown(one["body"]))

        return rows


class HttpSummary(dict[str, Any]):
    """The summary of a run of the server; `update` keeps what was changed."""

    def __init__(self, found: Mapping[str, Any], run: Run) -> None:
        super().__init__(found)
        self._run = run
        self.changed: dict[str, Any] = {}

    def __setitem__(self, key: str, value: Any) -> None:
        self.changed[key] = value
        super().__setitem__(key, value)

    def update(self, d: Mapping[str, Any] | None = None, **more: Any) -> None:  # type: ignore[override]
        """Keep these values, and those that were set before."""
        for key, value in {**(d or {}), **more}.items():
            self[key] = value
        self._run.update()


class Runs:
    """
    Runs of a project, fetched page by page as they are looked at.

    Args:
        project: Name of the experiment.

        asked: A filter of W&B's.

        order: Such as "-created_at".

        per_page: Runs in one answer.
    """

    def __init__(
        self, project: str, asked: Mapping[str, Any] | None, order: str, per_page: int
    ) -> None:
        self._project = project
        self._asked = asked or {}
        self._order = filters.order(order)
        self._filter = filters.server(self._asked)
        self._per_page = per_page
        self._found: list[Run] = []
        self._fetching = self._fetch()

    def __iter__(self) -> Iterator[Run]:
        place = 0
        while self._has(place):
            yield self._found[place]
            place += 1

    def __len__(self) -> int:
        self._found += self._fetching

        return len(self._found)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice) or place < 0:
            len(self)
        elif not self._has(place):
            raise IndexError(f"There are {len(self._found)} runs")

        return self._found[place]

    def _has(self, place: int) -> bool:
        while len(self._found) <= place:
            run = next(self._fetching, None)
            if run is None:
                return False
            self._found.append(run)

        return True

    def _fetch(self) -> Iterator[Run]:
        try:
            experiment = asking.experiment(self._project)
        except errors.NotFound as error:
            raise ValueError(f"Could not find project {self._project}") from error
        token = None
        while True:
            page = asking.page(
                experiment,
                filter=self._filter,
                order=self._order,
                token=token,
                limit=self._per_page,
            )
            for record in page.runs:
                if filters.fits(record, self._asked):
                    yield Run(record, self._project)
            token = page.next_page_token
            if not token:
                return


def of_project(
    path: str | None,
    asked: Mapping[str, Any] | None,
    order: str,
    per_page: int = PAGE_RUNS,
) -> Runs:
    """Return the runs of a project; its entity may stand before it."""
    if path and not re.fullmatch(r"/?(?:[^/]+/)?[^/]+/?", path):
        raise UsageError(f"{path!r} is no project; write it as entity/project")
    project = path.strip("/").split("/")[-1] if path else Settings().project

    return Runs(project or PROJECT, asked, order, per_page)


def one(path: str) -> Run:
    """
    Return a run.

    Raises:
        CommError: There is none.
    """
    try:
        record = asking.run(asking.number(path))
    except errors.NotFound as error:
        raise CommError(f"Could not find run {path}") from error

    return Run(record, asking.project(record.experiment_id))


def _shown(body: Mapping[str, Any]) -> Any:
    """Return a text or a value as it was logged, and media by their bodies."""
    items = body.get("items")
    first = items[0] if isinstance(items, list) and items else {}
    for name in ("text", "value"):
        if body.get("type") == name and name in first:
            return first[name]

    return body
