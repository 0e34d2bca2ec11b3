"""
Traces: start, finish, read, tag, link, delete.

Every write to a trace locks its row first, so what several requests say of one
trace at once is joined and not lost.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from runstone import errors, limits
from runstone.model import Trace, TraceState
from runstone.storage import experiments, runs, words
from runstone.storage.tracing import assessments, pairs
from runstone.storage.tracing.places import lock, require
from runstone.storage.tx import Tx


COLUMNS: Final = (
    "id, uuid, experiment_id, start_ms, state, duration_ms, client_request_id, "
    "request_preview, response_preview"
)
PLACE_TAG: Final = "mlflow.artifactLocation"
"""Where clients put the files of a trace."""

CHILDREN: Final = (
    *("trace_tag", "trace_metadata", "span", "assessment"),
    *("trace_run", "trace_prompt"),
)
MANY: Final = 500
"""Traces that are deleted by one statement."""


class Links(NamedTuple):
    """Traces that belong to a run."""

    trace_ids: Sequence[str]
    run_id: str


class Selection(NamedTuple):
    """Which traces of an experiment: the named ones, or the oldest."""

    experiment_id: int
    trace_ids: Sequence[str] = ()
    until_ms: int | None = None
    """The last start time."""

    most: int | None = None


def put(tx: Tx, trace_id: str, trace: Trace) -> Trace:
    """
    Write a trace, or join what is said to the trace that is there.

    Times, state and the client's id are replaced, previews where they are given;
    tags, metadata and assessments are added.

    Raises:
        ExperimentNotFound: Its experiment is not there.
        ExperimentDeleted: It is in the bin.
        InvalidInput: The trace is in another experiment.
    """
    experiment = experiments.require_live(tx, trace.experiment_id)
    _require_home(tx, trace_id, trace.experiment_id)
    insert(tx, trace)
    number = lock(tx, trace_id).number
    _replace(tx, number, trace)
    location = artifact_location(experiment.artifact_location, trace_id)
    tags = {**trace.tags, PLACE_TAG: location}
    home = trace.experiment_id
    pairs.put(tx, pairs.TAG, number, home, pairs=tags)
    pairs.put(tx, pairs.METADATA, number, home, pairs=trace.metadata)
    assessments.put(tx, number, trace.assessments)

    return by_id(tx, trace_id)


def finish(tx: Tx, trace_id: str, *, end_ms: int, told: Trace) -> Trace:
    """
    Say how a trace ended: state, tags and metadata are those of *told*.

    Raises:
        TraceNotFound: No trace has this id.
    """
    place = lock(tx, trace_id)
    tx.run(
        "UPDATE trace SET state = :state, duration_ms = :end - start_ms WHERE id = :id",
        state=told.state,
        end=end_ms,
        id=place.number,
    )
    pairs.put(tx, pairs.TAG, place.number, place.experiment, pairs=told.tags)
    pairs.put(tx, pairs.METADATA, place.number, place.experiment, pairs=told.metadata)

    return by_id(tx, trace_id)


def insert(tx: Tx, trace: Trace) -> None:
    """
    Write the row of a trace if there is none.

    Nothing says whether there was: MariaDB counts a row that it left as it is.
    """
    tx.run(
        """
        INSERT INTO trace (uuid, experiment_id, start_ms, duration_ms, state,
            client_request_id, request_preview, response_preview)
        VALUES (:uuid, :experiment, :start, :duration, :state, :client, :request,
            :response)
        ON CONFLICT (uuid) DO NOTHING
        """,
        uuid=words.clean("Trace id", trace.id, limits.TRACE_ID_CHARS),
        experiment=trace.experiment_id,
        **_fields(trace),
    )


def by_id(tx: Tx, trace_id: str) -> Trace:
    """
    Return a trace.

    Raises:
        TraceNotFound: No trace has this id.
    """
    found = by_numbers(tx, [require(tx, trace_id).number])

    return found[0]


def by_ids(
    tx: Tx, trace_ids: Sequence[str], *, experiment_ids: Sequence[int] | None = None
) -> list[Trace]:
    """Return the traces that exist, each once, in the order asked for."""
    wanted = list(dict.fromkeys(trace_ids))
    numbers: dict[str, int] = {}
    for start in range(0, len(wanted), MANY):
        rows = tx.all(
            "SELECT uuid, id, experiment_id FROM trace WHERE uuid IN (:ids)",
            ids=wanted[start : start + MANY],
        )
        numbers |= {
            uuid: number
            for uuid, number, experiment in rows
            if experiment_ids is None or experiment in experiment_ids
        }

    return by_numbers(tx, [numbers[uuid] for uuid in wanted if uuid in numbers])


def by_numbers(tx: Tx, numbers: Sequence[int]) -> list[Trace]:
    """Return traces with what belongs to them, in the order asked for."""
    rows = tx.all(
        f"SELECT {COLUMNS} FROM trace WHERE id IN (:ids)",  # noqa: S608  # our own column list
        ids=list(numbers),
    )
    tags = pairs.of(tx, pairs.TAG, numbers)
    metadata = pairs.of(tx, pairs.METADATA, numbers)
    judged = assessments.of(tx, numbers)
    found = {}
    for number, uuid, experiment, start_ms, state, *rest in rows:
        found[number] = Trace(
            uuid, experiment, start_ms, TraceState(state), *rest
        )._replace(
            tags=tags[number],
            metadata=metadata[number],
            assessments=tuple(judged[number]),
        )

    return [found[number] for number in numbers if number in found]


def set_tag(tx: Tx, trace_id: str, key: str, value: str) -> None:
    """
    Set a tag.

    Raises:
        TraceNotFound: No trace has this id.
    """
    place = lock(tx, trace_id)
    pairs.put(tx, pairs.TAG, place.number, place.experiment, pairs={key: value})


def delete_tag(tx: Tx, trace_id: str, key: str) -> None:
    """
    Remove a tag.

    Raises:
        TraceNotFound: No trace has this id.
        NotFound: It has no such tag.
    """
    if not pairs.drop(tx, pairs.TAG, lock(tx, trace_id).number, key=key):
        raise errors.NotFound(
            f"No trace tag with key {key[:250]!r} for trace with ID {trace_id!r}"
        )


def link_to_run(tx: Tx, links: Links) -> None:
    """
    Note that traces belong to a run; those that are not there are left out.

    Raises:
        RunNotFound: No run has this id.
    """
    run = runs.require(tx, links.run_id).run
    numbers = [
        row[0]
        for row in tx.all(
            "SELECT id FROM trace WHERE uuid IN (:ids) ORDER BY id",
            ids=list(links.trace_ids),
        )
    ]
    tx.run_many(
        """
        INSERT INTO trace_run (run_id, trace_id) VALUES (:run, :trace)
        ON CONFLICT (run_id, trace_id) DO NOTHING
        """,
        [{"run": run, "trace": number} for number in numbers],
    )


def link_prompts(tx: Tx, trace_id: str, prompts: Sequence[str]) -> None:
    """
    Note which versions of prompts, as "name/version", a trace used.

    Raises:
        TraceNotFound: No trace has this id.
    """
    trace = lock(tx, trace_id).number
    tx.run_many(
        """
        INSERT INTO trace_prompt (trace_id, prompt) VALUES (:trace, :prompt)
        ON CONFLICT (trace_id, prompt) DO NOTHING
        """,
        [
            {"trace": trace, "prompt": words.clean("Prompt", prompt, 500)}
            for prompt in sorted(set(prompts))
        ],
    )


def delete(tx: Tx, selection: Selection) -> int:
    """Delete traces for good, the oldest first, and say how many."""
    limit = "" if selection.most is None else f" LIMIT {selection.most:d}"
    conditions, params = "experiment_id = :experiment", {}
    if selection.until_ms is not None:
        conditions += " AND start_ms <= :until"
        params["until"] = selection.until_ms
    if selection.trace_ids:
        conditions += " AND uuid IN (:ids)"
    rows = tx.all(
        f"SELECT id FROM trace WHERE {conditions} ORDER BY start_ms, uuid{limit}"  # noqa: S608  # our own text
        + tx.for_update,
        experiment=selection.experiment_id,
        **params,
        **({"ids": list(selection.trace_ids)} if selection.trace_ids else {}),
    )
    numbers = [row[0] for row in rows]
    for start in range(0, len(numbers), MANY):
        some = numbers[start : start + MANY]
        for table in CHILDREN:
            tx.run(f"DELETE FROM {table} WHERE trace_id IN (:ids)", ids=some)  # noqa: S608  # names of ours
        tx.run("DELETE FROM trace WHERE id IN (:ids)", ids=some)

    return len(numbers)


def artifact_location(root: str, trace_id: str) -> str:
    """Return where the files of a trace lie, below its experiment's."""
    return f"{root.rstrip('/')}/traces/{trace_id}/artifacts"


