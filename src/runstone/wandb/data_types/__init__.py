"""What can be logged beside numbers."""

from runstone.wandb.data_types.documents import (
    Html,
    Molecule,
    Object3D,
    Plotly,
    box3d,
)
from runstone.wandb.data_types.histogram import Histogram
from runstone.wandb.data_types.images import Classes, Image
from runstone.wandb.data_types.media import Media
from runstone.wandb.data_types.sounds import Audio
from runstone.wandb.data_types.table import Table
from runstone.wandb.data_types.video import Video


__all__ = [
    "Audio",
    "Classes",
    "Histogram",
    "Html",
    "Image",
    "Media",
    "Molecule",
    "Object3D",
    "Plotly",
    "Table",
    "Video",
    "box3d",
]
