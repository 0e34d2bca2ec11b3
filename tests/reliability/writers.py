"""
A process that logs as fast as it can and remembers all that was acknowledged.

`python -m tests.reliability.writers PORTS SEED LEDGER [SHARED RUN …]` goes on
until its standard input is closed.  What is not answered is sent again, the
same bytes; so at the end everything it ever sent was acknowledged, and the
ledger is exactly what the server must have.  Standard library only: eight of
them must start quickly.
"""

import json
import pickle
import random
import sys
import threading
import time
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from tests.reliability.client import API, Client, Unanswered


PATIENCE_SECONDS = 90
KEYS = 4
SPECIAL: tuple[float | str, ...] = ("NaN", "Infinity", "-Infinity", 0.0, 1e308, 5e-324)

Point = tuple[str, int, int, float | str]
"""Key, step, time and value; a value that JSON has no number for is its word."""


@dataclass
class Written:
    """What a run must hold."""

    points: set[Point] = field(default_factory=set)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Ledger:
    """What one writer was told is written, and what it saw."""

    runs: dict[str, Written] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    """One for each request that creates a run; it may have been sent twice."""

    artifacts: dict[str, bytes] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    """Every 5xx."""

    resent: int = 0
    requests: int = 0
    slowest_seconds: float = 0.0
    unseen: list[str] = field(default_factory=list)
    """Acknowledged, and yet not in the next read."""


