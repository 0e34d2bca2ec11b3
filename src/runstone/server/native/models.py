"""
The registry on our own wire: models, versions, and moves that may be refused.

A move can name what it takes for true (`expected`); where that is not true any
more, nothing is changed and the 409 says what is.
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from runstone import errors
from runstone.model import ModelVersion, RegisteredModel, Transition
from runstone.server import errors as wire_errors
from runstone.server.http import (
    Reply,
    Request,
    Right,
    Route,
    from_query,
    read,
    reply,
)
from runstone.server.mlflow.messages import version_number
from runstone.server.state import database, now_ms
from runstone.storage.registry import (
    aliases,
    models,
    naming,
    search,
    stages,
    transitions,
    versions,
)
from runstone.storage.registry.transitions import Expected, Note
from runstone.storage.tx import Tx


HISTORY = 1_000
"""Most moves that a version's page shows; the model's history has all."""


class VersionMessage(msgspec.Struct):
    """A version of a model."""

    model: str
    version: int
    stage: str
    aliases: list[str]
    source: str
    run_id: str
    description: str
    tags: dict[str, str]
    created_ms: int
    updated_ms: int


class ModelMessage(msgspec.Struct):
    """A registered model with the newest version of each stage."""

    name: str
    description: str
    tags: dict[str, str]
    aliases: dict[str, int]
    versions: int
    """How many it has."""

    latest: list[VersionMessage]
    created_ms: int
    updated_ms: int


class ModelList(msgspec.Struct):
    """A page of models."""

    models: list[ModelMessage]
    next_page_token: str | None


class VersionList(msgspec.Struct):
    """A page of versions."""

    versions: list[VersionMessage]
    next_page_token: str | None


class TransitionMessage(msgspec.Struct):
    """One move of an alias or a stage, or a new name."""

    number: int
    model: str
    time_ms: int
    kind: str
    subject: str
    old: str | None
    new: str | None
    by: str
    why: str


class TransitionList(msgspec.Struct):
    """A page of history, the newest first."""

    transitions: list[TransitionMessage]
    next_page_token: str | None


class VersionPage(msgspec.Struct):
    """A version with what happened to it, the newest first."""

    version: VersionMessage
    transitions: list[TransitionMessage]


class Page(msgspec.Struct):
    """Query of a page."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    page_token: str | None = None


class Search(Page):
    """Query of a page of models or versions."""

    filter: str | None = None
    order_by: list[str] = []


class Told(msgspec.Struct):
    """What is told of a move, for the history."""

    by: str = ""
    why: str = ""


class PutAlias(Told, kw_only=True):
    """Body that points an alias at a version."""

    version: int
    expected: int | None | UnsetType = UNSET
    """The version that it must point at before; null for none."""


class DeleteAlias(Told):
    """Body that takes an alias away."""

    expected: int | UnsetType = UNSET
    """The version that it must point at before."""


class PutStage(Told, kw_only=True):
    """Body that moves a version to a stage."""

    stage: str
    archive_existing: bool = False
    """Whether the other versions of that stage are archived."""

    expected: str | UnsetType = UNSET
    """The stage that the version must have before."""

    expected_holder: int | None | UnsetType = UNSET
    """The newest version that must have the new stage before; null for none."""


class Moved(msgspec.Struct):
    """Body of a 409: somebody else was there first."""

    error_code: str
    message: str
    present: int | str | None
    """What is true: a version, a stage, or null for nothing."""


async def find(request: Request) -> Reply:
    """Return a page of registered models, by name where no order is given."""
    query = from_query(request.query(), Search)

    return reply(await database(request).read(_find, _asked(query)))


def _find(tx: Tx, query: search.Query) -> ModelList:
    page = search.find_models(tx, query)

    return ModelList(_models(tx, page.models), page.next_page_token)


async def get(request: Request) -> Reply:
    """Return a registered model."""
    return reply(await database(request).read(_get, _name(request)))


def _get(tx: Tx, name: str) -> ModelMessage:
    return _models(tx, [models.by_name(tx, name)])[0]


async def find_versions(request: Request) -> Reply:
    """Return a page of a model's versions, the newest first by default."""
    query = from_query(request.query(), Search)
    page = await database(request).read(
        search.versions_of, _name(request), _asked(query)
    )

    return reply(VersionList(list(map(_version, page.versions)), page.next_page_token))


async def get_version(request: Request) -> Reply:
    """Return a version with its history."""
    version = version_number(request.params["version"])

    return reply(await database(request).read(_get_version, _name(request), version))


