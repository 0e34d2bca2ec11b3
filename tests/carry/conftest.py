"""Stores that real MLflows wrote (`record.py`), unpacked for one test each."""

import gzip
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from runstone.ops.carry import Plan, Report, carry
from runstone.settings import Settings
from runstone.storage.db import Database


RECORDED = Path(__file__).parent / "recorded"
STORES = ("mlruns-2.9", "mlruns-2.22", "mlruns-3.18", "mlflow-3.18")

Carry: TypeAlias = Callable[..., Report]
Open: TypeAlias = Callable[[], Database]


def unpack(name: str, folder: Path) -> str:
    """Unpack a recorded store and return what a person would call it."""
    if name.startswith("mlruns"):
        with tarfile.open(RECORDED / f"{name}.tar.gz") as packed:
            packed.extractall(folder, filter="data")
        return str(folder / "mlruns")
    file = folder / "mlflow.db"
    file.write_bytes(gzip.decompress((RECORDED / f"{name}.db.gz").read_bytes()))

    return f"sqlite:///{file}"


@pytest.fixture(params=STORES)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give a store of each MLflow."""
    return unpack(request.param, tmp_path)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give the settings of an empty store of ours."""
    return Settings(backend_store_uri=str(tmp_path / "ours"))


@pytest.fixture
def bring(settings: Settings) -> Carry:
    """Carry a store into ours."""

    def do(source: str, **more: object) -> Report:
        return carry(Plan(source, settings)._replace(**more))  # type: ignore[arg-type]  # a test's own names

    return do


@pytest.fixture
def opened(settings: Settings) -> Iterator[Open]:
    """Open our store; all is closed after the test."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(_closing(settings))


@contextmanager
def _closing(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database_url)
    try:
        yield database
    finally:
        database.close()
