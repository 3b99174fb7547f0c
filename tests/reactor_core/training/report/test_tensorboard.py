"""Read back by TensorBoard's own reader."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

SINK = "tensorboard"
SCALARS = {
    "train/loss", "train/learning_rate", "train/grad_norm", "train/epoch", "train/tokens", "train/tokens_per_second",
    "train/margin", "eval/loss",
}  # fmt: skip


def read(folder: Path) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    shown = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    shown.Reload()
    return shown


def losses(folder: Path) -> list[tuple[int, float]]:
    return [(event.step, round(event.value, 4)) for event in read(folder).Scalars("train/loss")]


def falling(*steps: int, loss: float = 8.0) -> list[tuple[int, float]]:
    return [(step, round(loss / step, 4)) for step in steps]


def test_a_run_is_shown_with_its_options_and_its_card(paper_run: Any) -> None:
    hook = paper_run.start()
    paper_run.train(*range(1, 9))
    told = paper_run.finish(hook)
    folder = paper_run.folder / "tensorboard"
    assert told == {"where": str(folder.resolve()), "step": 8, "missing": 0, "failures": 0, "error": ""}
    shown = read(folder)
    assert set(shown.Tags()["scalars"]) == SCALARS
    assert losses(folder) == falling(*range(1, 9))
    assert [(event.step, event.value) for event in shown.Scalars("eval/loss")] == [(4, 2.0), (8, 2.0)]
    assert [event.value for event in shown.Scalars("train/tokens")] == [40.0 * step for step in range(1, 9)]
    texts = {tag: shown.Tensors(tag)[0].tensor_proto.string_val[0].decode() for tag in shown.Tags()["tensors"]}
    assert '"lora_rank": 4' in texts["run"]
    assert '"final_loss": 0.25' in texts["card"]


def test_steps_that_are_trained_again_show_their_new_values_once(paper_run: Any) -> None:
    hook = paper_run.start()
    paper_run.train(1, 2, 3, 4, 5)
    hook.card_facts()  # all five are told, and the run is killed before the next checkpoint
    hook.on_error(RuntimeError("killed"))
    hook = paper_run.start(at=3)
    paper_run.train(4, 5, 6, loss=16.0)
    paper_run.finish(hook)
    expected = [*falling(1, 2, 3), *falling(4, 5, 6, loss=16.0)]
    assert losses(paper_run.folder / "tensorboard") == expected


def test_a_worker_that_is_killed_in_the_middle_of_a_record_leaves_no_hole(paper_run: Any) -> None:
    hook = paper_run.start()
    paper_run.train(1, 2, 3)
    hook.card_facts()
    process = hook._children[SINK].process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    (events,) = (paper_run.folder / "tensorboard").iterdir()
    events.write_bytes(events.read_bytes()[:-7])
    hook.on_error(RuntimeError("the machine went away"))
    status = paper_run.folder / "report" / "tensorboard.json"
    status.unlink()  # so the new session starts from nothing that it could trust
    hook = paper_run.start(at=3)
    paper_run.train(4)
    paper_run.finish(hook)
    assert losses(paper_run.folder / "tensorboard") == falling(1, 2, 3, 4)
