import json

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


def printed(capsys):
    return json.loads(capsys.readouterr().out)


def test_doctor_prints_one_object(capsys):
    assert run("doctor", "--json") == 0
    found = printed(capsys)
    assert found["healthy"] is True
    assert found["environment"]["reasons"]


def test_doctor_ends_with_five_when_nothing_can_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / "file"))
    assert run("doctor") == 5


def test_a_folder_is_a_model_like_any_other(model_folder, capsys):
    assert run("models", "pull", str(model_folder("llama")), "--json") == 0
    assert printed(capsys)["source"] == "folder"
    assert run("models", "list", "--json") == 0
    assert isinstance(printed(capsys)["models"], list)


def test_an_unknown_model_lists_what_is_known(capsys):
    assert run("models", "pull", "gpt-9000") == 3
    assert "smollm2-135m" in capsys.readouterr().err


def test_train_chat_and_evaluate_work_on_each_others_files(model_folder, rows_file, capsys, tmp_path):
    model = str(model_folder("llama"))
    assert run("train", str(rows_file), "--model", model, "--batch-size", "4", "--json") == 0
    result = printed(capsys)
    assert result["rows_trained"] == 12
    assert run("chat", "hello", "--adapter", result["adapter_dir"], "--model", model, "--max-new-tokens", "3") == 0
    capsys.readouterr()
    log = tmp_path / "log.jsonl"
    log.write_text('{"action": "ls", "kind": "shell", "label": "allow"}\n')
    assert run("evaluate", str(log), "--adapter", result["adapter_dir"], "--model", model, "--json") == 0
    assert printed(capsys)["rows"] == 1
    assert run("audit", "verify", "--json") == 0
    assert printed(capsys)["ok"] is True


def test_before_the_first_run_the_lists_are_empty_and_say_what_to_do(capsys):
    assert run("adapters", "list") == 0
    assert "reactor demo" in capsys.readouterr().err
    assert run("adapters", "list", "--json") == 0
    assert printed(capsys) == {"adapters": []}
    assert run("models", "list") == 0
    assert "reactor models pull" in capsys.readouterr().err
    assert run("audit", "verify") == 4
    assert run("chat", "hello") == 4


@pytest.mark.parametrize("words", [["fly"], ["demo", "--sead", "1"], ["train"], ["demo", "--seed", "x"]])
def test_wrong_usage_is_two(words):
    assert run(*words) == 2
