"""
Images and figures as bytes; Pillow, NumPy and the like are loaded where one is given.

Source of what is taken: `mlflow/tracking/multimedia.py`, MLflow 3.18.
"""

import io
import posixpath
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from runstone.sdk import say


SMALL_PIXELS: Final = 256
"""Longest side of an image as lists show it."""

KINDS: Final = {
    "b": "bool",
    "i": "signed integer",
    "u": "unsigned integer",
    "f": "float",
}


class Image:
    """
    An image that can be logged or stand in a table.

    Args:
        image: NumPy array, list of pixels, PIL image or path of a file.
    """

    def __init__(self, image: Any) -> None:  # noqa: ANN401  # of several libraries
        library = _pillow()
        if isinstance(image, str | Path):
            self.image = library.open(image)
        elif isinstance(image, list):
            import numpy as np

            self.image = _from_array(np.array(image))
        else:
            self.image = pil(image)
        self.size = self.image.size

    def to_list(self) -> list[Any]:
        """Return the pixels."""
        return list(self.image.getdata())

    def to_array(self) -> Any:  # noqa: ANN401  # NumPy is loaded where it is wanted
        """Return the pixels as a NumPy array."""
        import numpy as np

        return np.array(self.image)

    def to_pil(self) -> Any:  # noqa: ANN401  # Pillow's own
        """Return the PIL image."""
        return self.image

    def save(self, path: str) -> None:
        """Write it to a file; the ending chooses the format."""
        self.image.save(path)

    def resize(self, size: tuple[int, int]) -> "Image":
        """Return a copy with another size, width and height in pixels."""
        return Image(self.image.resize(size))


def pil(image: Any) -> Any:  # noqa: ANN401  # of several libraries
    """
    Return an image as Pillow's.

    Raises:
        TypeError: It is none.
        ValueError: An array has another shape, or values beyond its range.
    """
    if isinstance(image, Image):
        return image.image
    library = _pillow()
    if isinstance(image, library.Image):
        return image
    numpy = sys.modules.get("numpy")
    if numpy and isinstance(image, numpy.ndarray):
        return _from_array(image)

    raise TypeError(
        f"Unsupported image object type: {type(image)}. `image` must be one of "
        "numpy.ndarray, PIL.Image.Image, and runstone.Image."
    )


def encoded(picture: Any, name: str) -> bytes:  # noqa: ANN401  # Pillow's own
    """Return a PIL image in the format that the ending of a name says."""
    _pillow().init()
    kind = posixpath.splitext(f"x{name}")[1].lower()
    known = _pillow().EXTENSION
    if kind not in known:
        raise ValueError(
            f"unknown file extension: {kind or '(none)'}; use .png, .jpg or .webp"
        )
    content = io.BytesIO()
    picture.save(content, format=known[kind])

    return content.getvalue()


def small(picture: Any) -> Any:  # noqa: ANN401  # Pillow's own
    """Return a PIL image scaled so that its longer side has `SMALL_PIXELS`."""
    width, height = picture.size
    scale = SMALL_PIXELS / max(width, height, 1)

    return picture.resize((max(1, int(width * scale)), max(1, int(height * scale))))


def media(picture: Any, path: str) -> dict[str, object]:  # noqa: ANN401  # Pillow's own
    """Return what is said of an image at a step."""
    width, height = picture.size
    entry = {"path": path, "width": width, "height": height, "format": "png"}

    return {"type": "images", "items": [entry]}


def figure(item: Any, name: str, options: dict[str, Any]) -> bytes:  # noqa: ANN401  # of several libraries
    """
    Return a figure in the format that the ending of a name says.

    Raises:
        TypeError: It is no figure of Matplotlib or Plotly.
    """
    ending = posixpath.splitext(name)[1]
    if hasattr(item, "savefig"):
        content = io.BytesIO()
        item.savefig(content, **({"format": ending[1:] or "png"} | options))
        return content.getvalue()
    if not (hasattr(item, "write_html") and hasattr(item, "write_image")):
        raise TypeError(f"Unsupported figure object type: '{type(item)}'")
    if ending not in (".html", ".png", ".jpeg", ".webp", ".svg", ".pdf"):
        raise TypeError(f"Unsupported file extension for plotly figure: '{ending}'")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"figure{ending}"
        if ending == ".html":
            page = {"include_plotlyjs": "cdn", "auto_open": False}
            item.write_html(str(file), **(page | options))
        else:
            item.write_image(str(file), **options)
        return file.read_bytes()


def _pillow() -> Any:  # noqa: ANN401  # a module
    try:
        from PIL import Image as library  # noqa: N813  # a module, in spite of its name
    except ImportError as error:
        raise ImportError(
            "Images need Pillow; install it with: pip install Pillow"
        ) from error

    return library


def _from_array(array: Any) -> Any:  # noqa: ANN401  # NumPy in, Pillow out
    if array.dtype.kind not in KINDS:
        raise TypeError(
            f"Invalid array data type: '{array.dtype}'. Must be one of "
            f"{list(KINDS.values())}"
        )
    if array.ndim not in (2, 3):
        raise ValueError(
            f"`image` must be a 2D or 3D array but got image shape: {array.shape}"
        )
    if array.ndim == 3 and array.shape[2] not in (1, 3, 4):
        raise ValueError(
            f"Invalid channel length: {array.shape[2]}. Must be one of [1, 3, 4]"
        )
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]

    return _pillow().fromarray(_bytes(array))


def _bytes(array: Any) -> Any:  # noqa: ANN401  # NumPy's
    """Return pixels as integers of 0 to 255."""
    is_integer = array.dtype.kind in "iu"
    low, high = array.min(), array.max()
    if is_integer and (low < 0 or high > 255):
        raise ValueError(
            "Integer pixel values out of acceptable range [0, 255]. Found minimum "
            f"value {low} and maximum value {high}."
        )
    if not is_integer and (low < 0 or high > 1):
        say.warn(
            f"an image has values from {low:g} to {high:g}, expected 0 to 1; they are "
            "rescaled"
        )
        array = (array - low) / ((high - low) or 1)

    return (array if is_integer else array * 255).astype("uint8")
