"""
Start a server, train real models against it, and leave it open: `make demo`.

Everything lands in `demo-data/`; a second demo adds its runs to the first one's.
"""

import argparse
import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


ROOT = Path(__file__).resolve().parent.parent
STORE = ROOT / "demo-data"
EXAMPLES = {
    "breast_cancer.py": "five models on one question",
    "iris.py": "a parameter search, its tries nested in it",
    "digits.py": "networks of three sizes, epoch by epoch",
    "learning_rates.py": "six learning rates, one of them far too high",
}
START_SECONDS = 60
"""Longest the server may take to answer."""


def main() -> int:
    """Run the demo; return the exit code."""
    options = _options()
    colourful = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    say = Words(colourful=colourful)
    try:
        if options.server:
            _train(options.server, say)
            return 0
        _build_pages(say)
        with _server(options.port, say) as url:
            _train(url, say)
            _show(url, say)
            if not options.exit:
                say.line("  Ctrl-C stops the server; the runs stay in demo-data/")
                _wait_for_ctrl_c()
    except KeyboardInterrupt:
        pass
    except Failed as failure:
        say.line(f"error: {failure}")
        return 1
    say.line("  stopped; `make demo` shows it all again")

    return 0


class Failed(Exception):
    """The demo cannot go on; the text says why."""


class Words:
    """What the demo prints, in colour where there is one."""

    def __init__(self, *, colourful: bool) -> None:
        self.colourful = colourful

    def line(self, text: str = "") -> None:
        """Print a line at once, in step with the examples."""
        print(text, flush=True)

    def title(self, text: str, words: str) -> None:
        """Print what begins now."""
        bold, dim, end = (
            ("\033[1m", "\033[2m", "\033[0m") if self.colourful else ("", "", "")
        )
        self.line(f"\n{bold}{text}{end}  {dim}{words}{end}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exit", action="store_true", help="stop after the training")
    parser.add_argument("--port", type=int, default=5000, help="first port to try")
    parser.add_argument("--server", help="train against this URL, start no server")

    return parser.parse_args()


def _build_pages(say: Words) -> None:
    """Build the web UI, which an editable install does not."""
    if not (ROOT / "src/runstone/static/index.html").exists():
        say.title("Pages", "building the web UI, once")
    STORE.mkdir(exist_ok=True)
    log = STORE / "web.log"
    with log.open("wb") as output:
        code = subprocess.call(
            [sys.executable, ROOT / "dev/web.py", "build"], stdout=output, stderr=output
        )
    if code:
        raise Failed(f"the web UI was not built; see {log.relative_to(ROOT)}")


@contextmanager
def _server(first_port: int, say: Words) -> Iterator[str]:
    """Run a server while the block runs, and yield its URL."""
    port = _free_port(first_port)
    if port != first_port:
        say.line(f"Port {first_port} is taken, so the server is on port {port}.")
    STORE.mkdir(exist_ok=True)
    log = STORE / "server.log"
    command = [sys.executable, "-m", "runstone", "server"]
    command += ["--backend-store-uri", f"sqlite:///{STORE / 'runstone.db'}"]
    command += ["--artifacts-destination", str(STORE / "artifacts")]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as output:
        # A session of its own: Ctrl-C reaches the demo only, which then stops it.
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for_answer(process, url, log)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port(first: int) -> int:
    """Find the first port from *first* on that nobody listens on."""
    for port in range(first, first + 100):
        with contextlib.suppress(OSError), socket.socket() as probe:
            # As the server does it: a port that was just left is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port

    raise Failed(f"no free port from {first} to {first + 99}; name one: --port")


def _wait_for_answer(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Return when the server answers; any answer will do."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return

    words = log.read_text(errors="replace")[-2000:]
    raise Failed(f"the server did not start; {log.relative_to(ROOT)} ends:\n{words}")


def _train(url: str, say: Words) -> None:
    """Run every example against the server, as its user would."""
    # What the user's own MLflow settings say must not lead the demo elsewhere.
    env = {key: value for key, value in os.environ.items() if "MLFLOW" not in key}
    env |= {
        "MLFLOW_TRACKING_URI": url,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        # It would print a link and an emoji after every run.
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "MLFLOW_LOGGING_LEVEL": "WARNING",
        "PYTHONUNBUFFERED": "1",
    }
    for name, words in EXAMPLES.items():
        say.title(f"examples/{name}", words)
        _run_example(ROOT / "examples" / name, env, say)


def _run_example(script: Path, env: dict[str, str], say: Words) -> None:
    """Run one example and pass on what it prints, a little further in."""
    # A session of its own, as Ctrl-C would make it print a traceback.
    example = subprocess.Popen(
        [sys.executable, script],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert example.stdout
    try:
        for line in example.stdout:
            say.line(f"  {line.rstrip()}")
        code = example.wait()
    finally:
        example.stdout.close()
        example.kill()
        example.wait()
    if code:
        raise Failed(f"examples/{script.name} ended with code {code}")


def _show(url: str, say: Words) -> None:
    """Tell where to look, and at what."""
    say.title(url, "open it and look at:")
    say.line("  learning-rates   val_loss: lr 10 breaks off, overfit turns up again")
    say.line("  digits           three networks, a point of each metric every epoch")
    say.line("  iris             a search and its fifteen tries, params and scores")
    say.line("  breast-cancer    five models on one question, their scores in columns")
    say.line()


def _wait_for_ctrl_c() -> None:
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    sys.exit(main())
