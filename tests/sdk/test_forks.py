"""A process may fork at any moment, whatever our threads are doing."""

from tests.sdk.conftest import Script


def test_a_fork_waits_for_an_import_and_the_import_for_no_fork(
    script: Script,
) -> None:
    """
    What we import makes a logger, and a fork takes logging's lock.

    Were that taken before ours, each would wait for the other for ever.
    """
    done = script(
        """
import logging, threading
from runstone.sdk import forks

run = begin()
held = threading.Event()

def load():
    with forks.importing:
        held.set()
        time.sleep(0.5)
        logging.getLogger("somebody")

threading.Thread(target=load).start()
held.wait()
child = os.fork()
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
print("forked")
""",
        uri="http://127.0.0.1:1",
        RUNSTONE_MODE="offline",
    )

    assert (done.returncode, done.stdout) == (0, "forked\n"), done.stderr
