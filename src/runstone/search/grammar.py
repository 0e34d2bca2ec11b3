"""
Read a filter into a tree, by recursive descent.

    filter     = [either]
    either     = all {"OR" all}
    all        = term {["AND"] term}
    term       = "NOT" term | "(" either ")" | comparison
    comparison = field ("=" | "LIKE" | ...) value
               | field ["NOT"] "IN" "(" string {"," string} [","] ")"
               | field "IS" ["NOT"] "NULL"

Keywords are taken in any case, names only in their own.  MLflow lets ANDs be
left out, doubled, or left over at either end, and filters are built by
joining strings, so we do too; only before a NOT or a parenthesis, which MLflow
does not have, must an AND be written.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from runstone import limits
from runstone.errors import TooLarge
from runstone.model import ModelStatus
from runstone.search.fields import (
    EXPERIMENTS,
    LOGGED_MODELS,
    MODELS,
    OPS,
    ORDER_OPS,
    RUNS,
    TRACES,
    VERSIONS,
    Language,
    Reader,
    Sort,
)
from runstone.search.tokens import BACKTICKS, TokenKind, unquote
from runstone.search.tree import And, Comparison, Field, Kind, Node, Not, Op, Or, Value


def parse_runs(text: str | None) -> Node | None:
    """
    Read a filter of runs; None where there is nothing to filter by.

    Raises:
        BadFilter: The text does not parse, or asks what cannot be asked.
        TooLarge: It is longer, deeper or wider than `limits` has it.
    """
    return _parse(text, RUNS)


def parse_experiments(text: str | None) -> Node | None:
    """
    Read a filter of experiments; None where there is nothing to filter by.

    Raises:
        BadFilter: The text does not parse, or asks what cannot be asked.
        TooLarge: It is longer, deeper or wider than `limits` has it.
    """
    return _parse(text, EXPERIMENTS)


def parse_traces(text: str | None) -> Node | None:
    """
    Read a filter of traces; None where there is nothing to filter by.

    Raises:
        BadFilter: The text does not parse, or asks what cannot be asked.
        TooLarge: It is longer, deeper or wider than `limits` has it.
    """
    return _parse(text, TRACES)


def parse_models(text: str | None) -> Node | None:
    """
    Read a filter of registered models; None where there is nothing to filter by.

    Raises:
        BadFilter: The text does not parse, or asks what cannot be asked.
        TooLarge: It is longer, deeper or wider than `limits` has it.
    """
    return _parse(text, MODELS)


def parse_versions(text: str | None) -> Node | None:
    """
    Read a filter of versions of models; None where there is nothing to filter by.

    Raises:
        BadFilter: The text does not parse, or asks what cannot be asked.
        TooLarge: It is longer, deeper or wider than `limits` has it.
    """
    return _parse(text, VERSIONS)


def parse_logged_models(text: str | None) -> Node | None:
    """
    Read a filter of logged models; None where there is nothing to filter by.

    Raises:
        BadFilter: The text does not parse, or asks what cannot be asked.
        TooLarge: It is longer, deeper or wider than `limits` has it.
    """
    return _parse(text, LOGGED_MODELS)


def _parse(text: str | None, language: Language) -> Node | None:
    return _Parser(text or "", language).filter()


_OPS = {op.value: op for op in Op}
_HINTS = {
    "==": " (one = is enough)",
    "<>": " (write !=)",
    "NOT": " (write NOT before the field)",
}

_NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
# As long as an int64 can be.
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_BACKTICKS = re.compile(BACKTICKS)


class _Parser(Reader):
    """One method per line of the grammar."""

    def __init__(self, text: str, language: Language) -> None:
        super().__init__(text, language)
        self._depth = 0
        self._comparisons = 0

    def filter(self) -> Node | None:
        self._skip_ands()
        if self.at(TokenKind.END):
            return None

        node = self._either()
        if not self.at(TokenKind.END):
            self.fail(self.next.position, "AND, OR or the end of the filter")

        return node

    def _either(self) -> Node:
        terms = [self._all()]
        while self.take_word("OR"):
            terms.append(self._all())

        return Or(tuple(terms)) if len(terms) > 1 else terms[0]

    def _all(self) -> Node:
        terms = [self._term()]
        while self._another():
            terms.append(self._term())

        return And(tuple(terms)) if len(terms) > 1 else terms[0]

    def _another(self) -> bool:
        """Step over ANDs, and say whether another term must follow."""
        if self._skip_ands():
            return not self.at(TokenKind.END)
        if self.at(TokenKind.STRING):
            return self.next.text[0] == '"'

        return self.at(TokenKind.WORD) and not self.sees("OR", "NOT")

    def _skip_ands(self) -> bool:
        skipped = False
        while self.take_word("AND"):
            skipped = True

        return skipped

    def _term(self) -> Node:
        if self.take_word("NOT"):
            with self._nested():
                return Not(self._term())
        if not self.at(TokenKind.OPEN):
            return self._comparison()

        self.take()
        with self._nested():
            node = self._either()
        self._close("AND, OR or )")

        return node

    @contextmanager
    def _nested(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > limits.FILTER_DEPTH:
            raise TooLarge("The nesting of a filter", self._depth, limits.FILTER_DEPTH)
        yield
        self._depth -= 1

    def _close(self, expected: str) -> None:
        if not self.at(TokenKind.CLOSE):
            self.fail(self.next.position, expected)
        self.take()

    def _comparison(self) -> Comparison:
        self._comparisons += 1
        if self._comparisons > limits.FILTER_TERMS:
            what = "The list of comparisons in a filter"
            raise TooLarge(what, self._comparisons, limits.FILTER_TERMS)

        field = self.field()
        op = self._op(OPS[self.language.sort(field)])
        if op in (Op.IS_NULL, Op.IS_NOT_NULL):
            return Comparison(field, op, None)
        if op in (Op.IN, Op.NOT_IN):
            return Comparison(field, op, self._list(field))

        return Comparison(field, op, self._value(field, op))

    def _op(self, allowed: tuple[Op, ...]) -> Op:
        token = self.next
        op = self._any_op()
        if op not in allowed:
            hint = _HINTS.get(token.text.upper(), "")
            self.fail(token.position, f"one of {', '.join(allowed)}{hint}")

        return op

    def _any_op(self) -> Op | None:
        words = [self.take().text.upper()]
        if words == ["IS"]:
            words += [word for word in ("NOT", "NULL") if self.take_word(word)]
        elif words == ["NOT"]:
            words += [word for word in ("IN",) if self.take_word(word)]

        return _OPS.get(" ".join(words))

    def _list(self, field: Field) -> tuple[str, ...]:
        if not self.at(TokenKind.OPEN):
            self.fail(self.next.position, "a list of strings: ('a', 'b')")
        self.take()

        items = [self._string(field)]
        while self.at(TokenKind.COMMA):
            self.take()
            if self.at(TokenKind.CLOSE):
                break
            items.append(self._string(field))
        self._close("a comma or )")

        return tuple(items)

    def _value(self, field: Field, op: Op) -> Value:
        sort = self.language.sort(field)
        if sort in (Sort.NUMBER, Sort.WHOLE, Sort.VERSION):
            return self._number(field, sort)
        if sort is Sort.VERDICT and op in ORDER_OPS:
            return self._number(field, Sort.NUMBER)

        text = self._string(field)
        if op in (Op.LIKE, Op.ILIKE) and len(text) > limits.PATTERN_CHARS:
            raise TooLarge("The pattern", len(text), limits.PATTERN_CHARS)

        return text

    def _number(self, field: Field, sort: Sort) -> int | float:
        token = self.next
        text = unquote(token.text) if sort is Sort.VERSION else token.text
        if not _NUMBER.fullmatch(text):
            bare = unquote(token.text)
            hint = f": {bare[:40]}" if _NUMBER.fullmatch(bare) else ""
            self.fail(token.position, f"a number, without quotes{hint}")

        number = _nearest(text)
        if sort is not Sort.NUMBER and isinstance(number, float):
            what = "milliseconds" if sort is Sort.WHOLE else "64 bits"
            self.fail(token.position, f"a whole number of {what}")
        self.take()

        return float(number) if field.kind is Kind.METRIC else number

    def _string(self, field: Field) -> str:
        token = self.next
        if token.kind is TokenKind.STRING:
            text = unquote(token.text)
        elif _BACKTICKS.fullmatch(token.text):
            text = unquote(token.text).replace("``", "`")
        else:
            example = token.text[:40] if token.kind is TokenKind.WORD else "..."
            self.fail(
                token.position,
                f"a string in quotes, as {field.kind} values are: '{example}'",
            )
        if self.language.sort(field) is Sort.ID:
            text = self._id(token.position, text)
        if self.language.sort(field) is Sort.STATUS and text not in list(ModelStatus):
            self.fail(token.position, f"one of {', '.join(ModelStatus)}")
        self.take()

        return text

    def _id(self, position: int, text: str) -> str:
        if not _INTEGER.fullmatch(text) or abs(int(text)) > limits.INT64_MAX:
            self.fail(position, "an experiment id, such as '7'")

        return str(int(text))


def _nearest(text: str) -> int | float:
    """Read a number: as an int where a column of 64 bits can hold it."""
    if _INTEGER.fullmatch(text) and abs(int(text)) <= limits.INT64_MAX:
        return int(text)

    return float(text)
