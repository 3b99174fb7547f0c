import json

import pytest

from a1_reactor.storage.manifest import (
    ArtifactEntry,
    FrameEntry,
    JobRecord,
    Manifest,
    dump_json,
    load_json,
)
from a1_reactor.types import JobSpec, Window
from reactor_core.errors import ArtifactCorrupt

MANIFEST = Manifest((FrameEntry("p", "f", 3),), ArtifactEntry("a", 9, 1))


def test_a_manifest_is_read_back(tmp_path):
    (tmp_path / "m.json").write_bytes(dump_json(MANIFEST.to_json()))
    assert Manifest.load(tmp_path / "m.json") == MANIFEST


def test_a_job_record_is_read_back(tmp_path):
    spec = JobSpec(prompt="x", seconds=1, windows=(Window.from_seconds("0.1", "0.5", 24),))
    record = JobRecord(
        hash="0" * 64,
        asked=spec,
        resolved=spec,
        origin=spec.without_windows(),
        provider={"name": "mock"},
        parent="ab",
        lineage=("ab",),
        created="2026-11-21T00:00:00.000000Z",
    )
    (tmp_path / "job.json").write_bytes(dump_json(record.to_json()))
    assert JobRecord.load(tmp_path / "job.json") == record


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"frames": [1], "artifact": {}}', '{"frames": 3}'])
@pytest.mark.parametrize("kind", [Manifest, JobRecord])
def test_what_is_torn_or_foreign_is_corrupt_and_named(tmp_path, text, kind):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(ArtifactCorrupt, match=r"x\.json"):
        kind.load(tmp_path / "x.json")


def test_a_missing_file_is_corrupt(tmp_path):
    with pytest.raises(ArtifactCorrupt):
        load_json(tmp_path / "gone.json")


def test_a_spec_that_no_release_would_write_is_corrupt(tmp_path):
    document = {"hash": "0", "asked": {"prompt": "x", "seconds": 0}, "resolved": {}, "origin": {}}
    (tmp_path / "job.json").write_text(json.dumps(document))
    with pytest.raises(ArtifactCorrupt, match="seconds"):
        JobRecord.load(tmp_path / "job.json")
