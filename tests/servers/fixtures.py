"""Real servers as fixtures, for any test: each starts with the first test that asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from tests.servers.display import Display, needs
from tests.servers.postgres import PostgresServer

if TYPE_CHECKING:
    from tests.servers.gcs import Bucket


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


@pytest.fixture(scope="session")
def gcs_server() -> Iterator[Bucket]:
    """A bucket that all tests of the run share."""
    from tests.servers.gcs import Bucket  # Google's client takes a second to import

    bucket = Bucket("checkpoints")
    try:
        yield bucket
    finally:
        bucket.close()


@pytest.fixture
def bucket(gcs_server: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """An empty bucket behind a proxy without faults, to which Google's client goes in this test."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_server.address)
    gcs_server.empty()
    gcs_server.seen.clear()
    yield gcs_server
    gcs_server.fault = lambda _method, _path: None
