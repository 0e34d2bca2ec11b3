"""
Record what a real MLflow server answers: `python -m dev.record_wire MLFLOW [NAME…]`.

MLFLOW is the program of an environment that has MLflow's server; each script of
`tests/wire/scripts` is played to a fresh server of it, and the answers go to
`tests/wire/recorded/`, one line a call.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.wire import calls
from tests.wire.scripts import SCRIPTS


RECORDED = Path(__file__).parents[1] / "tests/wire/recorded"
PATIENCE_SECONDS = 120


def main() -> None:
    """Record the named scripts, or all."""
    program, *names = sys.argv[1:]
    for name in names or SCRIPTS:
        with server(program) as url:
            answers = calls.play(url, SCRIPTS[name])
        lines = [
            json.dumps(call._asdict() | answer._asdict(), ensure_ascii=False)
            for call, answer in zip(SCRIPTS[name], _named(answers), strict=True)
        ]
        file = RECORDED / f"{name}.json"
        file.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
        print(f"{file.name}: {len(lines)} calls", flush=True)


class Recorded(calls.NamedTuple):
    """An answer as the files name it."""

    status: int
    answer: object


def _named(answers: list[calls.Answer]) -> list[Recorded]:
    return [Recorded(*answer) for answer in answers]


@contextmanager
def server(program: str) -> Iterator[str]:
    """Run an MLflow server with an empty store."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        words = f"server --workers 1 --port {port} --backend-store-uri".split()
        words += [f"sqlite:///{home}/m.db", "--artifacts-destination", f"{home}/a"]
        process = subprocess.Popen(
            [program, *words],
            cwd=home,
            env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            _wait(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, 15)
            process.wait()


def _wait(url: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{url}/health", timeout=5).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


if __name__ == "__main__":
    main()
