"""Runstone: every run, set in stone."""

from runstone._version import __version__


__all__ = ["__version__", "seed_everything"]


def __getattr__(name: str) -> object:
    """Load a public name when it is asked for."""
    if name == "seed_everything":
        from runstone.sdk.capture.seeds import seed_everything  # noqa: PLC0415

        return seed_everything

    raise AttributeError(f"module 'runstone' has no attribute {name!r}")
