"""Runstone: every run, set in stone."""

from runstone._version import __version__


__all__ = ["__version__"]
