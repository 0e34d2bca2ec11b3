"""`runstone import`: carry MLflow's records over."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from runstone import settings


if TYPE_CHECKING:
    from runstone.ops.carry import Plan, Report
    from runstone.settings import Settings

SHOWN_FAULTS = 50


@click.command("import")
@click.argument("source")
@click.option("--to", metavar="URI", help="The store to import into.")
@click.option(
    "--artifacts",
    type=click.Choice(["copy", "reference", "none"]),
    default="copy",
    show_default=True,
    help="Copy files, leave them where they lie, or leave them out.",
)
@click.option(
    "--artifacts-from",
    multiple=True,
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Another folder that files may be copied from; may be given again.",
)
@click.option("--dry-run", is_flag=True, help="Only count, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--config", metavar="FILE", help="TOML file with settings.")
def carry(
    source: str,
    *,
    to: str | None,
    artifacts: Literal["copy", "reference", "none"],
    artifacts_from: tuple[Path, ...],
    dry_run: bool,
    as_json: bool,
    config: str | None,
) -> int:
    """
    Import experiments, runs, files and models from MLflow.

    SOURCE is MLflow's folder (./mlruns) or its database (sqlite:///mlflow.db), which
    is only read.  Runs keep their ids.  Importing twice does no harm: what is here
    stays as it is, and what is missing comes.  Exits with 1 if something could not be
    carried; it is named.

    \b
    Examples:
      runstone import ./mlruns
      runstone import sqlite:///mlflow.db --to sqlite:///runstone.db
      runstone import sqlite:///mlflow.db --artifacts-from /srv/mlartifacts
    """
    from runstone.ops.carry import Plan

    chosen = settings.read({"backend_store_uri": to}, file=config)
    plan = Plan(source, chosen, artifacts, artifacts_from, dry_run)
    report = _carried(plan, shown=not as_json)
    if as_json:
        faults = [fault._asdict() for fault in report.faults]
        click.echo(json.dumps({**report.counts, "faults": faults}, indent=2))
    else:
        _print(report, plan)

    return 1 if report.faults else 0


def carry_folder(chosen: "Settings") -> None:
    """Import what MLflow keeps in the folder that is our store; it stays as it is."""
    from runstone.ops.carry import Plan

    plan = Plan(str(chosen.store.folder), chosen)
    _print(_carried(plan, shown=True), plan)


def _carried(plan: "Plan", *, shown: bool) -> "Report":
    from rich.console import Console
    from rich.progress import Progress

    from runstone.ops import carry

    console = Console(stderr=True)
    is_shown = shown and console.is_terminal
    with Progress(console=console, transient=True, disable=not is_shown) as bar:
        task = bar.add_task("Importing", total=None)
        try:
            return carry.carry(
                plan,
                lambda done, total: bar.update(task, completed=done, total=total),
            )
        except KeyboardInterrupt:
            click.echo("Stopped; the same command goes on from here.", err=True)
            raise


def _print(report: "Report", plan: "Plan") -> None:
    from runstone.locations import shown

    counts = report.counts
    if plan.dry_run:
        click.echo(
            f"Found {counts['experiments']} experiments, {counts['runs']} runs, "
            f"{counts['points']:,} points and {counts['models']} registered models; "
            "nothing was changed."
        )
    else:
        click.echo(
            f"{counts['experiments']} experiments and {counts['runs']} runs "
            f"({counts['new_runs']} new), {counts['points']:,} new points, "
            f"{counts['artifacts']} new files, {counts['models']} registered models "
            f"({counts['new_versions']} new versions) are in "
            f"{shown(plan.settings.backend_store_uri)}."
        )
    if report.faults:
        click.echo(f"Not carried ({len(report.faults)}):", err=True)
    for fault in report.faults[:SHOWN_FAULTS]:
        click.echo(f"  {fault.what}: {fault.why}", err=True)
    if len(report.faults) > SHOWN_FAULTS:
        click.echo("  … and more; all are in the output of --json", err=True)
