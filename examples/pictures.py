"""A picture of a table of numbers, in NumPy alone."""

import struct
import tempfile
import zlib
from pathlib import Path

import mlflow
import numpy as np


CELL = 24
"""Pixels on each side of a cell."""


def heat_map(table: np.ndarray, path: str) -> None:
    """Log a picture at *path*: the larger a number, the darker its cell."""
    # The square root keeps the few mistakes visible beside the many right answers.
    shade = np.sqrt(table / table.max())
    paper, ink = np.array([247, 247, 242]), np.array([23, 62, 92])
    colours = paper + shade[..., None] * (ink - paper)
    pixels = colours.astype(np.uint8).repeat(CELL, axis=0).repeat(CELL, axis=1)

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / Path(path).name
        file.write_bytes(png(pixels))
        mlflow.log_artifact(str(file), str(Path(path).parent))


def png(pixels: np.ndarray) -> bytes:
    """
    Encode uint8[height, width, 3] as PNG.

    Source:
        W3C, "Portable Network Graphics (PNG) Specification", sections 5 and 11.
    """
    height, width, _ = pixels.shape
    # Each row begins with the number of its filter; 0 is none.
    rows = np.pad(pixels.reshape(height, -1), ((0, 0), (1, 0))).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))

    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in chunks)


def chunk(kind: bytes, content: bytes) -> bytes:
    """Frame one part of a PNG with its length and checksum."""
    checksum = zlib.crc32(kind + content)

    return (
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
    )
