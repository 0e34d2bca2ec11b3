"""Video: files, or arrays that become a GIF."""

import io
import os
from pathlib import Path
from typing import Any, ClassVar, Final

from runstone.wandb.data_types import pixels
from runstone.wandb.data_types.media import Keeper, Media, labelled
from runstone.wandb.errors import UsageError


FPS: Final = 4
"""Frames a second, where nobody says; W&B: 4."""


class Video(Media):
    """
    A film.

    Args:
        data_or_path: Frames uint8[time, channels, height, width], several films of
            them with one more axis in front, the path of a file, or an open stream.

        caption: Stands below it.

        fps: Frames a second, for frames.

        format: Of a stream; frames become a GIF whatever stands here.
    """

    kind: ClassVar[str] = "video"

    def __init__(
        self,
        data_or_path: Any,
        caption: str | None = None,
        fps: int | None = None,
        format: str | None = None,
    ) -> None:
        self.caption = caption
        self.path: Path | None = None
        self.content = b""
        self.format = (format or "gif").lower()
        if isinstance(data_or_path, str | os.PathLike):
            self.path = Path(data_or_path)
            if not self.path.is_file():
                raise UsageError(f"There is no video {self.path}")
        elif hasattr(data_or_path, "read"):
            self.content = data_or_path.read()
        else:
            self.format = "gif"
            self.content = _gif(pixels.array(data_or_path), fps or FPS)

    def item(self, keeper: Keeper) -> dict[str, Any]:
        """Return the film's path."""
        if self.path is not None:
            path = keeper.keep_file(self.path, "video")
        else:
            path = keeper.keep(self.content, "video", f".{self.format}")

        return labelled({"path": path}, self.caption)


def _gif(frames: Any, fps: int) -> bytes:
    try:
        from PIL import Image
    except ImportError:
        raise UsageError(
            "A video of arrays needs Pillow: pip install pillow, or log a file"
        ) from None

    pictures = [Image.fromarray(frame) for frame in _frames(frames)]
    stream = io.BytesIO()
    pictures[0].save(
        stream,
        format="gif",
        save_all=True,
        append_images=pictures[1:],
        duration=round(1000 / fps),
        loop=0,
    )

    return stream.getvalue()


def _frames(frames: Any) -> list[Any]:
    """Return frames as uint8[h, w, 3]; films of one batch stand side by side."""
    import numpy as np

    if frames.ndim == 5:
        frames = np.concatenate(list(frames), axis=3)
    if frames.ndim != 4 or frames.shape[1] not in (1, 3, 4) or not frames.size:
        raise UsageError(
            f"A video has the shape {frames.shape}, expected [time, channels, height, "
            "width] with 1, 3 or 4 channels"
        )
    shown = [pixels.picture(frame) for frame in np.moveaxis(frames, 1, 3)]

    return [np.repeat(f, 3, axis=2) if f.shape[2] == 1 else f for f in shown]
