"""Trees are written so that people can read them."""

import pytest

from runstone.errors import InvalidInput
from runstone.search.grammar import parse_runs
from runstone.search.show import show, show_field
from runstone.search.tree import Field, Kind


@pytest.mark.parametrize(
    "text",
    [
        "metrics.val/loss < 0.1 AND (params.opt = 'adam' OR NOT tags.draft IS NULL)",
        "NOT (start_time > 5 AND run_id IN ('a', 'b'))",
        "datasets.name LIKE '%mnist%'",
        'params.`my key` = "it\'s"',
        'params."`" = `\'"`',
        "params.a = `C:\\` AND metrics.`` > 1e999",
    ],
)
def test_plain_things_are_written_plainly(text: str) -> None:
    """Quotes and parentheses stand only where they are needed."""
    tree = parse_runs(text)

    assert tree
    assert show(tree) == text


@pytest.mark.parametrize("key", ["`'\"", "`'\\"])
def test_a_key_with_every_quote_cannot_be_written(key: str) -> None:
    """Saying so is better than a filter that means another key."""
    with pytest.raises(InvalidInput, match="every quote"):
        show_field(Field(Kind.TAG, key))
