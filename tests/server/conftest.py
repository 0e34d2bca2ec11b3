"""Servers as they run in the wild: a process each, with a store of its own."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.artifacts.conftest import bucket
from tests.server.running import Server, serving


__all__ = ["bucket", "server", "start"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers by their settings; `environ` is for what is no setting."""
    with ExitStack() as running:
        started = 0

        def started_with(
            *,
            folder: Path | None = None,
            environ: Mapping[str, str] | None = None,
            **settings: object,
        ) -> Server:
            nonlocal started
            started += 1
            home = folder or tmp_path / f"server{started}"
            process = serving(home, environ=environ, **settings)  # type: ignore[arg-type]  # `port` is no setting here

            return running.enter_context(process)

        yield started_with


@pytest.fixture
def server(start: Callable[..., Server]) -> Callable[..., str]:
    """Start a server by its settings and give its URL."""
    return lambda **settings: start(**settings).url
