"""A store of its own for each test of W&B's names, inside this process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runstone.sdk.session import session
from runstone.wandb import runs


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folder of a store that runs go to; it is the working folder too."""
    for name in ("WANDB_MODE", "WANDB_PROJECT", "RUNSTONE_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RUNSTONE_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("RUNSTONE_TRACKING_URI", str(tmp_path / "store"))
    monkeypatch.setenv("RUNSTONE_SILENT", "1")
    monkeypatch.setenv("RUNSTONE_CAPTURE", "none")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    runs.teardown()
    session.close()
