from __future__ import annotations

import io
from pathlib import Path

import pytest

from reactor_core.errors import ConfigError, NotFound
from reactor_core.jobs.asking import read_spec, submit_job


@pytest.mark.usefixtures("kinds")
def test_a_job_is_stored_as_its_kind_understands_it(table):
    job = submit_job(table, "test.count", {"to": 3}, idempotency_key="k", asked_by="me")
    assert (job.spec, job.max_attempts, job.asked_by) == ({"to": 3, "seconds": 0.0}, 3, "me")
    assert submit_job(table, "test.count", {"to": 3}, idempotency_key="k") == job


@pytest.mark.usefixtures("kinds")
@pytest.mark.parametrize(("kind", "error"), [("test.count", ConfigError), ("unheard", NotFound)])
def test_what_no_kind_would_do_is_not_stored(table, kind, error):
    with pytest.raises(error):
        submit_job(table, kind, {})
    assert table.jobs() == []


def test_a_spec_is_read_from_a_file_or_the_input(tmp_path, monkeypatch):
    file = tmp_path / "spec.json"
    file.write_text('{"a": 1}')
    assert read_spec(file) == {"a": 1}
    monkeypatch.setattr("sys.stdin", io.StringIO('{"b": 2}'))
    assert read_spec(Path("-")) == {"b": 2}


@pytest.mark.parametrize(("content", "message"), [(b"{", "is no JSON"), (b"[]", "no JSON object"), (b"\xff", "read")])
def test_what_is_no_spec_is_refused(tmp_path, content, message):
    (tmp_path / "spec.json").write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        read_spec(tmp_path / "spec.json")
    with pytest.raises(NotFound, match="give a JSON file"):
        read_spec(tmp_path / "none.json")
