"""The live stream: whoever listens hears what happens, whichever server it is on."""

import http.client
import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tests.server.running import Server, post, send


Start = Callable[..., Server]

PATIENCE_SECONDS = 20


class Stream:
    """An open stream; `next` waits for the next event of a kind."""

    def __init__(self, url: str, query: str, last: str = "") -> None:
        place = urlsplit(url)
        assert place.hostname
        self._client = http.client.HTTPConnection(
            place.hostname, place.port, timeout=PATIENCE_SECONDS
        )
        headers = {"Last-Event-ID": last} if last else {}
        self._client.request("GET", f"/api/v1/live?{query}", headers=headers)
        self.answer = self._client.getresponse()
        self.last = last

    def event(self) -> tuple[str, dict[str, Any]]:
        """Return the next event, whatever it is."""
        kind, data = "", {}
        while (line := self.answer.readline()) not in (b"\n", b""):
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                data = msgspec.json.decode(value)
            elif name == "id":
                self.last = value
        if line == b"":
            return "end", {}
        return (kind, data) if kind else self.event()

    def next(self, wanted: str) -> dict[str, Any]:
        """Return the next event of a kind; what is between is left out."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            kind, data = self.event()
            if kind == wanted:
                return data
            assert kind != "end", f"it ended before {wanted}"
        raise AssertionError(f"no {wanted}")

    def close(self) -> None:
        """Go away."""
        self.answer.close()
        self._client.close()


@contextmanager
def listening(url: str, query: str, last: str = "") -> Iterator[Stream]:
    """Listen."""
    stream = Stream(url, query, last)
    try:
        yield stream
    finally:
        stream.close()


def test_two_listeners_hear_the_same(start: Start) -> None:
    """Points as columns, then the end; what was before is not told."""
    server = start()
    run_id = create(server)
    log(server, run_id, {"loss": 9.0}, step=0)

    with (
        listening(server.url, f"runs={run_id}") as one,
        listening(server.url, "experiment=0") as two,
    ):
        assert one.answer.status == 200
        assert one.answer.headers["content-type"] == "text/event-stream"
        one.next("mark")
        two.next("mark")
        log(server, run_id, {"loss": 0.5, "acc": float("nan")}, step=1)
        log(server, run_id, {"loss": 0.25}, step=2)
        heard = [told(stream, "loss", 2) for stream in (one, two)]
        end(server, run_id)

        assert heard == [[(1, 0.5), (2, 0.25)]] * 2
        for stream in (one, two):
            assert stream.next("run")["status"] == "FINISHED"


def test_a_new_run_is_told_to_who_listens_to_its_experiment(start: Start) -> None:
    """With all that it has logged by then."""
    server = start()

    with listening(server.url, "experiment=0") as stream:
        stream.next("mark")
        run_id = create(server)
        log(server, run_id, {"loss": 1.0}, step=1)

        assert stream.next("new")["run"] == run_id
        assert told(stream, "loss", 1) == [(1, 1.0)]


def test_servers_that_share_a_database_tell_each_others_news(start: Start) -> None:
    """A run may write to one server and be watched on another."""
    one = start()
    two = start(folder=one.folder)

    with listening(two.url, "experiment=0") as stream:
        stream.next("mark")
        run_id = create(one)
        log(one, run_id, {"loss": 1.0}, step=1)

        assert told(stream, "loss", 1) == [(1, 1.0)]


def test_who_comes_back_hears_what_was_missed(start: Start) -> None:
    """A browser sends the id of the last event by itself."""
    server = start()
    run_id = create(server)
    with listening(server.url, f"runs={run_id}") as stream:
        stream.next("mark")
        last = stream.last
    log(server, run_id, {"loss": 7.0}, step=7)

    with listening(server.url, f"runs={run_id}", last) as stream:
        assert told(stream, "loss", 1) == [(7, 7.0)]


def test_what_was_compacted_meanwhile_is_told_as_such(start: Start) -> None:
    """The points are in chunks by now: the page reads its charts anew."""
    server = start()
    run_id = create(server)
    with listening(server.url, f"runs={run_id}") as stream:
        stream.next("mark")
        last = stream.last
    log(server, run_id, {"loss": 1.0}, step=1)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not compacted(server, run_id, last):
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_a_running_stream_does_not_hold_up_the_end(start: Start) -> None:
    """A page that is left open costs no restart eight seconds."""
    server = start()
    run_id = create(server)

    with listening(server.url, f"runs={run_id}") as stream:
        stream.next("mark")
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(PATIENCE_SECONDS)

        assert time.monotonic() - started < 3
        assert stream.event() == ("end", {})


def test_nonsense_is_refused_in_our_words(start: Start) -> None:
    """A stream that would never tell anything is not opened."""
    server = start()

    nothing = send(server.url, "GET", "/api/v1/live")
    unknown = send(server.url, "GET", f"/api/v1/live?runs={'a' * 32}")
    many = send(server.url, "GET", "/api/v1/live?runs=" + ",".join("a" * 500))
    missing = send(server.url, "GET", "/api/v1/live?experiment=99")
    odd = send(server.url, "GET", "/api/v1/live?experiment=x")

    assert (nothing.status, many.status) == (400, 400)
    assert "runs=" in str(nothing.json["message"])
    assert (unknown.status, missing.status) == (404, 404)
    assert odd.status in (400, 404)


def test_a_wrong_last_id_is_left_alone(start: Start) -> None:
    """It comes from outside, so it may be anything; the others hear on."""
    server = start()
    run_id = create(server)
    query = f"runs={run_id}"
    wrong = (
        "x",
        "1;2",
        f"{'f' * 30};1:{'f' * 30}",
        "-1;-1:-1",
        ";;;",
        "0;1:" + "f" * 16,
    )

    with ExitStack() as opened:
        for last in wrong:
            stream = opened.enter_context(listening(server.url, query, last))
            assert stream.answer.status == 200
        good = opened.enter_context(listening(server.url, query))
        good.next("mark")
        log(server, run_id, {"loss": 1.0}, step=1)

        assert told(good, "loss", 1) == [(1, 1.0)]
    assert send(server.url, "HEAD", f"/api/v1/live?runs={run_id}").status == 200


def create(server: Server) -> str:
    """Create a run."""
    made = post(server.url, "/api/2.0/mlflow/runs/create", experiment_id="0")
    run: dict[str, Any] = made.json["run"]  # type: ignore[assignment]  # as it came

    return str(run["info"]["run_id"])


def log(server: Server, run_id: str, values: dict[str, float], step: int) -> None:
    """Log metrics."""
    metrics = [
        {
            "key": key,
            "value": "NaN" if math.isnan(value) else value,
            "timestamp": 1,
            "step": step,
        }
        for key, value in values.items()
    ]
    answer = post(
        server.url, "/api/2.0/mlflow/runs/log-batch", run_id=run_id, metrics=metrics
    )
    assert answer.status == 200


def end(server: Server, run_id: str) -> None:
    """End a run."""
    post(
        server.url,
        "/api/2.0/mlflow/runs/update",
        run_id=run_id,
        status="FINISHED",
        end_time=9,
    )


def told(stream: Stream, key: str, count: int) -> list[tuple[int, float]]:
    """Return the first points of a series that are told."""
    found: list[tuple[int, float]] = []
    while len(found) < count:
        series = stream.next("points")["series"]
        if key in series:
            found += zip(series[key]["step"], series[key]["value"], strict=True)

    return found


def compacted(server: Server, run_id: str, last: str) -> bool:
    """Say whether who comes back is told to read anew; points are the other answer."""
    with listening(server.url, f"runs={run_id}", last) as stream:
        while True:
            kind, _ = stream.event()
            if kind in ("points", "reload", "run"):
                return kind == "reload"
