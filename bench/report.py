"""Write the results as a page and as JSON."""

import datetime
import math
import os
import platform
from collections.abc import Sequence
from pathlib import Path

import msgspec
import psutil

from bench.stores import Database
from bench.workload import Result, Target, Workload


COLUMNS = "| workload | MLflow | Runstone | ratio | target | reached |"
RULE = "| --- | ---: | ---: | ---: | ---: | --- |"


class Page(msgspec.Struct):
    """Everything the report shows."""

    command: str
    versions: dict[str, str]
    limits: dict[str, str]
    notes: list[str]
    results: list[Result]


def number(value: float) -> str:
    """Spell a number with three digits that mean something."""
    if not math.isfinite(value):
        return "-"
    if value >= 1000:
        digits = len(str(int(value))) - 3

        return f"{round(value, -digits):,.0f}"
    if value >= 100:
        return f"{value:.0f}"

    return f"{float(f'{value:.3g}'):g}"


def amount(value: float, unit: str) -> str:
    """Spell a value with its unit; seconds below one as milliseconds."""
    if math.isnan(value):
        return "-"
    if unit == "s" and value < 1:
        return f"{number(value * 1000)} ms"

    return number(value) + ("" if unit == "/s" else " ") + unit


class Judge:
    """Looks results up, to compare them."""

    def __init__(self, workloads: Sequence[Workload], results: list[Result]) -> None:
        self.workloads = {workload.name: workload for workload in workloads}
        self.results = {(each.workload, each.database): each for each in results}

    def baseline(self, result: Result, target: Target) -> float:
        """Return the number that a target speaks of."""
        if target.against == "mlflow":
            return result.median("mlflow")
        other = self.results.get((target.against, result.database))
        if not other:
            return math.nan

        return other.median("echo" if target.against == "echo" else "runstone")

    def ratio(self, result: Result, target: Target) -> float:
        """Tell how many times better Runstone is than the target's baseline."""
        ours, theirs = result.median("runstone"), self.baseline(result, target)
        if math.isnan(ours) or math.isnan(theirs):
            return math.nan
        if not self.workloads[result.workload].more_is_better:
            ours, theirs = theirs, ours

        return ours / theirs if theirs else math.inf

    def verdict(self, result: Result, target: Target) -> str:
        """Say yes, no, or not measured."""
        ours = result.median("runstone")
        if target.at_most is not None and not math.isnan(ours):
            return "yes" if ours <= target.at_most else "**no**"
        ratio = self.ratio(result, target)
        if math.isnan(ratio):
            return "not measured"

        return "yes" if ratio >= target.times else "**no**"

    def lines(self, result: Result) -> list[str]:
        """Write the lines of one result: one for each target."""
        workload = self.workloads[result.workload]
        targets = workload.targets.get(result.database, ()) or (None,)

        return [self._line(workload, result, target) for target in targets]

    def _line(self, workload: Workload, result: Result, target: Target | None) -> str:
        judged = target or Target()
        ratio = self.ratio(result, judged)
        cells = [
            workload.title,
            cell(result, "mlflow", workload.unit),
            cell(result, "runstone", workload.unit),
            "-" if math.isnan(ratio) else number(ratio),
            spelled(target, workload.unit) if target else "-",
            self.verdict(result, target) if target else "-",
        ]

        return "| " + " | ".join(cells) + " |"


def cell(result: Result, side: str, unit: str) -> str:
    """Spell one side's median and how many turns it is of."""
    if side in result.errors:
        return "failed"
    if not result.values.get(side):
        return "-"

    return f"{amount(result.median(side), unit)} ({len(result.values[side])})"


def spelled(target: Target, unit: str) -> str:
    """Spell a target."""
    if target.at_most is not None:
        return f"≤ {amount(target.at_most, unit)}"
    if target.against == "mlflow":
        return f"≥ {target.times:g}"

    return f"≥ {target.times:g} of `{target.against}`"


def page(workloads: Sequence[Workload], shown: Page) -> str:
    """Write the whole page."""
    judge = Judge(workloads, shown.results)
    lines = [
        "# Results",
        "",
        f"Measured {datetime.datetime.now(datetime.UTC):%Y-%m-%d} on {machine()}.",
        f"Command: `{shown.command}`.",
        "",
        *(f"- {name}: {text}" for name, text in shown.versions.items()),
        "",
        "How:",
        "",
        *(f"- {note}" for note in shown.notes),
        "",
    ]
    databases: tuple[Database, ...] = ("sqlite", "postgresql")
    for database in databases:
        results = [each for each in shown.results if each.database == database]
        if results:
            lines += _section(judge, database, results)
    lines += ["## Limits of this machine", "", "| what | how much |", "| --- | ---: |"]
    lines += [f"| {name} | {text} |" for name, text in shown.limits.items()]

    return "\n".join(lines) + "\n"


def _section(judge: Judge, database: Database, results: list[Result]) -> list[str]:
    title = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[database]
    compared = [each for each in results if "echo" not in each.values]
    lines = [f"## {title}", "", COLUMNS, RULE]
    for result in compared:
        lines += judge.lines(result)
    lines.append("")
    failures = [
        f"- `{result.workload}`, {side}: {' '.join(text.split())[:400]}"
        for result in results
        for side, text in result.errors.items()
    ]

    return lines + (["Failed:", "", *failures, ""] if failures else [])


def machine() -> str:
    """Describe where this runs."""
    memory = round(psutil.virtual_memory().total / 2**30)

    return (
        f"{platform.system()} {platform.release()} ({_processor()}, "
        f"{os.cpu_count()} cores, {memory} GiB)"
    )


def _processor() -> str:
    with Path("/proc/cpuinfo").open() as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()

    return platform.machine()
