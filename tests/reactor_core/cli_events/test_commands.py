from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest


def test_tail_shows_the_last_ones(reactor):
    assert reactor("events", "tail", "-n", "2") == 0
    assert [line.split("\t")[0] for line in reactor.lines] == ["4", "5"]


def test_tail_prints_one_object_in_each_line(reactor):
    assert reactor("events", "tail", "--json", "--type", "note") == 0
    assert [json.loads(line)["seq"] for line in reactor.lines] == [1, 5]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--type", "note", "--type", "COST_UPDATE"], [1, 3, 5]),
        (["--source", "scout"], [3]),
        (["--lane", "1"], [2, 4]),
        (["--text", "RM -rf"], [2]),
        (["--trace", "t-1"], [3]),
        (["--since", "2026-11-21T12:00:02Z", "--until", "2026-11-21T12:00:04Z"], [2, 3]),
    ],
)
def test_query_takes_every_filter(reactor, options, expected):
    assert reactor("events", "query", "--json", *options) == 0
    assert [event["seq"] for event in reactor.printed["events"]] == expected


def test_pages_follow_each_other(reactor):
    assert reactor("events", "query", "--limit", "3", "--json") == 0
    cursor = reactor.printed["next_cursor"]
    assert reactor("events", "query", "--limit", "3", "--cursor", cursor, "--json") == 0
    assert [event["seq"] for event in reactor.printed["events"]] == [4, 5]
    assert reactor.printed["next_cursor"] is None
    assert reactor("events", "query", "--limit", "3") == 0
    assert cursor in reactor.err
    assert reactor("events", "query", "--newest", "--limit", "1") == 0
    assert reactor.lines[0].startswith("5\t")


def test_nothing_found_is_said(reactor):
    assert reactor("events", "query", "--type", "nothing") == 0
    assert (reactor.out, reactor.err) == ("", "no such event\n")


def test_stats_count(reactor):
    assert reactor("events", "stats", "--json") == 0
    assert reactor.printed["total"] == 5
    assert reactor.printed["types"]["note"] == 2
    assert reactor.printed["lanes"] == {"1": 2, "3": 2, "4": 1}
    assert reactor("events", "stats") == 0
    assert "5 events from" in reactor.out
    assert "40.0%" in reactor.out
    assert reactor("events", "stats", "--type", "nothing") == 0
    assert reactor.out == "0 events\n"


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["query", "--since", "yesterday"], 3),
        (["query", "--cursor", "x"], 3),
        (["query", "--limit", "0"], 3),
        (["tail", "--store"], 3),
        (["query", "--lane", "7"], 2),
    ],
)
def test_a_wrong_option_ends_with_its_status(reactor, words, status):
    assert reactor("events", *words) == status
    assert reactor.err


def test_without_a_journal_it_is_not_found(reactor, monkeypatch, tmp_path):
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / "empty"))
    for command in ("tail", "query", "stats"):
        assert reactor("events", command) == 4
    assert not (tmp_path / "empty").exists()


def start(*words, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "reactor_core.cli", "events", "tail", *words], stderr=subprocess.PIPE, **options
    )


def test_following_ends_with_ctrl_c(workspace, add, event):
    with start("--follow", "--json", "-n", "1", stdout=subprocess.PIPE) as process:
        assert json.loads(process.stdout.readline())["seq"] == 5
        add(event(6))
        assert json.loads(process.stdout.readline())["seq"] == 6
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, b"")


def test_following_ends_when_the_reader_is_gone(workspace):
    with start("--follow", "-n", "1", stdout=subprocess.PIPE) as process:
        assert process.stdout.readline().startswith(b"5\t")
        process.stdout.close()  # nothing is added: it must notice by itself
        assert process.wait(60) == 0
        assert process.stderr.read() == b""


def test_a_pipe_that_is_closed_in_between_is_the_end(workspace, add, event):
    add(*(event(number, data={"text": "x" * 2000}) for number in range(6, 206)))
    reading, writing = os.pipe()
    with start("-n", "1000", stdout=writing) as process:
        os.close(writing)
        os.read(reading, 10)
        os.close(reading)
        assert process.wait(60) == 0
        assert process.stderr.read() == b""


def test_following_goes_on_when_the_store_comes_back(reactor, add, event, postgres, database, monkeypatch):
    monkeypatch.setenv("EVENT_STORE_URL", database)
    assert reactor("events", "store", "copy") == 0
    with start("--follow", "--store", "--json", "-n", "1", stdout=subprocess.PIPE) as process:
        assert json.loads(process.stdout.readline())["seq"] == 5
        postgres.stop(signal.SIGQUIT)
        try:
            assert b"cannot be reached" in process.stderr.readline()
        finally:
            postgres.start()
        assert process.stderr.readline() == b"the store answers again\n"
        add(event(6))
        assert reactor("events", "store", "copy") == 0
        assert json.loads(process.stdout.readline())["seq"] == 6
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


@pytest.mark.parametrize("words", [["events"], ["events", "store"], ["audit"]])
def test_every_command_is_described_where_it_is_listed(reactor, words):
    assert reactor(*words, "--help") == 0
    listed = [line.strip("│ ") for line in reactor.out.splitlines() if line.startswith("│ ")]
    assert [line for line in listed if line and " " not in line] == []
    assert len(listed) >= 3
