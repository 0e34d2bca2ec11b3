"""
Which fields exist, what each may be compared with, and how one is read.

Source: `SearchUtils`, `SearchExperimentsUtils`, `SearchModelUtils` and
`SearchModelVersionUtils` in `mlflow/utils/search_utils.py`, MLflow 3.18.
"""

import difflib
from collections.abc import Iterable, Mapping
from enum import Enum, auto
from typing import NamedTuple, NoReturn

from runstone.errors import BadFilter
from runstone.search.tokens import WORD, Token, TokenKind, tokens, unquote
from runstone.search.tree import Field, Kind, Op


class Sort(Enum):
    """What the values of a field are."""

    NUMBER = auto()
    """Numbers, written without quotes."""

    WHOLE = auto()
    """Whole numbers, written without quotes."""

    TEXT = auto()
    """Strings that are always there, or whose absence nobody asks for."""

    LABEL = auto()
    """Strings that may be missing."""

    ID = auto()
    """Whole numbers, written as strings."""

    STATUS = auto()
    """One of the words for how far a model has come."""

    VERSION = auto()
    """Whole numbers, with or without quotes."""

    CONTENT = auto()
    """Text that something is looked for in."""

    LINK = auto()
    """The name of something else: it is the one or it is not."""

    VERDICT = auto()
    """What an assessment says: compared as a number or as a text, by the operator."""


NUMBER_OPS = (
    Op.EQUAL,
    Op.UNEQUAL,
    Op.LESS,
    Op.LESS_EQUAL,
    Op.GREATER,
    Op.GREATER_EQUAL,
)
ORDER_OPS = (Op.LESS, Op.LESS_EQUAL, Op.GREATER, Op.GREATER_EQUAL)
TEXT_OPS = (Op.EQUAL, Op.UNEQUAL, Op.LIKE, Op.ILIKE, Op.IN, Op.NOT_IN)

OPS: Mapping[Sort, tuple[Op, ...]] = {
    Sort.NUMBER: NUMBER_OPS,
    Sort.WHOLE: NUMBER_OPS,
    Sort.VERSION: NUMBER_OPS,
    Sort.TEXT: TEXT_OPS,
    Sort.LABEL: (*TEXT_OPS, Op.IS_NULL, Op.IS_NOT_NULL),
    Sort.ID: (Op.EQUAL, Op.UNEQUAL, Op.IN, Op.NOT_IN),
    Sort.STATUS: (Op.EQUAL, Op.UNEQUAL, Op.IN, Op.NOT_IN),
    Sort.CONTENT: (Op.LIKE, Op.ILIKE),
    Sort.LINK: (Op.EQUAL,),
    Sort.VERDICT: (
        *(Op.EQUAL, Op.UNEQUAL, Op.LIKE, Op.ILIKE),
        *(*ORDER_OPS, Op.IS_NULL, Op.IS_NOT_NULL),
    ),
}


SORTS: Mapping[Kind, Sort] = {
    Kind.DATASET: Sort.TEXT,
    Kind.SPAN: Sort.TEXT,
    Kind.FEEDBACK: Sort.VERDICT,
    Kind.EXPECTATION: Sort.VERDICT,
}
"""What the values of a kind are, whatever the key; of all others they are labels."""


class Language(NamedTuple):
    """The names that may be asked for in one kind of search."""

    heads: Mapping[str, Kind]
    """What stands before the dot."""

    attributes: Mapping[str, Sort]
    aliases: Mapping[str, str]
    """Other names of attributes."""

    def sort(self, field: Field) -> Sort:
        """Say what the values of a field are."""
        if field.kind is Kind.METRIC:
            return Sort.NUMBER
        if field.kind is Kind.ATTRIBUTE:
            return self.attributes[field.key]
        if field.kind is Kind.SPAN and field.key == "content":
            return Sort.CONTENT

        return SORTS.get(field.kind, Sort.LABEL)


_ATTRIBUTE_HEADS = dict.fromkeys(
    ("attributes", "attribute", "attr", "run"), Kind.ATTRIBUTE
)
_TAG_HEADS = dict.fromkeys(("tags", "tag"), Kind.TAG)

