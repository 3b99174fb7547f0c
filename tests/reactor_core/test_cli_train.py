import pytest

from reactor_core import cli


@pytest.fixture(autouse=True)
def _workspace(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("REACTOR_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("GOMP_SPINCOUNT", "10000")  # main() would set it for the whole test process


def run(*words):
    return cli.main(words)


def test_a_bad_row_is_named_and_nothing_is_trained(model_folder, tmp_path, capsys):
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"prompt": "a", "completion": "b"}\n{"prompt": 7, "completion": "b"}\n')
    assert run("train", str(bad), "--model", str(model_folder("llama"))) == 3
    assert "bad.jsonl:2: field 'prompt'" in capsys.readouterr().err
    assert not list(tmp_path.glob("workspace/runs/*"))