class Writer:
    """Writes to a run of its own and to shared ones."""

    def __init__(self, ports: list[int], seed: int, shared: list[str]) -> None:
        self.name = f"w{seed}"
        self.ledger = Ledger({run: Written() for run in shared})
        self._clients = [Client(port) for port in ports]
        self._ports = ports
        self._random = random.Random(seed)
        self._count = 0

    def work(self, ended: threading.Event) -> None:
        """Write until it is enough."""
        self._create()
        actions = [self._batch] * 5 + [self._metric] * 2 + [self._look] * 2
        actions += [self._param, self._tag, self._artifact]
        while not ended.is_set():
            self._count += 1
            self._random.choice(actions)()
            if self._count % 100 == 0:
                self._create()

    def _create(self) -> None:
        token = f"{self.name}-{self._count}"
        self.ledger.tokens.add(token)
        tags = [{"key": "token", "value": token}]
        made = self._post("runs/create", run_name=token, tags=tags)
        run_id = made["run"]["info"]["run_id"]
        self.ledger.runs[run_id] = Written(tags={"token": token})
        self._own = run_id

    def _batch(self) -> None:
        run_id = self._choose()
        written = self.ledger.runs[run_id]
        points = {self._point() for _ in range(self._random.randint(1, 150))}
        mine = sorted(written.points, key=repr) if self._count % 7 == 0 else []
        again = self._random.sample(mine, min(len(mine), 5))
        params, tags = {}, {}
        if self._random.random() < 0.3:
            params[f"{self.name}.p{self._count}"] = "v" * self._random.randint(1, 200)
            tags[f"{self.name}.t{self._count % 9}"] = f"세대 {self._count}"
        self._post(
            "runs/log-batch",
            run_id=run_id,
            metrics=[_metric(point) for point in [*points, *again]],
            params=_pairs(params),
            tags=_pairs(tags),
        )
        written.points |= points
        written.params |= params
        written.tags |= tags

    def _metric(self) -> None:
        run_id = self._choose()
        point = self._point()
        self._post("runs/log-metric", run_id=run_id, **_metric(point))
        self.ledger.runs[run_id].points.add(point)

    def _param(self) -> None:
        run_id, key = self._choose(), f"{self.name}.q{self._count}"
        value = str(self._random.random())
        self._post("runs/log-parameter", run_id=run_id, key=key, value=value)
        self.ledger.runs[run_id].params[key] = value

    def _tag(self) -> None:
        run_id, key = self._choose(), f"{self.name}.s{self._count % 5}"
        self._post("runs/set-tag", run_id=run_id, key=key, value=str(self._count))
        self.ledger.runs[run_id].tags[key] = str(self._count)

    def _artifact(self) -> None:
        path = f"{self.name}/{self._count}.bin"
        content = self._random.randbytes(self._random.randint(0, 50_000))
        place = f"/api/2.0/mlflow-artifacts/artifacts/{path}"
        self._send("PUT", place, content)
        self.ledger.artifacts[path] = content

    def _look(self) -> None:
        """Read over a fresh connection what was acknowledged a moment ago."""
        run_id = self._choose()
        written = self.ledger.runs[run_id]
        fresh = Client(self._random.choice(self._ports))
        found = json.loads(
            self._send("GET", f"{API}runs/get?run_id={run_id}", via=fresh)
        )
        data = found["run"]["data"]
        params = {item["key"]: item["value"] for item in data.get("params", [])}
        tags = {item["key"]: item["value"] for item in data.get("tags", [])}
        keys = {item["key"] for item in data.get("metrics", [])}
        self._expect(written.params.items() <= params.items(), "params")
        self._expect(written.tags.items() <= tags.items(), "tags")
        self._expect({point[0] for point in written.points} <= keys, "keys")
        key = f"m{self._random.randrange(KEYS)}"
        path = f"{API}metrics/get-history?run_id={run_id}&metric_key={key}"
        page = json.loads(self._send("GET", path, via=fresh))
        seen = {
            (m["key"], m["step"], m["timestamp"], m["value"])
            for m in page.get("metrics", [])
        }
        mine = {sent(point) for point in written.points if point[0] == key}
        self._expect(mine <= seen, f"{key} of {run_id}")
        fresh.close()

    def _expect(self, seen: bool, what: str) -> None:  # noqa: FBT001  # reads well
        if not seen:
            self.ledger.unseen.append(f"{self.name} {self._count}: {what}")

    def _choose(self) -> str:
        runs = list(self.ledger.runs)
        # Mostly its own newest run, so that many runs are busy at once.
        return self._own if self._random.random() < 0.5 else self._random.choice(runs)

    def _point(self) -> Point:
        # Few steps and times: writers of a shared run send the same point at times.
        late = self._random.random() < 0.1
        step = self._random.randint(-5, 5) if late else self._count
        value: float | str = self._random.gauss(0, 1)
        if self._random.random() < 0.3:
            value = self._random.choice(SPECIAL)
        key = f"m{self._random.randrange(KEYS)}"

        return key, step, 1_700_000_000_000 + step, value

    def _post(
        self, name: str, **fields: object
    ) -> dict[str, dict[str, dict[str, str]]]:
        body = json.dumps(fields).encode()
        reply: dict[str, dict[str, dict[str, str]]] = json.loads(
            self._send("POST", API + name, body)
        )

        return reply

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        via: Client | None = None,
    ) -> bytes:
        """Send until it is answered with yes."""
        client = via or self._random.choice(self._clients)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            assert time.monotonic() < deadline, f"no answer to {method} {path}"
            began = time.monotonic()
            try:
                status, reply = client.ask(method, path, body)
            except Unanswered:
                self.ledger.resent += 1
                time.sleep(0.02)
                continue
            if status == 200:
                self.ledger.requests += 1
                took = time.monotonic() - began
                self.ledger.slowest_seconds = max(took, self.ledger.slowest_seconds)
                return reply
            assert status >= 500, (method, path, status, reply)
            self.ledger.refused.append(f"{status} {path} {reply.decode()[:300]}")
            time.sleep(0.02)


def sent(point: Point) -> Point:
    """Return a point as MLflow's wire sends it: infinities are clipped."""
    key, step, time_ms, value = point
    if value in ("Infinity", "-Infinity"):
        value = 1.7976931348623157e308 * (1 if value == "Infinity" else -1)

    return key, step, time_ms, value


def _metric(point: Point) -> dict[str, object]:
    key, step, time_ms, value = point

    return {"key": key, "step": step, "timestamp": time_ms, "value": value}


def _pairs(items: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in items.items()]


def main(ports: str, seed: str, ledger: str, *shared: str) -> None:
    """Write until standard input ends; then leave the ledger."""
    ended = threading.Event()

    def listen() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=listen, daemon=True).start()
    writer = Writer([int(port) for port in ports.split(",")], int(seed), list(shared))
    writer.work(ended)
    Path(ledger).write_bytes(pickle.dumps(writer.ledger))


if __name__ == "__main__":
    # Not this very module: a pickle would say that its classes lie in __main__.
    import_module("tests.reliability.writers").main(*sys.argv[1:])