DATASET_KEYS = ("name", "digest", "context")
SPAN_KEYS = ("name", "type", "status", "content")
KEYS: Mapping[Kind, tuple[str, ...]] = {
    Kind.DATASET: DATASET_KEYS,
    Kind.SPAN: SPAN_KEYS,
}
"""The keys of a kind that has only some."""

RUNS = Language(
    heads={
        **dict.fromkeys(("metrics", "metric"), Kind.METRIC),
        **dict.fromkeys(("params", "param", "parameters", "parameter"), Kind.PARAM),
        **_TAG_HEADS,
        **_ATTRIBUTE_HEADS,
        **dict.fromkeys(("datasets", "dataset"), Kind.DATASET),
    },
    attributes={
        "artifact_uri": Sort.TEXT,
        "end_time": Sort.NUMBER,
        "run_id": Sort.TEXT,
        "run_name": Sort.TEXT,
        "start_time": Sort.NUMBER,
        "status": Sort.TEXT,
        "user_id": Sort.TEXT,
    },
    aliases={
        **dict.fromkeys(("created", "Created"), "start_time"),
        **dict.fromkeys(("run name", "Run name", "Run Name"), "run_name"),
    },
)

EXPERIMENTS = Language(
    heads={**_TAG_HEADS, **_ATTRIBUTE_HEADS},
    attributes={
        "creation_time": Sort.WHOLE,
        "experiment_id": Sort.ID,
        "last_update_time": Sort.WHOLE,
        "name": Sort.TEXT,
    },
    aliases={},
)

_REGISTRY_HEADS = {
    **_TAG_HEADS,
    **dict.fromkeys(("attributes", "attribute", "attr"), Kind.ATTRIBUTE),
}

MODELS = Language(
    heads=_REGISTRY_HEADS,
    attributes={
        "creation_timestamp": Sort.WHOLE,
        "last_updated_timestamp": Sort.WHOLE,
        "name": Sort.TEXT,
    },
    aliases={"timestamp": "last_updated_timestamp"},
)

VERSIONS = Language(
    heads=_REGISTRY_HEADS,
    attributes={
        "creation_timestamp": Sort.WHOLE,
        "current_stage": Sort.TEXT,
        "last_updated_timestamp": Sort.WHOLE,
        "name": Sort.TEXT,
        "run_id": Sort.TEXT,
        "source_path": Sort.TEXT,
        "version_number": Sort.VERSION,
    },
    aliases={"stage": "current_stage"},
)

# Source: `mlflow/utils/search_logged_model_utils.py` and the columns of
# `SqlLoggedModel`, MLflow 3.18.
LOGGED_MODELS = Language(
    heads={
        **dict.fromkeys(("metrics", "metric"), Kind.METRIC),
        **dict.fromkeys(("params", "param", "parameters", "parameter"), Kind.PARAM),
        **_TAG_HEADS,
        **dict.fromkeys(("attributes", "attribute", "attr"), Kind.ATTRIBUTE),
    },
    attributes={
        "artifact_location": Sort.TEXT,
        "creation_timestamp_ms": Sort.NUMBER,
        "experiment_id": Sort.ID,
        "last_updated_timestamp_ms": Sort.NUMBER,
        "model_id": Sort.TEXT,
        "model_type": Sort.TEXT,
        "name": Sort.TEXT,
        "source_run_id": Sort.TEXT,
        "status": Sort.STATUS,
    },
    aliases={
        "creation_time": "creation_timestamp_ms",
        "creation_timestamp": "creation_timestamp_ms",
        "last_updated_timestamp": "last_updated_timestamp_ms",
    },
)


