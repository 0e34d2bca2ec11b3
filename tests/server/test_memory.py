"""Freed memory is kept, a little, so that large bodies move fast."""

import subprocess
import sys

import pytest


# In a process of its own: the C library's ways are the whole process's.
SCRIPT = """
import ctypes
from runstone.server import memory

class Found(ctypes.Structure):
    # Ten counters; the fourth is the number of mapped blocks.
    _fields_ = [("others", ctypes.c_size_t * 3), ("mapped", ctypes.c_size_t * 7)]

mallinfo2 = ctypes.CDLL(None).mallinfo2
mallinfo2.restype = Found

def mapped(size_bytes):
    before = mallinfo2().mapped[0]
    block = bytearray(size_bytes)
    return mallinfo2().mapped[0] - before

print(mapped(256 * 1024), end=" ")
memory.keep_some()
print(mapped(256 * 1024), mapped(memory.MAPPED_BYTES + 4096))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's own")
def test_a_block_as_large_as_a_read_is_not_mapped_each_time() -> None:
    """Mapping it anew made uploads five times slower."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": "src"},
        timeout=60,
    )
    if "mallinfo2" in done.stderr:
        pytest.skip("this C library is not glibc 2.33 or later")

    assert done.stdout.split() == ["1", "0", "1"], done.stderr
