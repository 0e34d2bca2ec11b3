"""Large artifacts pass through in constant memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.artifacts.conftest import Bucket


# In a process of its own: the peak is the whole life's.
SCRIPT = r"""
import asyncio, json, os, re, sys
from runstone.artifacts import open_store

MIB = 1024 * 1024
uri, environ = json.loads(sys.argv[1])
store = open_store(uri, environ=environ)
block = bytes(64 * 1024)

def peak():
    # Not getrusage: its peak is inherited from the process that started this one.
    status = open("/proc/self/status").read()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) // 1024

async def chunks(mib):
    for _ in range(mib * 16):
        yield block

async def move(mib):
    assert await store.put("big", chunks(mib)) == mib * MIB
    download = await store.open("big")
    total = 0
    async for chunk in download.chunks:
        total += len(chunk)
    assert total == mib * MIB

async def main():
    await move(1)
    before = peak()
    await move(200)
    print(peak() - before)

asyncio.run(main())
sys.stdout.flush()
os._exit(0)  # obstore's threads may outlive the interpreter and abort
"""


@pytest.mark.parametrize("kind", ["local", "s3"])
def test_two_hundred_mib_need_little_memory(
    kind: str, bucket: Bucket, tmp_path: Path
) -> None:
    """A server of 512 MiB must carry artifacts of any size."""
    uri = str(tmp_path) if kind == "local" else f"s3://{bucket.name}/memory"
    task = json.dumps([uri, bucket.server.environ()])

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, task],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": "src"},
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 64
