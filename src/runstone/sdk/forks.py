"""What must not be under way while the process forks."""

import importlib
import os
import threading
from typing import Final


importing: Final = threading.RLock()
"""Held by a thread of ours while it imports: a fork waits for it, since a child
would be left with half of a module for ever."""


def guard() -> None:
    """
    Have forks wait for `importing`, from now on; called once.

    What is registered last is waited for first.  These modules have locks of their
    own that a fork takes, and whoever imports may need: to wait for them before
    ours would be to wait for ever.
    """
    for name in ("logging", "concurrent.futures.thread", "random"):
        importlib.import_module(name)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=importing.acquire,
            after_in_parent=importing.release,
            after_in_child=importing.release,
        )
