from __future__ import annotations

import pytest
import redis
from tests.reactor_core.events.anchors.records import record
from tests.servers.valkey import ValkeyServer

from reactor_core.errors import ConfigError, StorageError
from reactor_core.events.anchors.redis import RedisAnchor


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = ValkeyServer(tmp_path_factory.mktemp("valkey"))
    yield server
    server.kill()


def test_checkpoints_are_kept_in_order_apart_for_each_journal(server):
    anchor = RedisAnchor(server.url, "j")
    anchor.write(record(3))
    anchor.write(record(5))
    RedisAnchor(server.url, "other").write(record(4, journal_id="other"))
    assert list(anchor.read("j")) == [record(3), record(5)]
    assert list(anchor.read("other")) == [record(4, journal_id="other")]
    anchor.close()


def test_a_damaged_entry_is_named(server):
    with redis.Redis.from_url(server.url) as client:
        client.xadd("reactor:anchors:damaged", {"record": b"{}"})
    anchor = RedisAnchor(server.url, "damaged")
    (found,) = anchor.read("damaged")
    assert "entry" in found
    anchor.close()


def test_the_place_is_named_without_its_password(server):
    assert RedisAnchor("redis://user:secret@example.org:6400/2", "j").where == "redis://example.org:6400/2"


def test_a_server_that_is_away_is_an_error_of_storage(server):
    anchor = RedisAnchor("redis://127.0.0.1:1", "j")
    with pytest.raises(StorageError, match="127"):
        anchor.write(record(1))
    with pytest.raises(StorageError):
        list(anchor.read("j"))


def test_an_address_that_cannot_be_used_is_refused():
    with pytest.raises(ConfigError):
        RedisAnchor("redis://host:port", "j")
