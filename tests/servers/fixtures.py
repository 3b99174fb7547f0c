"""Real servers as fixtures, for any test: each starts with the first test that asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.servers.display import Display, needs
from tests.servers.postgres import PostgresServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A Postgres that all tests of the run share; who stops it, starts it again."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    """The URL of a fresh, empty place in a Postgres: a schema of its own."""
    return postgres.new_schema()


@pytest.fixture(scope="session")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Display]:
    """An X display that all tests of the run share; its ``name`` is for the variable DISPLAY."""
    needs("Xvfb", "xdotool")
    shown = Display(tmp_path_factory.mktemp("display") / "xvfb.log")
    try:
        yield shown
    finally:
        shown.close()
