"""
Secrets: found by the names that they go under and by how they look.

What is taken away is replaced by `WORD`.  A text may still hold a secret that has
no name and looks like a word: what must not be seen should not be printed.
"""

import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final


WORD: Final = "[redacted]"

NAME: Final = re.compile(
    r"(?i)(pass(word|wd|phrase)|\bpwd\b|_pwd\b|secret|token|credential|"
    r"(api|access|auth|account|private|encryption|signing|ssh|wandb|openai|azure|aws)"
    r"[-_]?key|authorization|\bauth\b|_auth\b|cookie|session[-_]?id|\bdsn\b)"
)
"""A name whose value is a secret."""

HARMLESS: Final = re.compile(
    r"(?i)(max|min|num|n|pad|eos|bos|unk|mask|sep|cls|special|new|stop|total|per)"
    r"[-_]?tokens?\b|tokens?[-_]?(per|count|ids?|len|limit|size|s)\b|tokeniz|"
    r"\btokens\b|_tokens\b|^(OLD)?PWD$"
)
"""What looks like such a name, and is none in machine learning or a shell."""

ASSIGNED: Final = re.compile(
    r"""(?x)
    (?P<name>["']?\b[\w.-]{1,60}["']?)        # api_key, "password", --token
    (?P<between>\s{0,4}[:=]\s{0,4}(?:bearer\s+)?)
    (?P<quote>["']?)
    (?P<value>[^\s"',;&}]{6,})
    """
)

LOOKS: Final = re.compile(
    r"""(?x)
    \b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}          # OpenAI, Stripe, Anthropic
    | \bgh[pousr]_[A-Za-z0-9]{20,} | \bgithub_pat_\w{20,} | \bglpat-[\w-]{16,}
    | \bhf_[A-Za-z0-9]{20,}                       # Hugging Face
    | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b | \bAIza[\w-]{30,}
    | \bxox[abposr]-[\w-]{10,} | \bnpm_[A-Za-z0-9]{20,} | \bpypi-[\w-]{20,}
    | \beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{4,}        # JSON web tokens
    | -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----[\s\S]*?(?:-----END[ A-Z]*-----|\Z)
    """
)

IN_URL: Final = re.compile(
    r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)|(?<=://)[^\s/@:]{20,}(?=@)"
)
"""User and password, or a token, before the host of a URL."""

RANDOM: Final = re.compile(r"(?<![\w/.+-])[A-Za-z0-9+_-]{24,200}={0,2}(?![\w/.+-])")
ENTROPY_BITS: Final = 4.0
"""Bits for each character from which on a long word looks random."""

MIGHT: Final = re.compile(
    r"(?i)pass|pwd|secret|token|credential|key|auth|cookie|session|dsn|://|sk-|sk_|"
    r"gh[pousr]_|github_pat|glpat|hf_|AKIA|ASIA|AIza|xox|npm_|pypi-|eyJ"
)
"""What a text without any of has no secret that could be seen by its name or look."""


class Redactor:
    """
    Takes secrets away.

    Args:
        environment: The values of variables with secret names are secrets wherever
            they occur.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        variables = os.environ if environment is None else environment
        known = {
            value
            for name, value in variables.items()
            if is_secret_name(name) and len(value) >= 8 and not value.isdecimal()
        }
        ordered = sorted(known, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> str:
        """Return a text without what has a secret's name or look."""
        if self._known:
            text = self._known.sub(WORD, text)
        if not MIGHT.search(text):
            return text
        text = LOOKS.sub(WORD, text)
        text = IN_URL.sub(WORD, text)

        return ASSIGNED.sub(_assigned, text)

    def arguments(self, arguments: Iterable[str]) -> list[str]:
        """Return a command's arguments without secrets, random-looking words too."""
        shown = []
        after_secret = False
        for argument in arguments:
            if after_secret and not argument.startswith("--"):
                shown.append(WORD)
                after_secret = False
                continue
            name, sign, value = argument.partition("=")
            after_secret = not sign and name.startswith("-") and is_secret_name(name)
            if sign and is_secret_name(name) and value:
                shown.append(f"{name}={WORD}")
            else:
                shown.append(RANDOM.sub(_random, self.text(argument)))

        return shown


def is_secret_name(name: str) -> bool:
    """Say whether the value of an argument or a variable is a secret."""
    return bool(NAME.search(name)) and not HARMLESS.search(name)


def entropy_bits(word: str) -> float:
    """Return the entropy of a word's characters, in bits for each."""
    counts = Counter(word).values()

    return -sum(n / len(word) * math.log2(n / len(word)) for n in counts)


def _assigned(found: re.Match[str]) -> str:
    if not is_secret_name(found["name"].strip("\"'")) or _is_code(found["value"]):
        return found[0]

    return f"{found['name']}{found['between']}{found['quote']}{WORD}"


def _is_code(value: str) -> bool:
    """Say whether what is assigned is an expression, such as `os.environ[`."""
    return bool(re.match(r"[A-Za-z_][\w.]*[(\[]", value)) or value.startswith(
        (WORD, "{", "$", "<", "/", "None", "True", "False")
    )


def _random(found: re.Match[str]) -> str:
    word = found[0]
    kinds = (str.islower, str.isupper, str.isdigit)
    is_mixed = all(any(is_(char) for char in word) for is_ in kinds)

    return WORD if is_mixed and entropy_bits(word) >= ENTROPY_BITS else word
