"""Images: arrays, tensors, pictures of PIL, figures of Matplotlib, files."""

import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from runstone.wandb.configs import plain
from runstone.wandb.data_types import pixels
from runstone.wandb.data_types.media import Keeper, Media, labelled
from runstone.wandb.errors import UsageError


class Image(Media):
    """
    A picture.

    Args:
        data_or_path: An array [h, w] or [h, w, c] (floats from 0 to 1, or bytes), a
            tensor [c, h, w] or a batch of them, a picture of PIL, a figure of
            Matplotlib, the path of a file, another Image.

        mode: Of PIL's, such as "L"; the shape tells it where it is not given.

        caption: Stands below the picture.

        grouping: Number of pictures that belong together.

        classes: Names of the classes in masks and boxes: [{"id": 0, "name": "cat"}].

        boxes: {"predictions": {"box_data": [{"position": {"minX": …}, "class_id": …,
            "box_caption": …, "scores": {…}, "domain": "pixel"}], "class_labels": {}}}.

        masks: {"predictions": {"mask_data": int[h, w], "class_labels": {0: "sky"}}}.

        file_type: "png", "jpg" and so on; the last two need PIL's own picture.

        normalize: Whether floats are stretched to what a screen shows.
    """

    kind: ClassVar[str] = "images"

    def __init__(
        self,
        data_or_path: Any,
        mode: str | None = None,
        caption: str | None = None,
        grouping: int | None = None,
        classes: Any = None,
        boxes: Mapping[str, Any] | None = None,
        masks: Mapping[str, Any] | None = None,
        file_type: str | None = None,
        normalize: bool = True,
    ) -> None:
        self.caption = caption
        self.boxes: Mapping[str, Any] = boxes or {}
        self.masks: Mapping[str, Any] = masks or {}
        self.path: Path | None = None
        self.content = b""
        self.format = "png"
        self.width: int | None = None
        self.height: int | None = None
        self._grouping = grouping
        self._classes = _names(classes)
        self._take(data_or_path, mode, file_type, normalize)

    def item(self, keeper: Keeper) -> dict[str, Any]:
        """Return the picture's path and size, with masks and boxes."""
        if self.path is not None:
            path = keeper.keep_file(self.path, "images")
        else:
            path = keeper.keep(self.content, "images", f".{self.format}")
        more = {
            "width": self.width,
            "height": self.height,
            "grouping": self._grouping,
            "boxes": {name: self._box(box) for name, box in self.boxes.items()},
            "masks": {name: self._mask(m, keeper) for name, m in self.masks.items()},
        }
        found = {"path": path, **{k: v for k, v in more.items() if v}}

        return labelled(found, self.caption)

    def _take(
        self, given: Any, mode: str | None, file_type: str | None, normalize: bool
    ) -> None:
        if isinstance(given, Image):
            self.path, self.content, self.format = (
                given.path,
                given.content,
                given.format,
            )
            self.width, self.height = given.width, given.height
            self.boxes = self.boxes or given.boxes
            self.masks = self.masks or given.masks
            self.caption = given.caption if self.caption is None else self.caption
        elif isinstance(given, str | os.PathLike):
            self._take_file(Path(given))
        elif hasattr(given, "savefig"):
            self._take_figure(given)
        elif hasattr(given, "figure") and hasattr(given.figure, "savefig"):  # axes
            self._take_figure(given.figure)
        elif hasattr(given, "gcf"):  # the module pyplot itself
            self._take_figure(given.gcf())
        elif hasattr(given, "save") and hasattr(given, "size"):
            self._take_picture(given, mode, file_type)
        else:
            self._take_array(given, mode, file_type, normalize)

    def _take_file(self, path: Path) -> None:
        if not path.is_file():
            raise UsageError(f"There is no image {path}")
        self.path = path
        self.format = path.suffix.lstrip(".").lower()

    def _take_figure(self, figure: Any) -> None:
        stream = io.BytesIO()
        figure.savefig(stream, format="png")
        self.content = stream.getvalue()
        # The size stands in the first chunk of a PNG file.
        self.width = int.from_bytes(self.content[16:20], "big")
        self.height = int.from_bytes(self.content[20:24], "big")

    def _take_picture(
        self, picture: Any, mode: str | None, file_type: str | None
    ) -> None:
        self.format = (file_type or "png").lower()
        spelled = "JPEG" if self.format in ("jpg", "jpeg") else self.format.upper()
        if mode and picture.mode != mode:
            picture = picture.convert(mode)
        if spelled == "JPEG" and picture.mode not in ("L", "RGB", "CMYK"):
            picture = picture.convert("RGB")
        stream = io.BytesIO()
        fast = {"compress_level": pixels.LEVEL} if spelled == "PNG" else {}
        picture.save(stream, format=spelled, **fast)
        self.content = stream.getvalue()
        self.width, self.height = picture.size

    def _take_array(
        self, given: Any, mode: str | None, file_type: str | None, normalize: bool
    ) -> None:
        found = pixels.picture(given, normalize=normalize)
        if mode or (file_type and file_type != "png"):
            self._take_picture(_pil(found), mode, file_type)
            return
        self.content = pixels.png(found)
        self.height, self.width = found.shape[:2]

    def _box(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "boxes": plain(given.get("box_data", [])),
            "names": _labels(given) or self._classes,
        }

    def _mask(self, given: Mapping[str, Any], keeper: Keeper) -> dict[str, Any]:
        names = _labels(given) or self._classes
        if "path" in given:
            source = Path(given["path"])
            return {"path": keeper.keep_file(source, "masks"), "names": names}
        import numpy as np

        found = pixels.array(given["mask_data"])
        if found.ndim != 2 or (
            found.size and not 0 <= found.min() <= found.max() < 256
        ):
            raise UsageError(
                f"A mask has the shape {tuple(found.shape)}, expected [height, width] "
                "of classes from 0 to 255"
            )
        content = pixels.png(found.astype(np.uint8)[:, :, None])

        return {"path": keeper.keep(content, "masks", ".png"), "names": names}


class Classes:
    """
    Names of classes.

    Args:
        class_set: [{"id": 0, "name": "cat"}, …].
    """

    def __init__(self, class_set: Sequence[Mapping[str, Any]]) -> None:
        self._class_set = list(class_set)


def _names(given: Any) -> dict[str, str]:
    rows = given._class_set if isinstance(given, Classes) else given or []  # noqa: SLF001  # ours, under W&B's name

    return {str(row["id"]): str(row["name"]) for row in rows}


def _labels(given: Mapping[str, Any]) -> dict[str, str]:
    return {str(k): str(name) for k, name in (given.get("class_labels") or {}).items()}


def _pil(found: Any) -> Any:
    try:
        from PIL import Image as Pil
    except ImportError:
        raise UsageError(
            "An array as anything but PNG needs Pillow: pip install pillow"
        ) from None

    return Pil.fromarray(found[:, :, 0] if found.shape[2] == 1 else found)
