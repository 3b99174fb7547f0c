"""Processes of a run are killed again and again; it must end with the weights of one that was never touched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults.harness.forks import Child, Forks
from tests.faults.harness.tally import Tally
from tests.faults.harness.waiting import wait_until
from tests.reactor_core.conftest import build_model, build_tokenizer
from tests.reactor_core.training.distributed.roles import PRELOAD

ROLE = "tests.reactor_core.training.distributed.roles:train"
POINTS = ("checkpoint.written", "checkpoint.renamed", "keeper.moved")
STEPS = 24


@pytest.fixture(scope="module")
def ranks() -> Iterator[Forks]:
    """Makes processes that train together."""
    with Forks(*PRELOAD) as forks:
        yield forks


class Run:
    """A run of two processes, which are started together like those of ``torchrun``."""

    def __init__(self, forks: Forks, folder: Path, options: dict[str, Any]) -> None:
        self._forks, self._folder, self._options, self._lives = forks, folder, options, 0

    def start(self, workspace: str, *, die_at: tuple[str, int, float] | None = None, **more: Any) -> list[Child]:
        self._lives += 1
        name = f"{workspace}-{self._lives}"
        return [
            self._forks.start(
                ROLE,
                self._folder,
                f"{name}-{rank}",
                die_at=die_at if rank == 0 else None,
                out=str(self._folder / f"{name}-{rank}.json"),
                store=str(self._folder / f"{name}.store"),
                rank=rank,
                size=2,
                workspace=str(self._folder / workspace),
                cache=str(self._folder / "cache"),
                rows=str(self._folder / "rows.jsonl"),
                options={**self._options, **more},
            )
            for rank in range(2)
        ]

    def steps(self, workspace: str) -> int:
        logs = (self._folder / workspace).glob("runs/*/loss.jsonl")
        return sum(len(log.read_text().splitlines()) for log in logs)

    def end(self, children: list[Child]) -> dict[str, Any] | None:
        """What the first process came to; None if the run was broken."""
        for child in children:
            wait_until(child.ended, "the end of all processes")
            child.join()
        out = self._folder / f"{children[0].log.path.stem}.json"
        found: dict[str, Any] = json.loads(out.read_text()) if out.exists() else {"error": "killed"}
        return None if "error" in found else found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "usual"),
    [
        pytest.param({}, 6, id="sft"),
        pytest.param({"method": "dpo"}, 3, id="dpo"),
        pytest.param({"use_lora": False, "learning_rate": 0.001}, 3, id="full"),
    ],
)
def test_processes_that_are_killed_end_in_the_same_bytes(
    ranks: Forks, tmp_path: Path, tally: Tally, more: dict[str, Any], usual: int
) -> None:
    tokenizer, model = build_tokenizer(), tmp_path / "llama"
    build_model("llama", len(tokenizer)).save_pretrained(model)
    tokenizer.save_pretrained(model)
    rows: list[dict[str, Any]] = [{"prompt": f"{n} + {n} = ", "completion": f"{2 * n}"} for n in range(12)]
    if more.get("method") == "dpo":
        rows = [{"prompt": row["prompt"], "chosen": row["completion"], "rejected": "?"} for row in rows]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = {
        "model_name": str(model),
        "lora_rank": 4,
        "learning_rate": 0.01,
        "batch_size": 3,
        "num_epochs": STEPS // 4,
    }
    run = Run(ranks, tmp_path, {**options, **more})
    whole = run.end(run.start("whole"))
    assert whole is not None
    chance, runs = tally.chance, 0
    for _ in tally.times(usual):
        victim, workspace = chance.randrange(2), f"run-{runs}"
        point = chance.choice([None, *POINTS]) if victim == 0 else None
        die_at = None if point is None else (point, chance.randrange(1, 8), 0.0)
        children = run.start(workspace, die_at=die_at, save_seconds=chance.choice((1e-6, 0.02)))
        if point is None:
            at = run.steps(workspace) + chance.randrange(1, 8)
            wait_until(lambda at=at, c=children, w=workspace: run.steps(w) >= at or c[0].ended(), "some steps")
            children[victim].kill()
            tally.count(f"process {victim} of 2 killed at a random moment")
        else:
            tally.count(f"process 0 of 2 killed at {point}")
        found = run.end(children)
        tally.run()
        if found is not None:
            assert found["sha256"] == whole["sha256"]
            runs += 1
    last = run.end(run.start(f"run-{runs}"))
    assert last is not None
    assert (last["sha256"], last["losses"]) == (whole["sha256"], whole["losses"])