# Source: `SearchTraceUtils` in `mlflow/utils/search_utils.py`, 3.18.
TRACES = Language(
    heads={
        **_TAG_HEADS,
        **dict.fromkeys(("attributes", "attribute", "attr", "trace"), Kind.ATTRIBUTE),
        **dict.fromkeys(("metadata", "request_metadata"), Kind.METADATA),
        **dict.fromkeys(("spans", "span"), Kind.SPAN),
        "feedback": Kind.FEEDBACK,
        **dict.fromkeys(("expectations", "expectation"), Kind.EXPECTATION),
    },
    attributes={
        "client_request_id": Sort.TEXT,
        "end_time_ms": Sort.NUMBER,
        "execution_time_ms": Sort.NUMBER,
        "experiment_id": Sort.ID,
        "name": Sort.TEXT,
        "prompt": Sort.LINK,
        "request_id": Sort.TEXT,
        "run_id": Sort.TEXT,
        "status": Sort.TEXT,
        "text": Sort.CONTENT,
        "timestamp_ms": Sort.NUMBER,
    },
    aliases={
        "end_time": "end_time_ms",
        "execution_time": "execution_time_ms",
        "timestamp": "timestamp_ms",
        "trace_id": "request_id",
    },
)


class Reader:
    """The tokens of one text, the next of them in sight."""

    def __init__(self, text: str, language: Language) -> None:
        self.text = text
        self.language = language
        self._tokens = tokens(text)
        self.next = next(self._tokens)

    def take(self) -> Token:
        """Step over the next token and return it."""
        token = self.next
        self.next = next(self._tokens)

        return token

    def at(self, kind: TokenKind) -> bool:
        """Say whether the next token is of this kind."""
        return self.next.kind is kind

    def sees(self, *keywords: str) -> bool:
        """Say whether the next token is one of these words, in any case."""
        return self.at(TokenKind.WORD) and self.next.text.upper() in keywords

    def take_word(self, keyword: str) -> bool:
        """Step over a keyword if it comes next, and say whether it did."""
        if not self.sees(keyword):
            return False
        self.take()

        return True

    def fail(self, position: int, expected: str) -> NoReturn:
        """Refuse the text at *position*."""
        raise BadFilter(self.text, position, expected)

    def field(self) -> Field:
        """Read a field by any of its names."""
        token = self.next
        if token.kind is TokenKind.STRING and token.text[0] == '"':
            return self._attribute(token.position, unquote(self.take().text))
        if token.kind is not TokenKind.WORD:
            self.fail(token.position, f"a field: {self._examples()}")

        self.take()
        word = WORD.fullmatch(token.text)
        assert word, "the tokenizer uses the same pattern"
        head = unquote(word["head"] or "")
        if word["key"] is None:
            return self._attribute(token.position, head)
        if head not in self.language.heads:
            heads = _choice(head, self.language.heads)
            self.fail(token.position, f"{heads} before the dot")

        return self._field(self.language.heads[head], token, word.start("key"))

    def _field(self, kind: Kind, token: Token, key_start: int) -> Field:
        position = token.position + key_start
        key = unquote(token.text[key_start:])
        if kind is Kind.ATTRIBUTE:
            return self._attribute(position, key)
        if key not in KEYS.get(kind, (key,)):
            self.fail(position, _choice(key, KEYS[kind]))
        if key_start == len(token.text):
            self.fail(position, f"the name of a {kind}, in quotes if it has spaces")

        return Field(kind, key)

    def _attribute(self, position: int, name: str) -> Field:
        canonical = self.language.aliases.get(name, name)
        if canonical not in self.language.attributes:
            names = [*self.language.attributes, *self.language.aliases]
            attributes = _choice(name, self.language.attributes, names)
            self.fail(position, f"{attributes}, or {self._examples()}")

        return Field(Kind.ATTRIBUTE, canonical)

    def _examples(self) -> str:
        # A dict keeps the order and drops the doubles.
        kinds = dict.fromkeys(self.language.heads.values())
        return " or ".join(f"{kind.head}.<name>" for kind in kinds)


def _choice(found: str, names: Iterable[str], near: Iterable[str] = ()) -> str:
    """List the names, and the one that *found* may have meant."""
    names = list(names)
    # No name is long; comparing a hostile one would only take time.
    close = difflib.get_close_matches(found[:50], [*names, *near], n=1)
    lowered = {name.lower(): name for name in names}
    meant = lowered.get(found.lower().replace(" ", "_"), *close[:1])
    hint = f" (did you mean {meant}?)" if meant else ""

    return f"one of {', '.join(names)}{hint}"
