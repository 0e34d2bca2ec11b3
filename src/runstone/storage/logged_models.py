"""
Logged models: models as MLflow 3 keeps them, beside the runs that made them.

Model ids go by keyword: the writer takes a first text for the run that a job
locks, and nothing here locks one.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Final

from runstone import errors, limits
from runstone.model import Lifecycle, LoggedModel, ModelStatus, Param, Tag
from runstone.storage import experiments, model_points, runs, words
from runstone.storage.tx import Row, Tx


COLUMNS: Final = (
    "l.id, l.uuid, l.experiment_id, l.name, l.model_type, l.source_run, "
    "l.artifact_uri, l.status, l.lifecycle, l.created_ms, l.updated_ms"
)

STATUSES: Final = tuple(ModelStatus)
"""Each status at its number."""

FORBIDDEN: Final = "/:.%\"'"
"""
Signs that no name has: it stands in URIs and in filters.

Source: `_validate_logged_model_name` in `mlflow/utils/validation.py`, 3.18.
"""

HISTORY_TAG: Final = "mlflow.log-model.history"
"""Where clients before 3.0 note the models of a run, as a JSON list."""

VERSIONS_TAG: Final = "mlflow.modelVersions"
"""Where MLflow notes the registered versions of a model, as a JSON list."""

EXTERNAL_TAG: Final = "mlflow.model.isExternal"
"""A model with this tag at "true" has its files elsewhere, or none."""


def create(  # noqa: PLR0913  # a model has so many parts
    tx: Tx,
    experiment_id: int,
    *,
    model_id: str,
    name: str,
    now_ms: int,
    type: str = "",  # noqa: A002  # the noun's own word
    source_run_id: str = "",
    params: Sequence[Param] = (),
    tags: Iterable[Tag] = (),
) -> LoggedModel:
    """
    Create a model whose files are still to come.

    Raises:
        ExperimentNotFound: No experiment has this id.
        ExperimentDeleted: It is in the bin.
        InvalidInput: The name, a param or a tag cannot be kept.
    """
    experiment = experiments.require_live(tx, experiment_id)
    _check_name(name)
    words.clean("Model type", type, limits.MODEL_NAME_CHARS)
    words.clean("Id of the source run", source_run_id, 64)
    place = f"{experiment.artifact_location.rstrip('/')}/models/{model_id}/artifacts"
    number = tx.insert(
        """
        INSERT INTO logged_model (uuid, experiment_id, lifecycle, status,
            created_ms, updated_ms, source_run, name, model_type, artifact_uri)
        VALUES (:uuid, :experiment, 'active', :status,
            :now_ms, :now_ms, :run, :name, :type, :place)
        """,
        uuid=model_id,
        experiment=experiment_id,
        status=STATUSES.index(ModelStatus.PENDING),
        now_ms=now_ms,
        run=source_run_id,
        name=name,
        type=type,
        place=place,
    )
    _add_params(tx, number, params)
    _put_tags(tx, number, tags)

    return by_numbers(tx, [number])[0]


def by_id(tx: Tx, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
    """
    Return a model with its params, tags and points.

    Raises:
        LoggedModelNotFound: No model has this id, or it is deleted.
    """
    number = _number(tx, model_id)
    model = by_numbers(tx, [number])[0]
    if model.lifecycle is Lifecycle.DELETED and not allow_deleted:
        raise errors.LoggedModelNotFound(model_id)

    return model


def known(tx: Tx, model_ids: Sequence[str]) -> dict[str, LoggedModel]:
    """Return those models that exist, deleted or not, without their parts."""
    found: dict[str, LoggedModel] = {}
    for start in range(0, len(model_ids), 500):
        rows = tx.all(
            f"SELECT {COLUMNS} FROM logged_model l WHERE l.uuid IN (:ids)",  # noqa: S608  # our own column list
            ids=list(model_ids[start : start + 500]),
        )
        found.update((row[1], _record(row)) for row in rows)

    return found


def by_numbers(tx: Tx, numbers: Sequence[int]) -> list[LoggedModel]:
    """Return models with all that is known of them, in the order of *numbers*."""
    found: dict[int, LoggedModel] = {}
    for start in range(0, len(numbers), 500):
        part = list(numbers[start : start + 500])
        params = _labels(tx, "logged_model_param", part)
        tags = _labels(tx, "logged_model_tag", part)
        points = model_points.of_models(tx, part)
        rows = tx.all(
            f"SELECT {COLUMNS} FROM logged_model l WHERE l.id IN (:models)",  # noqa: S608  # our own column list
            models=part,
        )
        for row in rows:
            number = row[0]
            found[number] = _record(row)._replace(
                params=tuple(Param(*pair) for pair in params.get(number, ())),
                tags=tuple(Tag(*pair) for pair in tags.get(number, ())),
                points=tuple(points.get(number, ())),
            )

    return [found[number] for number in numbers]


def finalize(tx: Tx, *, model_id: str, status: ModelStatus, now_ms: int) -> LoggedModel:
    """
    Say how the upload of a model's files ended.

    Raises:
        LoggedModelNotFound: No model has this id.
    """
    number = _number(tx, model_id)
    tx.run(
        "UPDATE logged_model SET status = :status, updated_ms = :now WHERE id = :id",
        status=STATUSES.index(status),
        now=now_ms,
        id=number,
    )

    return by_numbers(tx, [number])[0]


def log_params(tx: Tx, *, model_id: str, params: Sequence[Param]) -> None:
    """
    Write params of a model; the same value may come again.

    Raises:
        LoggedModelNotFound: No model has this id.
        ParamChanged: One already has another value; nothing was written.
    """
    _add_params(tx, _number(tx, model_id), params)


def set_tags(tx: Tx, *, model_id: str, tags: Iterable[Tag]) -> None:
    """
    Set tags of a model; a later value takes the place of an earlier one.

    Raises:
        LoggedModelNotFound: No model has this id.
    """
    _put_tags(tx, _number(tx, model_id), tags)


def delete_tag(tx: Tx, *, model_id: str, key: str) -> None:
    """
    Remove a tag of a model.

    Raises:
        LoggedModelNotFound: No model has this id.
        NotFound: It has no such tag.
    """
    number = _number(tx, model_id)
    gone = tx.run(
        "DELETE FROM logged_model_tag WHERE model_id = :model AND key_id = :key",
        model=number,
        key=words.find(tx, [key]).get(key, 0),
    )
    if not gone:
        raise errors.NotFound(
            f"No tag with key {key[:250]!r} found for model with ID {model_id!r}."
        )


def delete(tx: Tx, *, model_id: str, now_ms: int) -> None:
    """
    Put a model into the bin; its files stay.

    Raises:
        LoggedModelNotFound: No model has this id.
    """
    tx.run(
        """
        UPDATE logged_model SET lifecycle = 'deleted', updated_ms = :now
        WHERE id = :id
        """,
        now=now_ms,
        id=_number(tx, model_id),
    )


def note(tx: Tx, run_id: str, entry: dict[str, object]) -> None:
    """
    Add to the list of models that clients before 3.0 keep in a tag of the run.

    Raises:
        RunNotFound: No run has this id.
        RunDeleted: It is in the bin.
        InvalidInput: Somebody wrote something else into that tag.
    """
    place = runs.touch(tx, run_id)
    row = tx.one(
        "SELECT value FROM tag WHERE run_id = :run AND key_id = :key",
        run=place.run,
        key=words.find(tx, [HISTORY_TAG]).get(HISTORY_TAG, 0),
    )
    try:
        noted = json.loads(row[0]) if row else []
    except ValueError:
        noted = None
    if not isinstance(noted, list):
        raise errors.InvalidInput(
            f"The tag {HISTORY_TAG!r} of run {run_id} holds no list; delete it first"
        )
    runs.put_tags(tx, place, [Tag(HISTORY_TAG, json.dumps([*noted, entry]))])


def note_version(tx: Tx, *, model_id: str, name: str, version: int) -> None:
    """
    Add to the list of a model's registered versions, once, as MLflow keeps it.

    Of a list that would be over a tag's limit the oldest are forgotten.
    Source: `set_model_versions_tags` in `store/tracking/abstract_store.py`, 3.18.

    Raises:
        LoggedModelNotFound: No live model has this id.
        InvalidInput: Somebody wrote something else into that tag.
    """
    row = tx.one(
        "SELECT id, lifecycle FROM logged_model WHERE uuid = :uuid" + tx.for_update,  # noqa: S608  # our own text
        uuid=model_id,
    )
    if row is None or row[1] != Lifecycle.ACTIVE:
        raise errors.LoggedModelNotFound(model_id)
    number = int(row[0])
    noted = _noted_versions(tx, number, model_id)
    entry = {"name": name, "version": version}
    if entry in noted:
        return
    noted.append(entry)
    while len(text := json.dumps(noted)) > limits.TAG_VALUE_CHARS:
        del noted[0]
    _put_tags(tx, number, [Tag(VERSIONS_TAG, text)])


def _noted_versions(tx: Tx, number: int, model_id: str) -> list[object]:
    written = dict(_labels(tx, "logged_model_tag", [number]).get(number, ()))
    try:
        noted = json.loads(written.get(VERSIONS_TAG) or "[]")
    except ValueError:
        noted = None
    if not isinstance(noted, list):
        raise errors.InvalidInput(
            f"The tag {VERSIONS_TAG!r} of model {model_id} holds no list; "
            "delete it first"
        )

    return noted


def names_of_run(tx: Tx, run_id: str) -> list[str]:
    """
    Return the names of the live models with files that a run made.

    Only of its own experiment: who may write elsewhere shall not put anything
    below this run.
    """
    rows = tx.all(
        """
        SELECT DISTINCT l.name FROM logged_model l
        JOIN run ON run.uuid = l.source_run AND run.experiment_id = l.experiment_id
        WHERE l.source_run = :run AND l.lifecycle = 'active' AND NOT EXISTS (
            SELECT 1 FROM logged_model_tag t
            WHERE t.model_id = l.id AND t.key_id = :external AND t.value = 'true')
        ORDER BY l.name
        """,
        run=run_id,
        external=words.find(tx, [EXTERNAL_TAG]).get(EXTERNAL_TAG, 0),
    )

    return [row[0] for row in rows]


def place_in_run(tx: Tx, run_id: str, name: str) -> str | None:
    """
    Return where the files of a run's model lie; of several of a name, the newest's.

    None where the run has no live model of this name in its experiment.
    """
    row = tx.one(
        """
        SELECT l.artifact_uri FROM logged_model l
        JOIN run ON run.uuid = l.source_run AND run.experiment_id = l.experiment_id
        WHERE l.source_run = :run AND l.name = :name AND l.lifecycle = 'active'
        ORDER BY l.created_ms DESC, l.uuid LIMIT 1
        """,
        run=run_id,
        name=name,
    )

    return None if row is None else str(row[0])


def _check_name(name: str) -> None:
    words.clean("Model name", name, limits.MODEL_NAME_CHARS)
    if not name or any(sign in name for sign in FORBIDDEN):
        raise errors.InvalidInput(
            f"Invalid model name ({name!r}) provided. Model name must be a non-empty "
            f"string and cannot contain the following characters: {tuple(FORBIDDEN)}"
        )


def _number(tx: Tx, model_id: str) -> int:
    row = tx.one("SELECT id FROM logged_model WHERE uuid = :uuid", uuid=model_id)
    if row is None:
        raise errors.LoggedModelNotFound(model_id)

    return int(row[0])


def _record(row: Row) -> LoggedModel:
    number, uuid, experiment, name, kind, run, place, status, lifecycle, *times = row

    return LoggedModel(
        number,
        uuid,
        experiment,
        name,
        kind,
        run,
        place,
        STATUSES[status],
        Lifecycle(lifecycle),
        *times,
    )


def _add_params(tx: Tx, model: int, params: Sequence[Param]) -> None:
    fresh: dict[str, str] = {}
    for param in params:
        words.clean("Param key", param.key, limits.KEY_CHARS)
        what = f"Value of param {param.key!r}"
        words.clean(what, param.value, limits.PARAM_VALUE_CHARS)
        if fresh.setdefault(param.key, param.value) != param.value:
            raise errors.ParamChanged(param.key, fresh[param.key], param.value)
    if not fresh:
        return
    known = dict(_labels(tx, "logged_model_param", [model]).get(model, ()))
    for key in fresh.keys() & known.keys():
        if known[key] != fresh[key]:
            raise errors.ParamChanged(key, known[key], fresh[key])
        del fresh[key]
    numbers = words.intern(tx, list(fresh))
    tx.run_many(
        """
        INSERT INTO logged_model_param (model_id, key_id, value)
        VALUES (:model, :key, :value)
        """,
        [
            {"model": model, "key": numbers[key], "value": value}
            for key, value in fresh.items()
        ],
    )


def _put_tags(tx: Tx, model: int, tags: Iterable[Tag]) -> None:
    last: dict[str, str] = {}
    for tag in tags:
        words.clean("Tag key", tag.key, limits.KEY_CHARS)
        what = f"Value of tag {tag.key!r}"
        last[tag.key] = words.clean(what, tag.value, limits.TAG_VALUE_CHARS)
    numbers = words.intern(tx, list(last))
    tx.run_many(
        """
        INSERT INTO logged_model_tag (model_id, key_id, value)
        VALUES (:model, :key, :value)
        ON CONFLICT (model_id, key_id) DO UPDATE SET value = excluded.value
        """,
        [
            {"model": model, "key": numbers[key], "value": last[key]}
            for key in sorted(last)  # two servers lock them in one order
        ],
    )


def _labels(tx: Tx, table: str, models: list[int]) -> dict[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = {}
    rows = tx.all(
        f"""
        SELECT l.model_id, word.name, l.value FROM {table} l
        JOIN word ON word.id = l.key_id
        WHERE l.model_id IN (:models) ORDER BY l.model_id, word.name
        """,  # noqa: S608  # one of two names of ours
        models=models,
    )
    for model, key, value in rows:
        found.setdefault(model, []).append((key, value))

    return found