def _get_version(tx: Tx, name: str, version: int) -> VersionPage:
    found = versions.by_version(tx, name, version)
    history = transitions.of_version(tx, name, version, limit=HISTORY)

    return VersionPage(_version(found), list(map(_transition, history)))


async def put_alias(request: Request) -> Reply:
    """Point an alias at a version; 409 if it is not where it is expected."""
    body = await read(request, PutAlias)
    try:
        await database(request).write(
            aliases.put,
            _name(request),
            alias=request.params["alias"],
            version=body.version,
            note=_note(body),
            expected=_expected(body.expected),
        )
    except errors.HolderChanged as error:
        return _moved(error)

    return reply(await database(request).read(_get, _name(request)))


async def delete_alias(request: Request) -> Reply:
    """Take an alias away; 409 if it is not where it is expected."""
    body = await read(request, DeleteAlias)
    try:
        await database(request).write(
            aliases.drop,
            _name(request),
            alias=request.params["alias"],
            note=_note(body),
            expected=_expected(body.expected),
        )
    except errors.HolderChanged as error:
        return _moved(error)

    return reply(await database(request).read(_get, _name(request)))


async def put_stage(request: Request) -> Reply:
    """Move a version to a stage; 409 if something is not as expected."""
    body = await read(request, PutStage)
    expected = body.expected
    if isinstance(expected, str):
        expected = stages.read(expected).value
    try:
        moved = await database(request).write(
            stages.move,
            _name(request),
            version=version_number(request.params["version"]),
            stage=stages.read(body.stage),
            note=_note(body),
            archive_existing=body.archive_existing,
            premise=stages.Premise(
                _expected(expected), _expected(body.expected_holder)
            ),
        )
    except errors.HolderChanged as error:
        return _moved(error)

    return reply(_version(moved))


async def history(request: Request) -> Reply:
    """Return what happened to a model, the newest first; also of a deleted one."""
    query = from_query(request.query(), Page)
    page = await database(request).read(
        transitions.page,
        _name(request),
        limit=query.limit,
        page_token=query.page_token or None,
    )
    found = list(map(_transition, page.transitions))

    return reply(TransitionList(found, page.next_page_token))


def _name(request: Request) -> str:
    return naming.model(request.params["name"])


def _asked(query: Search) -> search.Query:
    return search.Query(
        query.filter, tuple(query.order_by), query.limit, query.page_token or None
    )


def _note(body: Told) -> Note:
    return Note(now_ms(), body.by, body.why)


def _expected(sent: int | str | None | UnsetType) -> Expected | None:
    if isinstance(sent, UnsetType):
        return None

    return Expected(None if sent is None else str(sent))


def _moved(error: errors.HolderChanged) -> Reply:
    status, code = wire_errors.WIRE[errors.Conflict]
    present: int | str | None = error.present
    if error.present is not None and error.present.isdecimal():
        present = int(error.present)

    return reply(Moved(code, str(error), present))._replace(status=status)


def _models(tx: Tx, found: list[RegisteredModel]) -> list[ModelMessage]:
    counts = models.count_versions(tx, [item.number for item in found])

    return [
        ModelMessage(
            item.name,
            item.description,
            dict(item.tags),
            dict(item.aliases),
            counts.get(item.number, 0),
            list(map(_version, item.latest)),
            item.created_ms,
            item.updated_ms,
        )
        for item in found
    ]


def _version(item: ModelVersion) -> VersionMessage:
    return VersionMessage(
        item.model,
        item.version,
        item.stage,
        list(item.aliases),
        item.source,
        item.run_id,
        item.description or "",
        dict(item.tags),
        item.created_ms,
        item.updated_ms,
    )


def _transition(item: Transition) -> TransitionMessage:
    return TransitionMessage(*item)


_ONE = "models/{name}"

routes = [
    Route("GET", "models", find, Right.READ, Search),
    Route("GET", _ONE, get, Right.READ),
    Route("GET", _ONE + "/versions", find_versions, Right.READ, Search),
    Route("GET", _ONE + "/versions/{version}", get_version, Right.READ),
    Route("PUT", _ONE + "/versions/{version}/stage", put_stage, Right.EDIT, PutStage),
    Route("PUT", _ONE + "/aliases/{alias}", put_alias, Right.EDIT, PutAlias),
    Route("DELETE", _ONE + "/aliases/{alias}", delete_alias, Right.EDIT, DeleteAlias),
    Route("GET", _ONE + "/transitions", history, Right.READ, Page),
]
