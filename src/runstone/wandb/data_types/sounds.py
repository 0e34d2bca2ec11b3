"""Audio: samples, or files."""

import io
import os
from pathlib import Path
from typing import Any, ClassVar

from runstone.wandb.data_types import pixels
from runstone.wandb.data_types.media import Keeper, Media, labelled
from runstone.wandb.errors import UsageError


class Audio(Media):
    """
    A sound.

    Args:
        data_or_path: Samples float[n] or float[n, channels] from -1 to 1, or int16,
            or the path of a file.

        sample_rate: Samples in a second, for samples.

        caption: Stands below it.
    """

    kind: ClassVar[str] = "audio"

    def __init__(
        self,
        data_or_path: Any,
        sample_rate: int | None = None,
        caption: str | None = None,
    ) -> None:
        self.caption = caption
        self.sample_rate = sample_rate
        self.seconds: float | None = None
        self.path: Path | None = None
        self.content = b""
        if isinstance(data_or_path, str | os.PathLike):
            self.path = Path(data_or_path)
            if not self.path.is_file():
                raise UsageError(f"There is no audio file {self.path}")
            return
        if not sample_rate:
            raise UsageError("Samples need sample_rate, such as 44100")
        self.content, self.seconds = _wav(pixels.array(data_or_path), sample_rate)

    def item(self, keeper: Keeper) -> dict[str, Any]:
        """Return the sound's path, rate and length."""
        if self.path is not None:
            return labelled(
                {"path": keeper.keep_file(self.path, "audio")}, self.caption
            )

        return labelled(
            {
                "path": keeper.keep(self.content, "audio", ".wav"),
                "rate": self.sample_rate,
                "seconds": self.seconds,
            },
            self.caption,
        )


def _wav(samples: Any, rate: int) -> tuple[bytes, float]:
    """Return samples as a WAV file of 16 bits, and how long it lasts."""
    import wave

    import numpy as np

    if samples.ndim not in (1, 2) or not samples.size:
        raise UsageError(
            f"Audio has the shape {samples.shape}, expected [samples] or "
            "[samples, channels]"
        )
    if samples.dtype.kind == "f":
        samples = np.nan_to_num(np.clip(samples, -1, 1)) * 32_767
    samples = np.clip(samples, -32_768, 32_767)
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(samples.shape[1] if samples.ndim == 2 else 1)
        file.setsampwidth(2)
        file.setframerate(int(rate))
        file.writeframes(samples.astype("<i2").tobytes())

    return stream.getvalue(), len(samples) / rate
