"""Histograms."""

from typing import Any, ClassVar, Final

from runstone.wandb.data_types import pixels
from runstone.wandb.data_types.media import Keeper, Media
from runstone.wandb.errors import UsageError


MAX_BINS: Final = 512


class Histogram(Media):
    """
    How often numbers fall into bins.

    Args:
        sequence: The numbers, in any shape; those that are not finite are left out.

        np_histogram: Counts and edges, as `numpy.histogram` returns them.

        num_bins: Bins for *sequence*, at most 512.
    """

    MAX_LENGTH: Final = MAX_BINS
    kind: ClassVar[str] = "histogram"

    def __init__(
        self,
        sequence: Any = None,
        np_histogram: Any = None,
        num_bins: int = 64,
    ) -> None:
        if np_histogram is not None:
            counts, edges = np_histogram
            self.histogram = [_number(count) for count in counts]
            self.bins = [float(edge) for edge in edges]
        elif sequence is not None and num_bins > 0:
            self.histogram, self.bins = _counted(sequence, num_bins)
        else:
            raise UsageError(
                "A histogram needs numbers with some bins, or np_histogram"
            )
        if len(self.histogram) > MAX_BINS or len(self.bins) != len(self.histogram) + 1:
            raise UsageError(
                f"A histogram has {len(self.histogram)} counts and {len(self.bins)} "
                f"edges, expected at most {MAX_BINS} counts and one more edge"
            )

    def item(self, keeper: Keeper) -> dict[str, Any]:
        """Return counts and edges."""
        return {"counts": self.histogram, "edges": self.bins}


def _counted(sequence: Any, bins: int) -> tuple[list[float], list[float]]:
    import numpy as np

    numbers = np.asarray(pixels.array(sequence), np.float64).ravel()
    finite = numbers[np.isfinite(numbers)]
    try:
        with np.errstate(all="ignore"):
            counts, edges = np.histogram(finite, bins=bins)
    except ValueError:  # so near or so far that bins have no width: one holds all
        return [finite.size], [finite.min().item(), finite.max().item()]

    return counts.tolist(), edges.tolist()


def _number(count: Any) -> float:
    """Return a count; weights may be fractions."""
    number = float(count)

    return int(number) if number.is_integer() else number
