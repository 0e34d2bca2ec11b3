"""The console of a run: each line, live, and nothing else is different for it."""

import contextlib
import io
import sys
import threading
from collections.abc import Callable

import pytest

from runstone.journal import Change, Lines
from runstone.sdk import door
from runstone.sdk.capture import console
from runstone.sdk.capture.console import Assembly, Console
from runstone.sdk.run import Run
from tests.sdk.conftest import Script
from tests.sdk.test_sender import only_run
from tests.server.running import Server


Start = Callable[..., Server]


class Ear(Run):
    """A run that remembers what it was told."""

    def __init__(self) -> None:
        super().__init__("0" * 32, None)
        self.heard: list[Lines] = []

    def say(self, said: Change) -> None:
        """Remember lines."""
        if isinstance(said, Lines):
            self.heard.append(said)

    @property
    def lines(self) -> list[str]:
        """Every line."""
        return [line for said in self.heard for line in said.text.split("\n")]


def test_lines_are_kept_and_still_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Both streams, in order; afterwards the streams are as they were."""
    run, ours = Ear(), Console()

    end = ours.follow(run)
    print("one")
    print("two", file=sys.stderr)
    print("\x1b[31mthree\x1b[0m", end="")
    end()
    print("not this")

    assert run.lines == ["one", "two", "\x1b[31mthree\x1b[0m"]
    assert [said.stream for said in run.heard] == ["stdout", "stderr", "stdout"]
    assert capsys.readouterr().out == "one\n\x1b[31mthree\x1b[0mnot this\n"
    assert "write" not in vars(sys.stdout)


def test_threads_print_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """No line is lost, and none is torn that the stream did not tear."""
    run, ours = Ear(), Console()
    end = ours.follow(run)

    def work(number: int) -> None:
        for step in range(200):
            sys.stdout.write(f"{number}:{step}\n")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    end()

    assert sorted(run.lines) == sorted(
        f"{number}:{step}" for number in range(8) for step in range(200)
    )
    assert len(capsys.readouterr().out.splitlines()) == 1600


def test_who_redirects_the_output_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    """As without us: a captured print is not the console's."""
    run, ours = Ear(), Console()
    end = ours.follow(run)

    with contextlib.redirect_stdout(io.StringIO()) as own:
        print("mine")
    end()

    assert own.getvalue() == "mine\n"
    assert run.lines == []
    assert capsys.readouterr().out == ""


def test_a_notebook_that_sets_write_back_is_tapped_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """IPython does so after each cell; and nothing is kept twice for it."""
    run, ours = Ear(), Console()
    write = sys.stdout.write
    sys.stdout.write = lambda text: write(text)  # type: ignore[method-assign]  # a cell begins
    end = ours.follow(run)
    print("first cell")
    sys.stdout.write = write  # type: ignore[method-assign]  # it ends

    ours._tap_again()
    print("second cell")
    ours._tap_again()
    print("third cell")
    end()

    del sys.stdout.write
    assert run.lines == ["first cell", "second cell", "third cell"]
    assert capsys.readouterr().out.count("cell") == 3


@pytest.mark.usefixtures("capsys")
def test_lines_go_to_the_run_that_began_last() -> None:
    """A nested run has its own, and then the outer one goes on."""
    outer, inner, ours = Ear(), Ear(), Console()

    end_outer = ours.follow(outer)
    print("before")
    end_inner = ours.follow(inner)
    print("within")
    end_inner()
    print("after")
    end_outer()

    assert (outer.lines, inner.lines) == (["before", "after"], ["within"])


def test_too_much_is_counted_not_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loop that prints for ever fills neither the disk nor the server."""
    monkeypatch.setattr(console, "BURST_CHARS", 2_000)
    monkeypatch.setattr(console, "STEADY_CHARS", 1)
    monkeypatch.setattr(console, "RECORD_CHARS", 500)
    run, ours = Ear(), Console()
    end = ours.follow(run)

    for number in range(1000):
        print(f"line {number} " + "x" * 50)
    end()

    assert 10 < len(run.lines) < 60
    assert len(capsys.readouterr().out.splitlines()) == 1000


def test_a_secret_is_not_kept(capsys: pytest.CaptureFixture[str]) -> None:
    """It was shown; it must not be sent."""
    run, ours = Ear(), Console()

    end = ours.follow(run)
    print("password=hunter2hunter2")
    end()

    assert run.lines == ["password=[redacted]"]
    assert "hunter2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        (["a\nb", "c\n", "d"], ["a", "bc", "d"]),
        (["\r 10%", "\r 20%", "\r100%\n", "next"], ["100%", "next"]),
        (["10%\r", "20%\r", "done\n"], ["done"]),
        (["windows\r\nlines\r\n"], ["windows", "lines"]),
        (["\n\n"], ["", ""]),
    ],
)
def test_a_line_is_what_a_terminal_would_show(
    pieces: list[str], lines: list[str]
) -> None:
    """A progress bar that was drawn a thousand times is one line."""
    assembly = Assembly()

    found = [line for piece in pieces for line in assembly.feed(piece)]
    if rest := assembly.rest():
        found.append(rest)

    assert found == lines


def test_a_very_long_line_is_cut() -> None:
    """Somebody printed an array."""
    assembly = Assembly()

    (line,) = assembly.feed("x" * 3_000_000 + "\n")

    assert len(line) == console.LINE_CHARS + 2


def test_the_console_is_on_the_server_while_it_runs(
    script: Script, start: Start
) -> None:
    """Also what is printed right before a kill, but for the last moment."""
    server = start()

    done = script(
        """
run = begin()
print("first")
time.sleep(0.5)
assert session.flush()
from runstone.sdk import calls, door
page = door.to(session.tracking_uri).ask("GET", f"/api/v1/runs/{run.id}/console")
assert b'"first"' in page.body, page
print("last")
raise ValueError("too hot")
""",
        uri=server.url,
        RUNSTONE_CAPTURE="console",
    )

    assert "too hot" in done.stderr
    run = only_run(server)
    found = door.HttpDoor(server.url).ask(
        "GET", f"/api/v1/runs/{run['info']['run_id']}/console"
    )
    assert b'"text":"first"' in found.body
    assert b'"text":"last"' in found.body
    assert b"ValueError: too hot" in found.body


def test_a_console_page_refuses_nonsense(start: Start) -> None:
    """In our words and with the right status."""
    server = start()
    to = door.HttpDoor(server.url)
    run_id = "a" * 32
    to.ask("POST", f"/api/v1/runs/{run_id}/journal")

    missing = to.ask("GET", f"/api/v1/runs/{run_id}/console")
    wrong = to.ask("GET", f"/api/v1/runs/{run_id}/console", query={"limit": "0"})

    assert missing.status == 404
    assert wrong.status == 400


def test_a_forked_child_prints_as_always(script: Script, start: Start) -> None:
    """Its lines are shown, and not kept twice."""
    server = start()

    done = script(
        """
run = begin()
print("parent", flush=True)
if os.fork() == 0:
    print("child", flush=True)
    os._exit(0)
os.wait()
""",
        uri=server.url,
        RUNSTONE_CAPTURE="console",
    )

    assert done.stdout.split() == ["parent", "child"]
