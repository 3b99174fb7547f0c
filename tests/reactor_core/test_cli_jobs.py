from __future__ import annotations

import json

import pytest

from reactor_core.cli import main
from reactor_core.jobs.job import ErrorType, Failure, Owner
from reactor_core.jobs.table import JobTable


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path))
    with JobTable(tmp_path) as table:
        yield table


@pytest.fixture
def run(capsys, table):
    def run(*words):
        status = main(["jobs", *words])
        return status, capsys.readouterr().out

    return run


def test_jobs_are_listed_with_the_newest_last(run, table):
    ids = [table.submit(kind, {})[0].job_id for kind in ("a", "b", "a")]
    table.cancel(ids[2])
    status, out = run("list")
    assert status == 0
    assert [line.split("\t")[0] for line in out.splitlines()] == ids
    assert "canceled" in out.splitlines()[2]
    listed = json.loads(run("list", "--kind", "a", "--state", "queued", "--state", "failed", "--json")[1])
    assert [job["job_id"] for job in listed["jobs"]] == ids[:1]
    assert run("list", "--limit", "1")[1].split("\t")[0] == ids[2]


def test_where_there_is_no_job_a_note_says_how_to_begin_one(table, capsys):
    assert main(["jobs", "list"]) == 0
    said = capsys.readouterr()
    assert (said.out, "reactor train FILE --background" in said.err) == ("", True)


def test_a_job_is_shown_with_its_log_and_its_error(run, table):
    job, _ = table.submit("a", {"n": 1})
    held = table.claim(Owner("here", 1, 1.0))
    table.note(job.job_id, held.token, "begun")
    table.fail(job.job_id, held.token, Failure("SpecError", "the prompt is odd", ErrorType.TERMINAL))
    status, out = run("show", job.job_id[-12:])
    assert status == 0
    assert "SpecError (terminal): the prompt is odd" in out
    assert "message=begun" in out
    told = json.loads(run("show", job.job_id, "--json")[1])
    assert (told["spec"], [event["type"] for event in told["events"]]) == (
        {"n": 1},
        ["state", "state", "log", "state"],
    )


def test_a_job_is_paused_resumed_and_canceled(run, table):
    job, _ = table.submit("a", {})
    for command, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "canceled")):
        assert json.loads(run(command, job.job_id, "--json")[1])["state"] == state
        assert state in run("list")[1]
    table.submit("a", {})
    held = table.claim(Owner("here", 1, 1.0))
    assert "running, asked to cancel" in run("cancel", held.job_id)[1]


def test_what_cannot_be_done_ends_with_a_status(run, table):
    job, _ = table.submit("a", {})
    table.cancel(job.job_id)
    assert run("resume", job.job_id)[0] == 1
    assert run("show", "unheard-of")[0] == 4
    assert run("work", "--slots", "0")[0] == 3


def test_working_ends_with_the_process(run, table, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "reactor_core.jobs.supervisor.Supervisor.run_until_signal", lambda self: seen.append((self._slots, self._kinds))
    )
    assert run("work", "--slots", "2", "--kind", "a1.clip")[0] == 0
    assert seen == [(2, ("a1.clip",))]


def test_a_job_is_submitted_from_a_file_and_a_worker_is_begun_for_it_on_request(run, table, tmp_path, monkeypatch):
    begun = []
    monkeypatch.setattr("reactor_core.jobs.background.begin", lambda *given: begun.append(given))
    file = tmp_path / "spec.json"
    file.write_text('{"dataset": "/data/rows.jsonl", "config": {"lora_rank": 4}}')
    words = ("submit", "train", str(file), "--idempotency-key", "k", "--json")
    job, again = (json.loads(run(*words)[1]) for _ in range(2))
    assert job == again
    assert (job["spec"]["config"], job["max_attempts"]) == ({"lora_rank": 4}, 10)
    run("pause", job["job_id"])
    assert begun == []
    assert run("resume", job["job_id"][-8:], "--background")[0] == 0
    assert begun == [(table.workspace, ["train"])]
    file.write_text('{"dataset": "rows.jsonl"}')
    assert [run("submit", *w)[0] for w in (("train", str(file)), ("unheard", str(file)), ("train", "none"))] == [
        3,
        4,
        4,
    ]


def test_what_a_job_says_of_itself_is_shown(run, table):
    job, _ = table.submit("train", {})
    held = table.claim(Owner("here", 1, 1.0))
    facts = {"run_id": "train-1", "step": 12, "loss": 1.25}
    table.advance(job.job_id, held.token, phase="train", progress=0.5, facts=facts)
    assert "\t50% train step=12 loss=1.25\t" in run("list")[1]
    assert "run_id\ttrain-1\n" in run("show", job.job_id)[1]
