"""How big the workloads are."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Counts of everything; the defaults are what the targets speak of."""

    turns: int = 5
    seconds: float = 3.0
    """How long one turn of a rate goes on."""

    side_seconds: float = 90.0
    """No further turn of a peer once a workload has cost it this much."""

    history_points: int = 1_000_000
    chart_runs: int = 100
    chart_points: int = 10_000
    deep_points: int = 10_000_000
    few_runs: int = 10_000
    many_runs: int = 100_000
    deep_page: int = 1_000
    blob_mib: int = 256
    files: int = 1_000
    disk_points: int = 1_000_000
    models: int = 1_000


FULL = Sizes()

QUICK = Sizes(
    turns=2,
    seconds=0.5,
    side_seconds=10,
    history_points=60_000,
    chart_runs=10,
    chart_points=2_000,
    deep_points=100_000,
    few_runs=500,
    many_runs=3_000,
    deep_page=20,
    blob_mib=16,
    files=50,
    disk_points=50_000,
    models=50,
)
"""Enough to see that everything runs; its ratios mean nothing."""
