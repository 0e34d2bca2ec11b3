"""`runstone sync`: send what runs left on this machine."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runstone import errors


if TYPE_CHECKING:
    from runstone.sdk.sender import Sender


WATCH_SECONDS = 2.0

STUCK_SECONDS = 3.0
"""A round in which nothing moves for so long is over."""

PAUSE_SECONDS = 5.0


@click.command()
@click.argument("folders", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--watch", is_flag=True, help="Stay, and send what comes, until Ctrl-C.")
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a server that does not answer.",
)
@click.option("--tracking-uri", metavar="URI", help="Send it here and nowhere else.")
@click.option("--dry-run", is_flag=True, help="Only say what waits.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def sync(
    folders: tuple[Path, ...],
    *,
    watch: bool,
    patience: float,
    tracking_uri: str | None,
    dry_run: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """
    Send runs that their server does not have yet.

    Runs are kept in the spool folder until their server has them: runs that were
    logged offline, and what a process left that ended before all was sent.  Without
    FOLDERS it is the spool of this user; a folder that was copied from another
    machine will do.  Sending twice does no harm.

    \b
    Examples:
      runstone sync
      runstone sync --watch
      runstone sync /mnt/cluster/spool --tracking-uri http://tracking:5000
    """
    from runstone.sdk import options

    homes = list(folders) or [options.spool()]
    waiting = _all_writers(homes)
    if dry_run:
        _print([_row(folder) for folder in waiting], as_json=as_json)
        return

    uri = tracking_uri and options.fixed(tracking_uri)
    shown = not quiet and not as_json
    _send(lambda: waiting, uri, patience, shown=shown)
    while watch:
        time.sleep(WATCH_SECONDS)
        _send(
            lambda: [f for home in homes for f in _writers(home)], uri, 0, shown=shown
        )

    left = [_row(folder) for folder in _waiting(waiting)]
    if as_json:
        click.echo(json.dumps({"sent": len(waiting) - len(left), "left": left}))
    elif not quiet:
        _summary(len(waiting), left)
    if left:
        raise errors.Unavailable(
            f"{len(left)} of {len(waiting)} were not sent; try again when the server "
            "is there"
        )


def _all_writers(homes: list[Path]) -> list[Path]:
    return [folder for home in homes for folder in _writers(home)]


def _writers(home: Path) -> list[Path]:
    """Return the writers' folders of a spool, of a run in it, or the one itself."""
    from runstone.sdk import spool

    if (home / "target.json").exists():
        return [home]

    return spool.folders(home) or spool.writers(home)


def _send(
    folders: Callable[[], list[Path]], uri: str | None, patience: float, *, shown: bool
) -> None:
    """
    Send in rounds until nothing is left, or nothing has moved for long.

    Between rounds the folders are free, so that another `runstone sync`, told
    perhaps to send them elsewhere, need not wait for this one.
    """
    from runstone.sdk.sender import Sender

    give_up_at = time.monotonic() + patience
    while left := _waiting(folders()):
        sender = Sender(uri)
        try:
            sender.adopt(left)
            moved = _round(sender, shown=shown)
        finally:
            sender.stop()
        if moved:
            give_up_at = time.monotonic() + patience
        elif time.monotonic() >= give_up_at:
            return
        else:
            time.sleep(min(PAUSE_SECONDS, patience))


def _round(sender: "Sender", *, shown: bool) -> bool:
    """Send until all is sent or nothing moves; say whether anything did."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("Sending"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True, quiet=not shown)
    first = least = _bytes(sender)
    moved_at = time.monotonic()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=first)
        while not sender.flush(0.2) and time.monotonic() - moved_at < STUCK_SECONDS:
            left = _bytes(sender)
            bar.update(task, completed=first - left)
            if left < least:
                least, moved_at = left, time.monotonic()

    return _bytes(sender) < first


def _waiting(folders: list[Path]) -> list[Path]:
    return [folder for folder in folders if (folder / "target.json").exists()]


def _bytes(sender: "Sender") -> int:
    left = sender.progress()

    return left.journal_bytes + left.file_bytes


def _row(folder: Path) -> dict[str, object]:
    from runstone.locations import shown
    from runstone.sdk.sender import Lane

    lane = Lane(folder)
    left, target = lane.progress(), lane.journal.target

    return {
        "run_id": target.run_id,
        "tracking_uri": shown(target.tracking_uri),
        "bytes": left.journal_bytes + left.file_bytes,
        "artifacts": left.files,
        "folder": str(folder),
    }


def _print(rows: list[dict[str, object]], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    elif not rows:
        click.echo("Nothing waits.")
    for row in [] if as_json else rows:
        click.echo(
            f"{row['run_id']}  {row['bytes']:>12,} bytes  "
            f"{row['artifacts']} artifacts  to {row['tracking_uri']}"
        )


def _summary(count: int, left: list[dict[str, object]]) -> None:
    if not count:
        click.echo("Nothing waits.")
    elif not left:
        click.echo(f"Sent {count}; nothing waits any more.")
