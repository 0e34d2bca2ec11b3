"""`runstone db`: the schema of the database."""

import json

import click

from runstone import settings
from runstone.cli.options import setting


@click.group()
def db() -> None:
    """Look at the database's schema, or bring it up to date."""


@db.command()
@setting("backend_store_uri")
@click.option("--config", metavar="FILE", help="TOML file with settings.")
def upgrade(backend_store_uri: str | None, config: str | None) -> None:
    """
    Bring the database to this version's schema; no row is lost.

    \b
    Example:
      runstone db upgrade --backend-store-uri postgresql://runstone@db/runstone
    """
    from runstone.storage import migrate

    chosen = settings.read({"backend_store_uri": backend_store_uri}, file=config)
    chosen.store.make_folders()

    click.echo(f"The database has schema {migrate.upgrade(chosen.database_url)}.")


@db.command()
@setting("backend_store_uri")
@click.option("--config", metavar="FILE", help="TOML file with settings.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def current(
    backend_store_uri: str | None, config: str | None, *, as_json: bool
) -> None:
    """
    Say which schema the database has.

    \b
    Example:
      runstone db current --backend-store-uri sqlite:///mlflow.db
    """
    from runstone.storage import migrate

    chosen = settings.read({"backend_store_uri": backend_store_uri}, file=config)
    file = chosen.store.file
    found = None
    if file is None or file.exists():
        found = migrate.current(chosen.database_url)

    if as_json:
        click.echo(json.dumps({"schema": found, "newest": migrate.HEAD}))
    elif found is None:
        click.echo("No tables yet; make them with: runstone db upgrade")
    elif found == migrate.HEAD:
        click.echo(f"The database has schema {found}, the newest.")
    else:
        click.echo(
            f"The database has schema {found}, the newest is {migrate.HEAD}; "
            "upgrade with: runstone db upgrade"
        )
