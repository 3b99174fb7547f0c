from __future__ import annotations

import gc
from functools import partial

import pytest
from google.oauth2.credentials import Credentials
from sqlalchemy import text
from tests.servers.cloud_sql import TOKEN, CloudSql
from tests.servers.postgres import free_port

from reactor_core.cloud import Postgres
from reactor_core.errors import ConfigError, MissingExtra, StorageError


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_each_usual_spelling_of_an_address_works(database, scheme):
    server = Postgres(database.replace("postgresql", scheme, 1))
    with server.begin() as db:
        assert db.execute(text("SHOW application_name")).scalar() == "reactor"
    server.close()


@pytest.mark.parametrize(
    "bad", ["", "localhost", "mysql://u:hush@h/d", "postgresql://u:hush@h", "postgresql://u:hush@h:port/d"]
)
def test_an_address_that_cannot_be_used_is_an_error_without_the_password(bad):
    with pytest.raises(ConfigError, match="EVENT_STORE_URL") as caught:
        Postgres(bad)
    assert "hush" not in str(caught.value)


def test_the_address_can_say_otherwise(postgres):
    server = Postgres(f"{postgres.url()}?application_name=other&connect_timeout=3")
    with server.begin() as db:
        assert db.execute(text("SHOW application_name")).scalar() == "other"
    server.close()


def test_what_is_raised_inside_undoes_the_transaction(server):
    with pytest.raises(KeyError):
        with server.begin() as db:
            db.execute(text("CREATE TABLE x (y int)"))
            raise KeyError
    with pytest.raises(StorageError, match="no tables"), server.begin() as db:
        db.execute(text("SELECT * FROM x"))


def test_nobody_there_is_an_error_with_a_remedy():
    server = Postgres(f"postgresql://u:hush@127.0.0.1:{free_port()}/d")
    with pytest.raises(StorageError, match="cannot be reached") as caught:
        with server.begin():
            pass
    assert "hush" not in str(caught.value)
    assert caught.value.remedy is not None
    server.close()


def test_a_refusal_names_the_reason(server):
    with pytest.raises(StorageError, match="division by zero"), server.begin() as db:
        db.execute(text("SELECT 1 / 0"))


def test_a_connection_that_broke_while_idle_is_replaced(postgres):
    server = Postgres(postgres.url())
    with server.begin() as db:
        db.execute(text("SELECT 1"))
    postgres.restart()
    with server.begin() as db:
        assert db.execute(text("SELECT 1")).scalar() == 1
    server.close()


@pytest.fixture
def server(database):
    server = Postgres(database)
    yield server
    server.close()


# The connector leaves its event loop open when it is closed; no code of ours is involved.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
class TestCloudSql:
    """Google's own connector, against an admin API and an instance proxy of ours. Google itself is not asked."""

    @pytest.fixture
    def cloud(self, postgres, tmp_path, monkeypatch):
        library = pytest.importorskip("google.cloud.sql.connector")
        cloud = CloudSql(tmp_path, postgres.port)
        known = Credentials(token=TOKEN)
        there = partial(library.Connector, credentials=known, sqladmin_api_endpoint=cloud.api_url)
        monkeypatch.setattr(library, "Connector", there)
        yield cloud
        cloud.close()
        gc.collect()

    def test_a_connection_through_the_connector(self, cloud, postgres):
        url = f"postgresql://tester:{postgres.password}@/postgres"
        server = Postgres(url, cloud_sql_instance=cloud.instance)
        assert cloud.certificates == 0  # nothing is asked before it is needed
        with server.begin() as first, server.begin() as second:
            for db in (first, second):
                assert db.execute(text("SELECT current_database()")).scalar() == "postgres"
                assert db.execute(text("SHOW application_name")).scalar() == "reactor"
        assert (cloud.certificates, cloud.connections) == (1, 2)
        server.close()

    def test_a_restart_of_the_instance_is_survived(self, cloud, postgres):
        server = Postgres(f"postgresql://tester:{postgres.password}@/postgres", cloud_sql_instance=cloud.instance)
        with server.begin() as db:
            db.execute(text("SELECT 1"))
        postgres.restart()
        with server.begin() as db:
            assert db.execute(text("SELECT 1")).scalar() == 1
        server.close()

    def test_what_the_connector_refuses_is_an_error_that_names_the_instance(self, cloud):
        server = Postgres("postgresql://tester:hush@/d?ip_type=private", cloud_sql_instance=cloud.instance)
        with pytest.raises(StorageError, match="project:region:name") as caught, server.begin():
            pass
        assert "PRIVATE" in str(caught.value)
        assert "hush" not in str(caught.value)
        server.close()
        server = Postgres("postgresql://tester:hush@/d", cloud_sql_instance="project:region:another")
        with pytest.raises(StorageError, match="not allowed here"), server.begin():
            pass
        server.close()

    @pytest.mark.parametrize(
        ("url", "instance", "message"),
        [
            ("postgresql://u:p@/d", "instance", "CLOUD_SQL_INSTANCE"),
            ("postgresql:///d", "a:b:c", "names no user"),
            ("postgresql://u:p@/d?ip_type=carrier-pigeon", "a:b:c", "ip_type"),
        ],
    )
    def test_what_cannot_be_used_is_an_error(self, url, instance, message):
        with pytest.raises(ConfigError, match=message):
            Postgres(url, cloud_sql_instance=instance)

    def test_without_the_connector_the_extra_is_named(self, monkeypatch):
        monkeypatch.setattr("reactor_core.cloud.postgres.installed", lambda name: name != "google.cloud.sql.connector")
        with pytest.raises(MissingExtra, match="gcp"):
            Postgres("postgresql://u:p@/d", cloud_sql_instance="a:b:c")

    def test_without_credentials_nothing_hangs_and_the_remedy_names_them(self, monkeypatch):
        """The real connector: where it finds no credentials it refuses before it asks the network."""
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json")
        server = Postgres("postgresql://u:hush@/d", cloud_sql_instance="a:b:c")
        assert server.name == "postgresql://a:b:c/d"
        with pytest.raises(StorageError, match=r"nowhere\.json") as caught:
            with server.begin():
                pass
        assert "credentials" in str(caught.value.remedy)
        assert "hush" not in str(caught.value)
        server.close()
