"""What the tests of this folder may ask for."""

from collections.abc import Iterator

import pytest

from tests import services


# These are not tests, but what they assert should be seen as if they were.
pytest.register_assert_rewrite(
    "tests.reliability.crowd", "tests.reliability.servers", "tests.reliability.client"
)


@pytest.fixture
def fresh_postgresql_url(postgresql_url: str) -> Iterator[str]:
    """URL of an empty PostgreSQL database."""
    with services.fresh_postgresql(postgresql_url) as url:
        yield url
