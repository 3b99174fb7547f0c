"""Read back from the files that ``wandb sync`` would upload."""

from __future__ import annotations

import json
import os
import shutil
import signal
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SINK = "wandb"
pytestmark = pytest.mark.slow


def records(file: Path) -> Iterator[bytes]:
    """The records of LevelDB's log format: blocks of 32 KiB of chunks, whose kind says which part of a record they are
    (1 all, 2 first, 3 middle, 4 last); seven bytes of file header count to the first block."""
    data, at, record = file.read_bytes(), 7, b""
    while at + 7 <= len(data):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
            continue
        length, kind = struct.unpack_from("<HB", data, at + 4)
        record += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):
            yield record
            record = b""


def read(session: Path) -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any]]:
    """History, configuration and summary of a session."""
    from wandb.proto import wandb_internal_pb2

    (file,) = session.glob("*.wandb")
    history, config, summary = [], {}, {}
    for data in records(file):
        record = wandb_internal_pb2.Record.FromString(data)
        if record.WhichOneof("record_type") == "history":
            history.append({(i.key or ".".join(i.nested_key)): json.loads(i.value_json) for i in record.history.item})
        config |= {i.key or ".".join(i.nested_key): json.loads(i.value_json) for i in record.run.config.update}
        summary |= {i.key or ".".join(i.nested_key): json.loads(i.value_json) for i in record.summary.update}
    return history, config, summary


def sessions(run: Any) -> list[Path]:
    return sorted((run.settings.workspace / "wandb").glob("offline-run-*-train-0001"))


def test_sessions_of_a_run_hold_every_step_once_with_options_and_results(paper_run: Any) -> None:
    hook = paper_run.start()
    paper_run.train(1, 2, 3, 4, 5)
    hook.card_facts()
    hook.on_error(RuntimeError("killed"))
    hook = paper_run.start(at=3)
    paper_run.train(4, 5, 6)
    told = paper_run.finish(hook)
    assert (told["step"], told["missing"], told["error"]) == (6, 0, "")
    first, second = sessions(paper_run)
    assert told["where"] == str(second.resolve())
    (before, config, _), (after, _, summary) = read(first), read(second)
    assert [(row["_step"], row["train/loss"]) for row in before + after] == [(s, 8.0 / s) for s in range(1, 7)]
    assert [row["_step"] for row in before + after if "eval/loss" in row] == [4]
    assert config["config"] == {"lora_rank": 4, "model_name": "tiny"}
    assert summary["result/final_loss"] == 0.25
    assert summary["result/adapter_dir"] == "/somewhere/adapter"
    assert json.loads((second / "files" / "card.json").read_text())["metrics"]["final_loss"] == 0.25


def test_a_session_that_was_killed_before_it_was_written_is_written_by_the_next(paper_run: Any) -> None:
    hook = paper_run.start()
    paper_run.train(1, 2, 3)
    hook.card_facts()
    process = hook._children[SINK].process
    assert process is not None
    os.killpg(process.pid, signal.SIGKILL)  # W&B's own process too, as where a machine goes away
    process.wait()
    hook.on_error(RuntimeError("the machine went away"))
    (torn,) = sessions(paper_run)
    kept = paper_run.settings.workspace / "kept"
    shutil.copytree(torn, kept)
    hook = paper_run.start(at=3)
    paper_run.train(4)
    paper_run.finish(hook)
    (whole,) = sessions(paper_run)
    assert whole != torn
    assert [row["_step"] for row in read(whole)[0]] == [1, 2, 3, 4]
    assert [row["_step"] for row in read(kept)[0]] != [1, 2, 3]  # or this test would show nothing
