"""Clients and servers are killed, and the network between them does its worst."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from runstone.sdk import calls, door
from tests.reliability.storm import Storm, storm
from tests.sdk.conftest import environment, spool, sync
from tests.server.running import serving


__all__ = ["spool"]

pytestmark = pytest.mark.crash

CLIENTS = 4
KILLS = 5
RUN = "c" * 32

TRAINING = """
import os, sys, time
from runstone.journal import Begin
from runstone.sdk.session import session

number = int(sys.argv[1])
run = session.begin(Begin(experiment="chaos", name="run", start_ms=1), sys.argv[2])
for step in range(number * 1_000_000, number * 1_000_000 + 10_000):
    run.log({"loss": step, "acc": -step}, step=step)
    os.write(1, b"%d\\n" % step)  # so that it is known even of a killed one
    if step % 40 == 0:
        time.sleep(0.025)
"""


def test_what_was_logged_is_there_once(spool: Path, tmp_path: Path) -> None:
    """
    The points that are read are the points that were logged, as sets, each once.

    A client that is killed may have been in the middle of a call: that one point
    may be there or not.
    """
    dice = random.Random(7)
    with storm(seed=7) as weather:
        logged, dying = live(weather, dice, spool, tmp_path)
        with serving(tmp_path / "server") as server:
            sent = sync(spool, "--tracking-uri", server.url)
            assert sent.returncode == 0, sent.stderr
            found = {key: steps(server.url, key) for key in ("loss", "acc")}

    for key, counted in found.items():
        assert max(counted.values()) == 1, f"{key} came twice"
        assert logged - counted.keys() == set(), f"{key} was lost"
        assert len(counted.keys() - logged) <= dying
    assert set(weather.happened) == {"pass", "lose", "lose answer", "double", "replay"}


def live(
    weather: Storm, dice: random.Random, spool: Path, tmp_path: Path
) -> tuple[set[int], int]:
    """
    Let clients log while servers die; return what they logged.

    Returns:
        The steps whose `log` returned, and how many clients were killed.
    """
    clients = [
        start_client(number, weather.url, spool, tmp_path) for number in range(CLIENTS)
    ]
    killed = 0
    for _ in range(KILLS):
        with serving(tmp_path / "server") as server:
            weather.lead_to(server.url)
            time.sleep(dice.uniform(0.2, 1.0))  # the moment is what chance is about
            os.kill(server.pid, signal.SIGKILL)
        if killed < CLIENTS - 1:
            clients[killed].kill()
            killed += 1
    logged = set()
    for client in clients:
        printed, complaints = client.communicate(timeout=120)
        assert "Traceback" not in complaints, complaints
        logged |= {int(line) for line in printed.split("\n")[:-1]}

    return logged, killed


def start_client(
    number: int, url: str, spool: Path, tmp_path: Path
) -> "subprocess.Popen[str]":
    """Start a process that trains."""
    file = tmp_path / "train.py"
    file.write_text(TRAINING)

    return subprocess.Popen(
        [sys.executable, file, str(number), RUN],
        env=environment(spool, RUNSTONE_TRACKING_URI=url, RUNSTONE_EXIT_SECONDS="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def steps(url: str, key: str) -> Counter[int]:
    """Count the points at each step."""
    found: Counter[int] = Counter()
    token = None
    while True:
        page = calls.ask(
            door.HttpDoor(url),
            "GET",
            "metrics/get-history",
            {
                "run_id": RUN,
                "metric_key": key,
                "max_results": 25_000,
                "page_token": token,
            },
        )
        found.update(item["step"] for item in page["metrics"])
        token = page.get("next_page_token")
        if not token:
            return found
