"""Steps that end in their middle and go on there, bit for bit."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch

from reactor_core.errors import CheckpointInvalid, Interrupted
from reactor_core.training import Trainer, TrainingConfig
from reactor_core.training.control import Wish
from reactor_core.training.mark import Mark
from reactor_core.training.meter import Totals
from reactor_core.training.partial import Accumulator, Partial
from reactor_core.utils import failpoints
from reactor_core.utils.clock import SystemClock
from reactor_core.utils.settings import Settings

MakeModel = Callable[[str], Path]


class Ticking(SystemClock):
    """Stands still unless it is set."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


def accumulator(then: Callable[[], object] = lambda: None) -> tuple[Accumulator, torch.nn.Parameter, Ticking]:
    weight, clock = torch.nn.Parameter(torch.zeros(2)), Ticking()
    return Accumulator({"w": weight}, still=nullcontext, clock=clock, then=then), weight, clock


def turn(meter: Accumulator, weight: torch.nn.Parameter, gradient: list[float], totals: Totals) -> None:
    weight.grad = torch.tensor(gradient)
    totals.turns += 1
    totals.loss += sum(gradient)
    meter.after(totals)


def test_what_is_done_is_not_touched_by_the_next_part() -> None:
    meter, weight, clock = accumulator()
    totals = Totals()
    meter.begin(3, "a", totals)
    assert meter.partial() is None
    turn(meter, weight, [1.0, 2.0], totals)
    assert weight.grad is None
    clock.now = 5.0
    first = meter.partial()
    assert first is not None
    assert (first.turns, first.loss, first.seconds) == (1, 3.0, 5.0)
    assert first.tensors()["gradient.w"].tolist() == [1.0, 2.0]
    turn(meter, weight, [0.5, 0.5], totals)
    meter.end(totals)
    assert weight.grad is not None
    assert weight.grad.tolist() == [1.5, 2.5]
    meter.clear()
    assert meter.partial() is None


def test_another_process_goes_on_after_the_parts_that_are_done() -> None:
    meter, weight, _ = accumulator()
    totals = Totals(kept={"seen": torch.zeros(3)})
    meter.begin(3, "a", totals)
    totals.kept["seen"][1] = 7.0
    turn(meter, weight, [1.0, 2.0], totals)
    saved = meter.partial()
    assert saved is not None
    stored = Partial.read(json.loads(json.dumps(saved.facts())), saved.tensors(), {"w": weight})
    other, other_weight, _ = accumulator()
    other.go_on_from(stored)
    found = Totals(kept={"seen": torch.zeros(3)})
    assert [turn.number for turn in other.begin(3, "a", found)] == [1, 2]
    assert (found.turns, found.loss, found.kept["seen"].tolist()) == (1, 3.0, [0.0, 7.0, 0.0])
    turn(other, other_weight, [1.0, 1.0], found)
    other.end(found)
    assert other_weight.grad is not None
    assert other_weight.grad.tolist() == [2.0, 3.0]
    assert len(other.begin(3, "a", Totals())) == 3  # the next step begins at its beginning


@pytest.mark.parametrize(("parts", "sha256"), [(4, "a"), (3, "b")])
def test_other_parts_are_computed_from_the_beginning_and_that_is_said(parts: int, sha256: str) -> None:
    meter, weight, _ = accumulator()
    meter.go_on_from(Partial("a", 3, 1, 3.0, 5, 2.0, {"w": torch.ones(2)}, {}))
    totals = Totals()
    with pytest.warns(UserWarning, match=f"1 of 3 parts of a step which is now cut into {parts} other ones"):
        assert len(meter.begin(parts, sha256, totals)) == parts
    assert (totals.turns, meter.earlier, meter.partial()) == (0, 0.0, None)
    turn(meter, weight, [1.0, 0.0], totals)
    meter.end(totals)
    assert weight.grad is not None
    assert weight.grad.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("gradients", [{"v": torch.ones(2)}, {"w": torch.ones(3)}])
