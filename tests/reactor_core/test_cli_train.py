import json

import pytest

from reactor_core import cli
from reactor_core.jobs.table import JobTable
from reactor_core.utils.environment_memory import MemoryRoom


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


def test_a_plan_is_printed_and_trains_nothing(model_folder, rows_file, tmp_path, capsys):
    words = ["train", str(rows_file), "--model", str(model_folder("llama")), "--batch-size", "4", "--plan"]
    assert run(*words) == 0
    shown = capsys.readouterr().out
    assert "MiB  activations of the largest part" in shown
    assert shown.rstrip().endswith("it fits")
    assert run(*words, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["fits"], found["would_fit"], found["work"]["steps"]) == (True, [], 3)
    assert not list(tmp_path.glob("workspace/runs/*"))


def test_a_plan_that_does_not_fit_ends_with_one(model_folder, rows_file, capsys, monkeypatch):
    room = MemoryRoom(1000, 1000, "a test has 1000 bytes free")
    monkeypatch.setattr("reactor_core.training.admission.probe_memory", lambda: room)
    assert run("train", str(rows_file), "--model", str(model_folder("llama")), "--plan") == 1
    assert capsys.readouterr().out.rstrip().endswith("it does not fit")


def test_processes_that_cannot_be_started_are_refused(rows_file, tmp_path, capsys):
    assert run("train", str(rows_file), "--nproc", "0") == 3
    assert "processes=0" in capsys.readouterr().err
    assert run("train", str(rows_file), "--nnodes", "2") == 3
    assert "no endpoint to meet at" in capsys.readouterr().err
    assert not list(tmp_path.glob("workspace/runs/*"))


def test_a_run_is_queued_as_a_job_with_absolute_paths(model_folder, rows_file, tmp_path, capsys, monkeypatch):
    begun = []
    monkeypatch.setattr("reactor_core.jobs.background.begin", lambda *given: begun.append(given))
    words = ["train", rows_file.name, "--model", str(model_folder("llama")), "--lora-rank", "4"]
    assert run(*words, "--queue") == 0
    job_id = capsys.readouterr().out.strip()
    assert begun == []
    assert run(*words, "--no-resume", "--background", "--json") == 0
    job = json.loads(capsys.readouterr().out)
    assert begun == [(tmp_path / "workspace", ["train"])]
    assert (job["spec"]["dataset"], job["spec"]["resume"]) == (str(rows_file), False)
    assert job["spec"]["config"]["lora_rank"] == 4
    with JobTable(tmp_path / "workspace") as table:
        assert [found.job_id for found in table.jobs(states=["queued"])] == [job["job_id"], job_id]


@pytest.mark.parametrize("more", [["--plan"], ["--nproc", "2"], ["--eval-dataset", "bad.jsonl"], ["--batch-size", "0"]])
def test_what_would_fail_as_a_job_is_refused_before(rows_file, tmp_path, capsys, more):
    (tmp_path / "bad.jsonl").write_text('{"prompt": 7}\n')
    assert run("train", str(rows_file), "--background", *more) == 3
    assert not (tmp_path / "workspace" / "reactor.db").exists()
