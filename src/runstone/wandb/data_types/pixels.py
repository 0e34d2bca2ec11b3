"""Pixels: from arrays of numbers to PNG, with nothing but NumPy and zlib."""

import struct
import zlib
from typing import Any, Final

from runstone.wandb.errors import UsageError


COLOURS: Final = {1: 0, 2: 4, 3: 2, 4: 6}
"""From channels to PNG's number for grey, grey with alpha, RGB and RGBA."""

LEVEL: Final = 1
"""Of compression: on photographs more costs three times as much and saves a tenth."""

GRID: Final = 8
"""Pictures in a row, where a batch is shown as one; torchvision: 8."""


def array(given: Any) -> Any:
    """Return what was given as an array of NumPy; a tensor leaves its device."""
    import numpy as np

    if hasattr(given, "detach"):  # torch
        given = given.detach().cpu()
        given = given.float() if "bfloat16" in str(given.dtype) else given
        return given.numpy()

    return np.asarray(given)


def picture(given: Any, *, normalize: bool = True) -> Any:
    """
    Return what was given as uint8[height, width, channels].

    Args:
        given: An array [h, w] or [h, w, c], or a tensor [c, h, w]; a batch of them
            becomes one picture, side by side.

        normalize: Whether numbers that do not span 0 to 255 are stretched to it.

    Raises:
        UsageError: It has another shape.
    """
    pixels = array(given)
    if hasattr(given, "detach"):  # channels come first in torch
        pixels = _channels_last(pixels)
    if pixels.ndim == 4:
        pixels = _grid(pixels)
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.ndim != 3 or pixels.shape[2] not in COLOURS or not pixels.size:
        raise UsageError(
            f"An image has the shape {tuple(array(given).shape)}, expected [height, "
            "width] or [height, width, 1 to 4 channels], in torch the channels first"
        )

    return _bytes(pixels, normalize=normalize)


def png(pixels: Any) -> bytes:
    """
    Return uint8[height, width, channels] as a PNG file.

    Source: W3C, Portable Network Graphics (PNG) Specification, third edition.
    """
    import numpy as np

    height, width, channels = pixels.shape
    lines = np.zeros((height, 1 + width * channels), np.uint8)  # filter 0 before each
    lines[:, 1:] = pixels.reshape(height, -1)
    head = struct.pack(">IIBBBBB", width, height, 8, COLOURS[channels], 0, 0, 0)
    body = zlib.compress(lines.tobytes(), LEVEL)

    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (_chunk(b"IHDR", head), _chunk(b"IDAT", body), _chunk(b"IEND", b""))
    )


def _chunk(name: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(name + body)

    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)


def _channels_last(pixels: Any) -> Any:
    if pixels.ndim < 3:
        return pixels

    return pixels.swapaxes(-3, -2).swapaxes(-2, -1)


def _grid(batch: Any) -> Any:
    """Put the pictures of a batch side by side."""
    import numpy as np

    count, height, width, channels = batch.shape
    columns = min(GRID, count)
    rows = -(-count // columns)
    whole = np.zeros((rows * height, columns * width, channels), batch.dtype)
    for number, one in enumerate(batch):
        top, left = number // columns * height, number % columns * width
        whole[top : top + height, left : left + width] = one

    return whole


def _bytes(pixels: Any, *, normalize: bool) -> Any:
    """
    Return pixels as uint8.

    Floats from 0 to 1 are shares of white, floats below 0 are stretched over all, as
    W&B does it (`Image.to_uint8`, 0.31); NaN is black.
    """
    import numpy as np

    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * 255
    if pixels.dtype.kind == "f":
        pixels = np.nan_to_num(pixels.astype(np.float64), posinf=255, neginf=0)
        if normalize:
            pixels = _stretched(pixels)

    return np.clip(pixels, 0, 255).astype(np.uint8)


def _stretched(pixels: Any) -> Any:
    low, high = pixels.min(), pixels.max()
    if low < 0:
        return (pixels - low) / ((high - low) or 1.0) * 255

    return pixels * 255 if high <= 1 else pixels
