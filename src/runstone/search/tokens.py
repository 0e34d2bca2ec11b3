"""
Where a word of a filter ends.

Strings are kept as they are written, as MLflow keeps them: a doubled quote or
a quote after a backslash does not end a string (if a later one can), and both
characters stay in it.

Source: what sqlparse, MLflow's tokenizer, does with quotes.
"""

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from runstone import limits
from runstone.errors import BadFilter, TooLarge


class TokenKind(Enum):
    """What a token is, by its looks alone."""

    WORD = auto()
    """A field, a keyword, a number or a string in backticks."""

    STRING = auto()
    """A text in single or double quotes."""

    SIGN = auto()
    """A run of `=`, `!`, `<`, `>`."""

    OPEN = auto()
    CLOSE = auto()
    COMMA = auto()
    END = auto()


class Token(NamedTuple):
    """One word, with its quotes, and the index where it begins."""

    kind: TokenKind
    text: str
    position: int


SINGLE = r"'(?:[^'\\]|''|\\'?)*'"
DOUBLE = r'"(?:[^"\\]|""|\\"?)*"'
BACKTICKS = r"`(?:[^`]|``)*`"
PLAIN = r"[^\s=!<>'\"`(),;.]"
PLAIN_KEY = rf"(?:{PLAIN}|\.|\((?:{PLAIN}|\.)*\))*"

WORD = re.compile(
    rf"(?P<head>{BACKTICKS}|{PLAIN}+)?"
    rf"(?:\.(?P<key>{DOUBLE}|{SINGLE}|{BACKTICKS}|{PLAIN_KEY}))?"
)
"""`head`, or `head.key`; either may be quoted, neither has spaces else."""

TOKEN = re.compile(
    rf"(?P<STRING>{SINGLE}|{DOUBLE})"
    r"|(?P<SIGN>[=!<>]+)|(?P<OPEN>\()|(?P<CLOSE>\))|(?P<COMMA>,)"
)
SPACE = re.compile(r"\s*")

# No database keeps these in a text, so nothing stored can be meant.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def tokens(text: str) -> Iterator[Token]:
    """
    Yield the tokens of *text*, then END for ever.

    Raises:
        BadFilter: A character begins no token; raised when it is reached.
        TooLarge: The text is longer than FILTER_CHARS.
    """
    if len(text) > limits.FILTER_CHARS:
        raise TooLarge("The filter", len(text), limits.FILTER_CHARS)
    if unstorable := UNSTORABLE.search(text):
        raise BadFilter(text, unstorable.start(), "a character that can be stored")

    position = _after_space(text, 0)
    while position < len(text):
        token = _token_at(text, position)
        yield token
        position = _after_space(text, position + len(token.text))

    while True:
        yield Token(TokenKind.END, "", len(text))


def unquote(text: str) -> str:
    """Take the quotes off, if there are any."""
    if len(text) >= 2 and text[0] in "'\"`" and text[0] == text[-1]:
        return text[1:-1]

    return text


def _after_space(text: str, position: int) -> int:
    space = SPACE.match(text, position)
    assert space, "the pattern takes nothing too"

    return space.end()


def _token_at(text: str, position: int) -> Token:
    if found := TOKEN.match(text, position):
        assert found.lastgroup, "every branch has a name"
        return Token(TokenKind[found.lastgroup], found[0], position)

    word = WORD.match(text, position)
    if word and word[0]:
        return Token(TokenKind.WORD, word[0], position)

    sign = text[position]
    if sign in "'\"`":
        raise BadFilter(text, position, f"a closing {sign} for this one")
    raise BadFilter(text, position, f"no {sign!r} here; quote it if it is meant")
