"""Fifty promote at once through two servers: nothing is lost, nobody wins twice."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.reliability.client import API, Client
from tests.reliability.servers import Served, assert_calm, served


TEAMS = 50
ROUNDS = 4
NAME = "iris"

Answer = tuple[int, Any]


@pytest.fixture(params=["sqlite", "postgresql"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Served]]:
    """Two server processes on one database, with a model of fifty versions."""
    store = (
        f"sqlite:///{tmp_path}/registry.db"
        if request.param == "sqlite"
        else request.getfixturevalue("fresh_postgresql_url")
    )
    with ExitStack() as running:
        servers = [
            running.enter_context(served(tmp_path / name, store=store))
            for name in ("a", "b")
        ]
        with Client(servers[0].port) as client:
            create(client, "registered-models")
            for _ in range(TEAMS + 1):
                create(client, "model-versions", source="s3://bucket/m")
        yield servers
        for server in servers:
            assert_calm(server)


def create(client: Client, what: str, **more: object) -> None:
    """Create the model, or a version of it."""
    status, answer = send(client, "POST", f"{API}{what}/create", name=NAME, **more)
    assert status == 200, answer


def others(present: int | None) -> list[int]:
    """Return a version for each team, none of which is the present one."""
    return [number for number in range(1, TEAMS + 2) if number != present]


def together(pair: list[Served], ask: Callable[[Client, int], Answer]) -> list[Answer]:
    """Have every team ask at the same moment, each over a connection of its own."""
    ready = threading.Barrier(TEAMS)

    def one(team: int) -> Answer:
        with Client(pair[team % 2].port) as client:
            client.ask("GET", "/health")
            ready.wait()
            return ask(client, team)

    with ThreadPoolExecutor(TEAMS) as teams:
        return list(teams.map(one, range(TEAMS)))


def send(client: Client, method: str, path: str, **body: object) -> Answer:
    """Ask and decode the answer."""
    status, answer = client.ask(method, path, json.dumps(body).encode())

    return status, json.loads(answer)


def history(pair: list[Served]) -> list[dict[str, Any]]:
    """Return all moves, the oldest first, as the second server tells them."""
    with Client(pair[1].port) as client:
        page = client.get(f"/api/v1/models/{NAME}/transitions?limit=1000")
    assert page["next_page_token"] is None

    return list(page["transitions"])[::-1]


def stood(pair: list[Served]) -> dict[str, str]:
    """Return the stage of every version."""
    with Client(pair[0].port) as client:
        page = client.get(f"/api/v1/models/{NAME}/versions?limit=1000")

    return {str(each["version"]): each["stage"] for each in page["versions"]}


def replayed(moves: list[dict[str, Any]], start: dict[str, str | None]) -> Any:  # noqa: ANN401  # as it began
    """Follow the moves: each begins where the one before it ended."""
    now = dict(start)
    for move in moves:
        assert now.get(move["subject"]) == move["old"], move
        now[move["subject"]] = move["new"]

    return now


def test_every_move_of_an_alias_is_kept(pair: list[Served]) -> None:
    """Whoever was answered 200 stands in the history, and the last one holds it."""

    def put(client: Client, team: int) -> Answer:
        path = f"{API}registered-models/alias"
        return send(
            client, "POST", path, name=NAME, alias="champion", version=str(team + 1)
        )

    answers = together(pair, put)

    assert [status for status, _ in answers] == [200] * TEAMS
    moves = history(pair)
    assert Counter(move["new"] for move in moves) == Counter(
        str(team + 1) for team in range(TEAMS)
    )
    with Client(pair[0].port) as client:
        now = client.get(f"/api/v1/models/{NAME}")["aliases"]
    assert replayed(moves, {}) == {"champion": str(now["champion"])}


def test_one_version_is_in_production_however_many_come(pair: list[Served]) -> None:
    """Each archives who was there, and is archived by who comes after."""

    def move(client: Client, team: int) -> Answer:
        return send(
            client,
            "POST",
            f"{API}model-versions/transition-stage",
            name=NAME,
            version=str(team + 1),
            stage="Production",
            archive_existing_versions=True,
        )

    answers = together(pair, move)

    assert [status for status, _ in answers] == [200] * TEAMS
    now = stood(pair)
    counts = {"Production": 1, "Archived": TEAMS - 1, "None": 1}
    assert Counter(now.values()) == counts
    moves = history(pair)
    assert Counter(move["new"] for move in moves) == {
        "Production": TEAMS,
        "Archived": TEAMS - 1,
    }
    assert replayed(moves, dict.fromkeys(now, "None")) == now


def test_one_of_fifty_wins_each_round(pair: list[Served]) -> None:
    """The others learn who it was, and nothing of theirs is written."""
    present: int | None = None
    for turn in range(ROUNDS):

        def put(client: Client, team: int, present: int | None = present) -> Answer:
            return send(
                client,
                "PUT",
                f"/api/v1/models/{NAME}/aliases/champion",
                version=others(present)[team],
                expected=present,
                by=f"team {team}",
            )

        answers = together(pair, put)

        (won,) = [answer for status, answer in answers if status == 200]
        lost = [answer for status, answer in answers if status == 409]
        present = won["aliases"]["champion"]
        assert len(lost) == TEAMS - 1
        assert {answer["present"] for answer in lost} == {present}
        assert all(f"is at {present} by now" in each["message"] for each in lost)
        moves = history(pair)
        assert len(moves) == turn + 1
        assert replayed(moves, {}) == {"champion": str(present)}


def test_one_of_fifty_takes_over_production(pair: list[Served]) -> None:
    """Named by who holds it: the others come too late and archive nobody."""
    present: int | None = None
    for turn in range(ROUNDS):

        def move(client: Client, team: int, present: int | None = present) -> Answer:
            return send(
                client,
                "PUT",
                f"/api/v1/models/{NAME}/versions/{others(present)[team]}/stage",
                stage="Production",
                archive_existing=True,
                expected_holder=present,
            )

        answers = together(pair, move)

        (present,) = [each["version"] for status, each in answers if status == 200]
        assert Counter(status for status, _ in answers)[409] == TEAMS - 1
        now = stood(pair)
        assert now[str(present)] == "Production"
        assert Counter(now.values())["Production"] == 1
        assert Counter(now.values())["Archived"] <= turn
    now = stood(pair)
    assert replayed(history(pair), dict.fromkeys(now, "None")) == now
