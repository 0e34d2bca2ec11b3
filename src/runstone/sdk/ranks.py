"""
Ranks: which of the processes of a distributed training this one is.

Sources: torchrun's documentation (Environment Variables), Slurm's srun (OUTPUT
ENVIRONMENT VARIABLES), Open MPI's `OMPI_COMM_WORLD_RANK`, MPICH's `PMI_RANK`.
"""

import hashlib
import os
import re
from typing import Final, Literal, NamedTuple


Who = Literal["first", "all", "system"]
"""Who logs: rank 0 alone, every rank, or the others only how their machine does."""

NAMES: Final = (
    ("RANK", "WORLD_SIZE", "LOCAL_RANK"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"),
    ("PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"),
    ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"),
)


class Place(NamedTuple):
    """A process among those that train together."""

    rank: int = 0
    """From 0 to world_size - 1."""

    world_size: int = 1
    local_rank: int = 0
    """On its machine."""

    @property
    def is_first(self) -> bool:
        """Whether it speaks for all."""
        return self.rank == 0

    @property
    def is_alone(self) -> bool:
        """Whether nobody trains with it."""
        return self.world_size < 2


def here() -> Place:
    """Return the place of this process, as its launcher says."""
    for rank_name, size_name, local_name in NAMES:
        rank, size = _number(rank_name), _number(size_name)
        if rank is not None and size is not None and 0 <= rank < size:
            if rank_name == "SLURM_PROCID" and not _is_step():
                continue
            return Place(rank, size, _number(local_name) or 0)
    rank = _number("RANK")
    if rank:  # a launcher that tells no size; rank 0 is like none
        return Place(rank, rank + 1, _number("LOCAL_RANK") or 0)

    return Place()


def who() -> Who:
    """Return who logs."""
    said = os.environ.get("RUNSTONE_RANKS", "first").lower()

    return "all" if said == "all" else "system" if said == "system" else "first"


def agreed_id(count: int) -> str | None:
    """
    Return the id of a run that all ranks know without asking each other.

    Args:
        count: How many runs this process began before: each gets an id of its own.

    Returns:
        32 hex digits; None where nothing tells this training from others.
    """
    given = os.environ.get("RUNSTONE_RUN_ID", "")
    if re.fullmatch("[0-9a-f]{32}", given) and not count:
        return given
    launch = given or _launch()
    if not launch:
        return None

    return hashlib.sha256(f"{launch}/{count}".encode()).hexdigest()[:32]


def _launch() -> str:
    """Return what only the processes of this training have in common; "" is nothing."""
    elastic = os.environ.get("TORCHELASTIC_RUN_ID", "")
    if elastic and elastic != "none":  # what torchrun says where it was told nothing
        return f"elastic/{elastic}/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '')}"
    job = os.environ.get("SLURM_JOB_ID", "")
    if job and _is_step():
        names = ("SLURM_CLUSTER_NAME", "SLURM_STEP_ID", "SLURM_RESTART_COUNT")
        return "/".join(["slurm", job, *(os.environ.get(name, "") for name in names)])
    if (
        _number("LOCAL_WORLD_SIZE") == here().world_size
        or _number("OMPI_COMM_WORLD_LOCAL_SIZE") == here().world_size
    ):
        return _parent()

    return ""


def _parent() -> str:
    """Name the launcher's process: on one machine all ranks are its children."""
    import socket

    import psutil

    parent = os.getppid()
    try:
        began = psutil.Process(parent).create_time()
    except psutil.Error:
        return ""

    return f"parent/{socket.gethostname()}/{parent}/{began}"


def _is_step() -> bool:
    """Say whether srun began this process, not the batch script of the job."""
    return os.environ.get("SLURM_STEP_ID", "") not in ("", "4294967291", "batch")


def _number(name: str) -> int | None:
    text = os.environ.get(name, "")

    return int(text) if text.isascii() and text.isdecimal() else None
