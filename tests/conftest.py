"""What every test may ask for."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

from tests import services


# A fixture that lives as long as its test is shared by all examples of a property;
# a store is meant to be, as a property must hold whatever is in it already.
ALLOWED = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)

# Choose with `--hypothesis-profile=deep`.
settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=ALLOWED
)
settings.register_profile(
    "deep", max_examples=5_000, deadline=None, suppress_health_check=ALLOWED
)
settings.load_profile("ci")

REQUIRED = frozenset(os.environ.get("RUNSTONE_REQUIRE", "").split(",")) - {""}
"""Programs whose absence fails tests and does not skip them."""

MARIADB = bool(os.environ.get("CI") or os.environ.get("RUNSTONE_TEST_MARIADB"))
"""Whether every test of the store runs on MariaDB too."""

DATABASES = ["sqlite", "postgresql", *(["mariadb"] if MARIADB else [])]


def pytest_configure() -> None:
    """Let a polite kill end the servers of the tests too, like Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A shell has what it starts in the background ignore Ctrl-C, and so would the
    # programs that the tests start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """URL of a private PostgreSQL server, one for all tests."""
    try:
        services.find_postgresql()
    except services.Missing as reason:
        do_without("postgresql", reason)

    with services.postgresql() as url:
        yield url


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    """URL of a private MariaDB server, one for all tests."""
    try:
        services.find_mariadb()
    except services.Missing as reason:
        do_without("mariadb", reason)

    with services.mariadb() as url:
        yield url


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Program file of the system's Chromium."""
    try:
        return services.find_chromium()
    except services.Missing as reason:
        do_without("chromium", reason)


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database, on each kind that Runstone can use."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'runstone.db'}"
    elif request.param == "postgresql":
        with services.fresh_postgresql(
            request.getfixturevalue("postgresql_url")
        ) as url:
            yield url
    else:
        with services.fresh_mariadb(request.getfixturevalue("mariadb_url")) as url:
            yield url


def do_without(name: str, reason: Exception) -> NoReturn:
    """Skip a test that needs an absent program; fail it where we promised to run it."""
    if name in REQUIRED:
        pytest.fail(f"{reason}, but RUNSTONE_REQUIRE names {name}")

    pytest.skip(str(reason))
