"""Runstone's own application, compacting all the time instead of at rest."""

from runstone.server.app import App
from runstone.settings import Settings
from runstone.storage.compaction import Compactor, Pace


PACE = Pace(look_seconds=0.01, idle_looks=0, busy_blocks=1, busy_points=1)


def create(settings: Settings) -> App:
    """Make the application."""
    app = App(settings)
    app.compactor = Compactor(app.database, PACE)

    return app
