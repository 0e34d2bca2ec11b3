"""`runstone server` and `runstone ui`: start a server."""

import shlex
from collections.abc import Callable, Mapping
from typing import Any

import click

from runstone import locations, settings
from runstone.cli.options import every_setting
from runstone.errors import Unusable
from runstone.settings import Settings


# MLflow's options that choose parts which Runstone does not have.
IGNORED_OPTIONS = (
    "--gunicorn-opts",
    "--waitress-opts",
    "--uvicorn-opts",
    "--expose-prometheus",
    "--app-name",
    "--secrets-cache-ttl",
    "--secrets-cache-max-size",
    "--x-frame-options",
)
IGNORED_SWITCHES = ("--dev", "--disable-security-middleware")


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command our options, and those of MLflow that mean nothing here."""
    for name in IGNORED_SWITCHES:
        command = click.option(name, is_flag=True, hidden=True)(command)
    for name in IGNORED_OPTIONS:
        command = click.option(name, hidden=True)(command)
    command = click.option("--registry-store-uri", hidden=True)(command)
    command = click.option("--config", metavar="FILE", help="TOML file with settings.")(
        command
    )
    command = click.option(
        "--import",
        "imports",
        is_flag=True,
        help="First import what MLflow keeps in the store's folder.",
    )(command)
    command = click.option("--daemon", is_flag=True, help="Run in the background.")(
        command
    )

    return every_setting(command)


@click.command()
@_options
def server(
    *,
    config: str | None,
    daemon: bool,
    imports: bool,
    registry_store_uri: str | None,
    **options: object,
) -> int:
    """
    Start the server: API, web pages and artifacts.

    A flag wins over the environment, and that over the file of --config.

    \b
    Examples:
      runstone server
      runstone server --backend-store-uri sqlite:///mlflow.db --port 5001
      runstone server --host 0.0.0.0 --allow-unauthenticated --workers 4 \\
          --backend-store-uri postgresql://runstone@db/runstone
      runstone server --daemon
    """
    chosen = _read(options, config, registry_store_uri)
    _offer_import(chosen, imports=imports)

    return _start("server", chosen, daemon=daemon)


@click.command()
@_options
def ui(
    *,
    config: str | None,
    daemon: bool,
    imports: bool,
    registry_store_uri: str | None,
    **options: object,
) -> int:
    """
    Start the server on this machine; the same as `server`.

    \b
    Example:
      runstone ui --port 5000 --backend-store-uri ./mlruns
    """
    chosen = _read(options, config, registry_store_uri)
    _offer_import(chosen, imports=imports)

    return _start("ui", chosen, daemon=daemon)


def _read(
    options: Mapping[str, object], config: str | None, registry: str | None
) -> Settings:
    chosen = settings.read(options, file=config)
    for flag in (*IGNORED_OPTIONS, *IGNORED_SWITCHES):
        if options[flag.removeprefix("--").replace("-", "_")]:
            click.echo(f"Note: {flag} means nothing here and is ignored.", err=True)

    if registry and locations.locate(registry) != chosen.store:
        raise Unusable(
            "--registry-store-uri is another store than --backend-store-uri; Runstone "
            "keeps models beside their runs, so leave it away"
        )

    return chosen


def _offer_import(chosen: Settings, *, imports: bool) -> None:
    """
    Say how MLflow's records come into ours, or bring them where that is asked for.

    Raises:
        Unusable: The store is MLflow's own database.
    """
    from runstone.ops import mlflow_files
    from runstone.storage.carrying import mlflow

    store, uri = chosen.store, chosen.backend_store_uri
    if store.folder is None:
        if store.file is not None and mlflow.is_mlflow(store.file):
            beside = uri.partition("?")[0].rpartition("/")[0]
            to = f"{beside}/{locations.DATABASE_FILE}"
            raise Unusable(
                f"{uri} is MLflow's own database, which Runstone never changes; carry "
                f"it over with: runstone import {shlex.quote(uri)} --to "
                f"{shlex.quote(to)}"
            )
        return
    if not mlflow_files.is_mlflow(store.folder):
        return
    if imports:
        from runstone.cli import carry

        carry.carry_folder(chosen)
    elif store.file is not None and not store.file.exists():
        folder = shlex.quote(uri)
        click.echo(
            "Note: MLflow keeps runs in this folder; to see them here, import them "
            f"with: runstone import {folder} --to {folder}",
            err=True,
        )


def _start(name: str, chosen: Settings, *, daemon: bool) -> int:
    if daemon:
        from runstone.cli import background

        background.start(name, chosen)
        return 0

    from runstone.server.serve import serve

    return serve(chosen)
