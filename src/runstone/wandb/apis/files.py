"""Files of runs, for `Api`."""

from pathlib import Path
from typing import IO, Any, NamedTuple

from runstone.wandb import asking
from runstone.wandb.errors import UsageError


class File(NamedTuple):
    """A file of a run."""

    run: str
    name: str
    size: int

    def download(
        self, root: str = ".", replace: bool = False, exist_ok: bool = False, **_: Any
    ) -> IO[str]:
        """
        Fetch it into a folder and open it.

        Raises:
            UsageError: It is there already, and that is not fine.
        """
        place = Path(root) / self.name
        if place.exists() and not replace:
            if not exist_ok:
                raise UsageError(
                    f"{place} is there already; say replace=True or exist_ok=True"
                )
            return place.open()
        asking.fetch(self.run, self.name, place)

        return place.open()