def test_gradients_of_another_model_are_refused(gradients: dict[str, torch.Tensor]) -> None:
    saved = Partial("a", 3, 1, 3.0, 5, 2.0, gradients, {})
    with pytest.raises(CheckpointInvalid, match="does not train so"):
        Partial.read(saved.facts(), saved.tensors(), {"w": torch.zeros(2)})


def test_between_parts_somebody_is_asked_but_not_after_the_last() -> None:
    asked: list[int] = []
    meter, weight, _ = accumulator(lambda: asked.append(1))
    totals = Totals()
    meter.begin(2, "a", totals)
    turn(meter, weight, [1.0, 1.0], totals)
    turn(meter, weight, [1.0, 1.0], totals)
    assert asked == [1]


@pytest.fixture
def at_part() -> Iterator[Callable[[int, Callable[[], object]], None]]:
    """Does something when the nth part of a run is done."""

    def plan(nth: int, action: Callable[[], object]) -> None:
        left = nth

        def reached(name: str) -> None:
            nonlocal left
            if name == "step.part":
                left -= 1
                if left == 0:
                    action()

        failpoints.install(reached)

    yield plan
    failpoints.install(None)


def losses(log: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in log.read_text().splitlines()]


@pytest.mark.parametrize(
    ("method", "more", "by"),
    [
        ("sft", {"lora_dropout": 0.1}, "SIGTERM"),
        pytest.param("dpo", {}, "SIGTERM", marks=pytest.mark.slow),
        ("dpo", {"use_lora": False}, "a request"),
    ],
)
def test_a_notice_in_the_middle_of_a_step_loses_no_part_and_no_bit(
    method: Any,
    more: dict[str, Any],
    by: str,
    model_folder: MakeModel,
    settings: Settings,
    tmp_path: Path,
    at_part: Callable[[int, Callable[[], object]], None],
) -> None:
    rows = tmp_path / "rows.jsonl"
    made = [{"prompt": f"{n} + {n} = ", "chosen": f"{2 * n}", "rejected": "?"} for n in range(8)]
    if method == "sft":
        made = [{"prompt": row["prompt"], "completion": row["chosen"]} for row in made]
    rows.write_text("".join(json.dumps(row) + "\n" for row in made))
    config = TrainingConfig(
        model_name=str(model_folder("llama")), method=method, lora_rank=4, learning_rate=0.01, num_epochs=2,
        batch_size=4, micro_batch_tokens=1, **more,
    )  # fmt: skip

    def weights(folder: Path) -> str:
        (file,) = folder.glob("*model*.safetensors")
        return hashlib.sha256(file.read_bytes()).hexdigest()

    parts: list[str] = []
    failpoints.install(parts.append)
    untouched = Trainer(config, settings=settings).train(rows, resume=False)
    per_step = parts.count("step.part") // untouched.steps
    assert per_step == 4
    assert parts.count("step.part") == per_step * untouched.steps  # every row has its length
    trainer = Trainer(config, settings=settings)
    asked = by == "a request"
    at_part(per_step + 2, lambda: trainer.control.ask(Wish.STOP) if asked else os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Interrupted, match=by) as caught:
        trainer.train(rows, resume=False)
    assert caught.value.by == by
    (left,) = (settings.workspace / "runs").glob("*/checkpoints/*")
    assert Mark.of(left) == Mark(1, 2)
    done: list[str] = []
    failpoints.install(done.append)
    result = Trainer(config, settings=settings).train(rows)
    assert done.count("step.part") == per_step * (untouched.steps - 1) - 2
    assert (result.resumed_from, result.tokens_computed) == (1, untouched.tokens_computed)
    assert weights(result.adapter_dir) == weights(untouched.adapter_dir)
    assert losses(result.loss_path) == losses(untouched.loss_path)
