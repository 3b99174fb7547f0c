import json

import pytest

from a1_reactor.cli import main


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REACTOR_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / ".a1r").mkdir()
    return tmp_path


def test_providers_are_listed_with_what_they_can_do(place, capsys):
    assert main(["providers"]) == 0
    seen = capsys.readouterr()
    lines = dict(line.split("\t", 1) for line in seen.out.splitlines())
    assert lines["mock"].startswith("full, any number frames, sides of 2n\t")
    assert lines["http2"].startswith("not ready\t")
    assert "http cannot be used now: the http provider has no endpoint" in seen.err


def test_they_are_listed_as_json_with_the_operator_s_own(place, capsys):
    (place / ".a1r" / "providers.toml").write_text('[cut]\nkind = "http2"\nendpoint = "https://cut.example/frames"\n')
    assert main(["providers", "--json"]) == 0
    found = {info["name"]: info for info in json.loads(capsys.readouterr().out)["providers"]}
    assert found["mock"]["capabilities"]["window_only"] is True
    assert found["cut"] == {
        "name": "cut",
        "kind": "http2",
        "about": "https://cut.example/frames",
        "available": True,
        "missing": None,
        "capabilities": None,
    }


def test_a_file_that_cannot_be_used_is_an_error_of_the_configuration(place, capsys):
    (place / ".a1r" / "providers.toml").write_text("[cut]\n")
    assert main(["providers"]) == 3
    assert "providers.toml" in capsys.readouterr().err