def _require_home(tx: Tx, trace_id: str, experiment: int) -> None:
    row = tx.one("SELECT experiment_id FROM trace WHERE uuid = :uuid", uuid=trace_id)
    if row is not None and row[0] != experiment:
        raise elsewhere(trace_id)


def elsewhere(trace_id: str) -> errors.InvalidInput:
    """Say that a trace is in another experiment than what was sent for it."""
    return errors.InvalidInput(
        f"Trace with ID {trace_id!r} already exists in another experiment."
    )


def _replace(tx: Tx, number: int, trace: Trace) -> None:
    tx.run(
        """
        UPDATE trace SET start_ms = :start, duration_ms = :duration, state = :state,
            client_request_id = :client,
            request_preview = COALESCE(:request, request_preview),
            response_preview = COALESCE(:response, response_preview)
        WHERE id = :id
        """,
        id=number,
        **_fields(trace),
    )


def _fields(trace: Trace) -> Mapping[str, str | int | None]:
    return {
        "start": trace.start_ms,
        "duration": trace.duration_ms,
        "state": trace.state,
        "client": _clean("Client request id", trace.client_request_id),
        "request": _clean("Request preview", trace.request_preview),
        "response": _clean("Response preview", trace.response_preview),
    }


def _clean(what: str, value: str | None) -> str | None:
    return None if value is None else words.clean(what, value, limits.PREVIEW_CHARS)
