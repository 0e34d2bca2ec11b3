"""Small things that scripts take from `wandb.util`."""

import secrets
import string
import uuid
from typing import Final


LETTERS: Final = string.ascii_lowercase + string.digits
SPACE: Final = uuid.UUID("6f1f1b1e-5f3c-5b0e-9d5a-6d8f0c7a2b11")
"""Of the ids that are made of W&B's; any fixed one will do."""


def generate_id(length: int = 8) -> str:
    """Return a new id as W&B makes them: small letters and digits."""
    return "".join(secrets.choice(LETTERS) for _ in range(length))


def run_number(project: str, given: str) -> str:
    """
    Return the 32 hex digits under which the run of this id is kept.

    The same project and id are the same run, on every machine, and nobody has to be
    asked.  An id that is 32 hex digits already is one of ours and stays.
    """
    if len(given) == 32 and all(letter in "0123456789abcdef" for letter in given):
        return given

    return uuid.uuid5(SPACE, f"{project}/{given}").hex
