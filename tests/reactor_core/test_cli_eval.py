import json
from itertools import pairwise

import pytest

from reactor_core import cli


@pytest.fixture(autouse=True)
def _workspace(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("REACTOR_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("GOMP_SPINCOUNT", "10000")  # main() would set it for the whole test process


@pytest.fixture
def model(model_folder):
    return str(model_folder("llama"))


def run(*words):
    return cli.main(words)


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@pytest.mark.parametrize(
    ("row", "figure"),
    [
        ({"action": "ls", "kind": "shell", "label": "allow"}, "accuracy"),
        ({"prompt": "q", "chosen": "good", "rejected": "bad"}, "margin"),
        ({"prompt": "q", "completion": "good"}, "perplexity"),
    ],
)
def test_a_file_is_measured_by_what_it_holds(row, figure, model, tmp_path, capsys):
    file = write(tmp_path / "rows.jsonl", row, row)
    assert run("evaluate", file, "--adapter", "none", "--model", model) == 0
    assert figure in capsys.readouterr().out
    assert run("evaluate", file, "--adapter", "none", "--model", model, "--json") == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 2


def test_an_adapter_takes_its_place_by_evidence_alone(model, tmp_path, capsys):
    """Trained to answer in capitals: unseen rows in capitals show it to be better, unseen rows in small letters not."""
    words = ["fig", "pea", "oat", "rye", "yam", "nut", "kale", "leek", "corn", "rice", "plum", "lime"]
    train = write(tmp_path / "train.jsonl", *({"prompt": f"say {w}", "completion": w.upper()} for w in words))
    heard = [{"prompt": f"say {a}{b}", "completion": f"{a}{b}".upper()} for a, b in pairwise(words)]
    rows = write(tmp_path / "rows.jsonl", *heard)
    options = ["--epochs", "12", "--batch-size", "4", "--learning-rate", "0.01"]
    assert run("train", train, "--model", model, *options, "--json") == 0
    run_id = json.loads(capsys.readouterr().out)["run_id"]

    assert run("promote", run_id, rows, "--model", model, "--dry-run", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["promoted"], found["entry"]) == (True, None)
    assert run("adapters", "list") == 0
    assert "no adapter yet" in capsys.readouterr().err

    assert run("promote", run_id, rows, "--model", model) == 0
    shown = capsys.readouterr()
    assert "in use now" in shown.out
    assert "report.md" in shown.err
    assert run("adapters", "list") == 0
    assert "negative log-likelihood" in capsys.readouterr().out
    assert run("events", "query", "--type", "MODEL_UPDATED", "--json") == 0
    assert "evaluations/promote-" in capsys.readouterr().out

    # It is in use now, and no better than itself.
    assert run("promote", run_id, rows, "--model", model, "--json") == 1
    refused = json.loads(capsys.readouterr().out)["error"]
    assert refused["type"] == "NotBetter"
    assert "(current)" in refused["message"]

    small = write(tmp_path / "small.jsonl", *({**row, "completion": row["completion"].lower()} for row in heard))
    assert run("promote", run_id, small, "--model", model, "--against", "none") == 1
    assert "(untuned)" in capsys.readouterr().err
    # And never on what it was trained on.
    assert run("promote", run_id, train, "--model", model) == 3
    assert "12 of 12 rows were seen in training" in capsys.readouterr().err
