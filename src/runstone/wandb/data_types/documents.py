"""Media that are files of their own: HTML, 3D, molecules, Plotly."""

import json
import os
from pathlib import Path
from typing import Any, ClassVar

from runstone.wandb.configs import plain
from runstone.wandb.data_types import pixels
from runstone.wandb.data_types.media import Keeper, Media, labelled, spelled
from runstone.wandb.errors import UsageError


class Html(Media):
    """
    A page; it is shown without a right to do anything.

    Args:
        data: HTML, the path of a file ending in .html, or an open file.

        inject: Taken and unused: pages are shown in a frame of their own.

        data_is_not_path: Whether a string is HTML in any case.
    """

    kind: ClassVar[str] = "html"

    def __init__(
        self, data: Any, inject: bool = True, data_is_not_path: bool = False
    ) -> None:
        is_path = isinstance(data, os.PathLike) or (
            isinstance(data, str) and not data_is_not_path and data.endswith(".html")
        )
        if is_path and Path(data).is_file():
            self.html = Path(data).read_text()
        elif isinstance(data, os.PathLike):
            raise UsageError(f"There is no page {data}")
        else:
            self.html = data if isinstance(data, str) else data.read()

    def item(self, keeper: Keeper) -> dict[str, Any]:
        """Return the page's path."""
        return {"path": keeper.keep(self.html.encode(), "html", ".html")}


class _Filed(Media):
    """What is a file of one of some formats."""

    formats: ClassVar[frozenset[str]]

    def __init__(
        self,
        data_or_path: Any,
        caption: str | None = None,
        file_type: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.caption = caption
        self.format, self.content = self._read(data_or_path, file_type)
        if self.format not in self.formats:
            raise UsageError(
                f"The format {self.format!r} is not known, expected one of "
                f"{', '.join(sorted(self.formats))}"
            )

    def _read(self, given: Any, file_type: str | None) -> tuple[str, bytes]:
        if isinstance(given, str | os.PathLike):
            path = Path(given)
            if not path.is_file():
                raise UsageError(f"There is no file {path}")
            # ".pts.json" has two dots, and the last is what it is written in.
            return file_type or path.suffix.lstrip(".").lower(), path.read_bytes()
        if hasattr(given, "read"):
            found = given.read()
            content = found.encode() if isinstance(found, str) else found
            name = getattr(given, "name", "")
            return file_type or Path(name).suffix.lstrip(".").lower(), content

        raise UsageError(f"expected a file, not {type(given).__name__}")

    def item(self, keeper: Keeper) -> dict[str, Any]:
        """Return the path and the format."""
        path = keeper.keep(self.content, self.kind, f".{self.format}")

        return labelled({"path": path, "format": self.format}, self.caption)


class Object3D(_Filed):
    """
    A body or a cloud of points.

    Args:
        data_or_path: A file (obj, gltf, glb, babylon, stl), or points float[n, 3]
            (x, y, z), float[n, 4] (with a class from 1 to 14) or float[n, 6] (with
            red, green, blue), or {"type": "lidar/beta", "points": …, "boxes": …}.

        caption: Stands below it.

        file_type: Of an open file.
    """

    kind: ClassVar[str] = "object3d"
    formats: ClassVar[frozenset[str]] = frozenset(
        ("obj", "gltf", "glb", "babylon", "stl", "json")
    )

    @classmethod
    def from_file(cls, data_or_path: Any, file_type: str | None = None) -> "Object3D":
        """Make one of a file."""
        return cls(data_or_path, file_type=file_type)

    @classmethod
    def from_numpy(cls, data: Any) -> "Object3D":
        """Make one of points."""
        return cls(data)

    @classmethod
    def from_point_cloud(
        cls,
        points: Any,
        boxes: Any = (),
        vectors: Any = None,
        point_cloud_type: str = "lidar/beta",
    ) -> "Object3D":
        """Make one of points, boxes and vectors."""
        return cls(
            {
                "type": point_cloud_type,
                "points": points,
                "boxes": boxes,
                "vectors": vectors or [],
            }
        )

    def _read(self, given: Any, file_type: str | None) -> tuple[str, bytes]:
        if isinstance(given, dict):
            return "json", spelled(given)
        if not hasattr(given, "shape"):
            return super()._read(given, file_type)
        points = pixels.array(given)
        if points.ndim != 2 or points.shape[1] not in (3, 4, 6):
            raise UsageError(
                f"Points have the shape {points.shape}, expected [n, 3], [n, 4] or "
                "[n, 6]"
            )

        return "json", spelled({"type": "points", "points": points.tolist()})


class Molecule(_Filed):
    """
    A molecule.

    Args:
        data_or_path: A file: pdb, pqr, mmcif, mcif, cif, sdf, sd, gro, mol2, mmtf.

        caption: Stands below it.

        file_type: Of an open file.
    """

    kind: ClassVar[str] = "molecule"
    formats: ClassVar[frozenset[str]] = frozenset(
        ("pdb", "pqr", "mmcif", "mcif", "cif", "sdf", "sd", "gro", "mol2", "mmtf")
    )


class Plotly(Media):
    """
    A figure of Plotly, drawn again where it is shown.

    Args:
        val: The figure; one of Matplotlib becomes a picture.
    """

    kind: ClassVar[str] = "plotly"

    def __init__(self, val: Any) -> None:
        if hasattr(val, "to_json"):
            self.figure = json.loads(val.to_json())
        elif isinstance(val, dict):
            self.figure = plain(val)
        else:
            raise UsageError(
                f"Plotly takes a figure of Plotly, not {type(val).__name__}; log a "
                "figure of Matplotlib as wandb.Image(figure)"
            )

    def item(self, keeper: Keeper) -> dict[str, Any]:
        """Return the figure's path."""
        return {"path": keeper.keep_json(self.figure, "plotly")}


def box3d(
    *,
    center: Any,
    size: Any,
    orientation: Any,
    color: Any,
    label: str | None = None,
    score: float | None = None,
) -> dict[str, Any]:
    """
    Return a box for `Object3D.from_point_cloud`.

    Args:
        center: x, y, z of its middle.

        size: Its length along each axis.

        orientation: A quaternion: r, x, y, z.

        color: Red, green, blue, 0 to 255.

        label: Its name.

        score: How sure it is.
    """
    box = {
        "center": list(center),
        "size": list(size),
        "orientation": list(orientation),
        "color": list(color),
    }
    more = {"label": label, "score": score}

    return box | {key: value for key, value in more.items() if value is not None}
