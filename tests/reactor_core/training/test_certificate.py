"""The certificate holds for what we train, and fails for each deliberate error that is put into the trained path."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from reactor_core.data import packing
from reactor_core.data.packing import Document
from reactor_core.data.pairs import Pair
from reactor_core.errors import CertificateFailed
from reactor_core.models.attention import DocumentLayout, lay_out
from reactor_core.training import Trainer, TrainingConfig, objective, session
from reactor_core.training.certificate import TOLERANCE, Certificate, Point
from reactor_core.training.hooks import StepInfo, TrainingHook
from reactor_core.training.objective import Objective, Outcome
from reactor_core.utils.settings import Settings

MakeModel = Callable[[str], Path]


@pytest.fixture
def pairs_file(tmp_path: Path) -> Path:
    """Six prompts with a better and a worse answer; two prompts are alike."""
    file = tmp_path / "pairs.jsonl"
    prompts = ["ls", "rm -rf /", "cat a", "ls", "send mail", "make"]
    rows = [
        {"prompt": f"Judge: {p}", "chosen": f"allow {n} because", "rejected": f"block it, {n}"}
        for n, p in enumerate(prompts)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def options(model: Path, **more: Any) -> TrainingConfig:
    chosen = {"lora_rank": 4, "batch_size": 4, "learning_rate": 0.01, "certificate": True, "max_steps": 2, **more}
    return TrainingConfig(model_name=str(model), **chosen)


def adapter_hash(folder: Path) -> str:
    return hashlib.sha256((folder / "adapter_model.safetensors").read_bytes()).hexdigest()


class Counting(TrainingHook):
    steps = 0

    def on_step(self, step: StepInfo) -> None:
        self.steps = step.step


@pytest.mark.parametrize(
    ("family", "more"),
    [
        ("llama", {}),
        ("llama", {"lora_dropout": 0.3}),
        ("qwen2", {"micro_batch_tokens": 60, "gradient_checkpointing": True}),
        ("gpt2", {"use_lora": False}),
    ],
    ids=["lora", "dropout", "small-parts", "full"],
)
def test_it_holds_for_what_we_train(
    family: str, more: dict[str, Any], model_folder: MakeModel, settings: Settings, rows_file: Path
) -> None:
    result = Trainer(options(model_folder(family), **more), settings=settings).train(rows_file)
    found = json.loads(result.card_path.read_text())["certificate"]
    assert found["holds"] is True
    assert max(found["loss_error"], found["gradient_error"]) < 1e-4
    assert (found["step"], found["rows"], found["documents"]) == (1, 4, 4)
    # All weights are there from the start; an adapter is compared with its zero half filled too.
    assert [point["weights"] for point in found["points"]] == (
        ["start", "probe"] if more.get("use_lora", True) else ["start"]
    )
    assert found == json.loads((result.adapter_dir / "card.json").read_text())["certificate"]


@pytest.mark.parametrize(
    ("family", "more"),
    [("llama", {}), ("gpt2", {"dpo_loss": "ipo"}), ("llama", {"use_lora": False, "dpo_loss": "robust"})],
    ids=["sigmoid", "ipo", "full"],
)
def test_it_holds_for_preferences(
    family: str, more: dict[str, Any], model_folder: MakeModel, settings: Settings, pairs_file: Path
) -> None:
    result = Trainer(options(model_folder(family), method="dpo", **more), settings=settings).train(pairs_file)
    found = json.loads(result.card_path.read_text())["certificate"]
    assert found["holds"] is True
    assert max(found["loss_error"], found["gradient_error"]) < 1e-4
    assert (found["rows"], found["documents"]) == (4, 8)


def test_it_does_not_change_what_is_trained(model_folder: MakeModel, settings: Settings, rows_file: Path) -> None:
    with_it, without = (options(model_folder("llama"), certificate=value) for value in (True, False))
    assert with_it.hash == without.hash
    first = Trainer(with_it, settings=settings).train(rows_file)
    second = Trainer(without, settings=settings).train(rows_file)
    assert adapter_hash(first.adapter_dir) == adapter_hash(second.adapter_dir)
    assert json.loads(second.card_path.read_text())["certificate"] is None


def leaking(documents: Sequence[Sequence[int]], num_tokens: int) -> DocumentLayout:
    """Everything is one document: each token sees all before it."""
    return lay_out([range(num_tokens)], num_tokens)


def shifted(document: Document) -> Document:
    """The mask stands one token too early."""
    return replace(document, trained=(*document.trained[1:], False))


def test_attention_across_documents_is_found(
    model_folder: MakeModel, settings: Settings, rows_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = Counting()
    monkeypatch.setattr(packing, "lay_out", leaking)
    with pytest.raises(CertificateFailed, match="the optimizer has not moved"):
        Trainer(options(model_folder("llama")), hooks=[hook], settings=settings).train(rows_file)
    assert hook.steps == 0
    (run,) = (settings.workspace / "runs").iterdir()
    assert not (run / "certificate.json").exists()  # who goes on is checked again


def test_a_mask_shifted_by_one_is_found(
    model_folder: MakeModel, settings: Settings, rows_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = objective.accumulate

    def wrong(model: Any, documents: Sequence[Document], **rest: Any) -> Any:
        return right(model, [shifted(document) for document in documents], **rest)

    monkeypatch.setattr(objective, "accumulate", wrong)
    with pytest.raises(CertificateFailed):
        Trainer(options(model_folder("llama")), settings=settings).train(rows_file)


def test_a_wrong_reference_is_found(
    model_folder: MakeModel, settings: Settings, pairs_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = objective.accumulate_pairs

    def wrong(model: Any, pairs: Sequence[Pair], reference: torch.Tensor, **rest: Any) -> Any:
        return right(model, pairs, reference.flip(0), **rest)

    monkeypatch.setattr(objective, "accumulate_pairs", wrong)
    with pytest.raises(CertificateFailed):
        Trainer(options(model_folder("llama"), method="dpo"), settings=settings).train(pairs_file)


class Skewed:
    """An objective that is right in its loss, and wrong in the gradient of A by one part in fifty."""

    def __init__(self, inner: Objective, parameters: dict[str, torch.nn.Parameter]) -> None:
        self.inner, self.parameters = inner, parameters

    def accumulate(self, rows: Sequence[int], *, seed: int) -> Outcome:
        outcome = self.inner.accumulate(rows, seed=seed)
        for name, value in self.parameters.items():
            if "lora_A" in name and value.grad is not None:
                value.grad.mul_(1.02)
        return outcome


def test_a_wrong_gradient_that_is_zero_at_the_start_is_found(
    model_folder: MakeModel, settings: Settings, rows_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[session.Session] = []
    init = session.Session.__init__

    def skew(self: session.Session, *given: Any, **more: Any) -> None:
        init(self, *given, **more)
        made.append(self)
        self.certifier._objective = Skewed(self.objective, self.parameters)  # type: ignore[assignment]

    monkeypatch.setattr(session.Session, "__init__", skew)
    with pytest.raises(CertificateFailed, match=r"lora_A.*weights: probe"):
        Trainer(options(model_folder("gpt2")), settings=settings).train(rows_file)


def test_weights_and_gradients_are_left_as_they_were(
    model_folder: MakeModel, settings: Settings, rows_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    check = session.Certifier.check

    def watched(self: Any, rows: Sequence[int], **rest: Any) -> float:
        def state() -> list[bytes]:
            both = [t for value in self._parameters.values() for t in (value.detach(), value.grad)]
            return [tensor.numpy().tobytes() for tensor in both]

        before, attention = state(), self._model.config._attn_implementation
        seconds = check(self, rows, **rest)
        seen.append(state() == before and self._model.config._attn_implementation == attention and self._model.training)
        return seconds

    monkeypatch.setattr(session.Certifier, "check", watched)
    Trainer(options(model_folder("llama")), settings=settings).train(rows_file)
    assert seen == [True, True]


def point(loss_error: float, gradient_error: float) -> Point:
    return Point("start", 1.0, 1.0, loss_error, gradient_error, "w")


@pytest.mark.parametrize(
    ("errors", "holds"),
    [
        ((1e-6, TOLERANCE), True),
        ((1e-6, 2 * TOLERANCE), False),
        ((2 * TOLERANCE, 0.0), False),
        ((float("nan"), 0.0), False),
        ((0.0, float("nan")), False),
    ],
)
def test_the_verdict_follows_the_largest_error(errors: tuple[float, float], holds: bool) -> None:
    made = Certificate(1, 1, 1, 1, (point(0.0, 0.0), point(*errors)), TOLERANCE, "sdpa", "float32", False, 0.0)
    assert made.holds is holds
    assert made.as_dict()["holds"] is holds


def test_it_is_made_once_and_found_by_who_goes_on(
    model_folder: MakeModel, settings: Settings, rows_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reactor_core.errors import Interrupted
    from reactor_core.training.control import Wish

    class Stop(TrainingHook):
        def on_step(self, step: StepInfo) -> None:
            trainer.control.ask(Wish.STOP)

    config = options(model_folder("llama"), max_steps=3)
    trainer = Trainer(config, hooks=[Stop()], settings=settings)
    with pytest.raises(Interrupted):
        trainer.train(rows_file)
    monkeypatch.setattr("reactor_core.training.certificate.certify", None)  # would fail if it were called again
    result = Trainer(config, settings=settings).train(rows_file)
    assert result.resumed_from == 1
    assert json.loads(result.card_path.read_text())["certificate"]["step"] == 1


def test_a_reference_that_is_gone_is_said_and_not_made_up(
    model_folder: MakeModel, settings: Settings, pairs_file: Path
) -> None:
    from reactor_core.errors import Interrupted
    from reactor_core.training.control import Wish

    class Stop(TrainingHook):
        def on_step(self, step: StepInfo) -> None:
            trainer.control.ask(Wish.STOP)

    config = options(model_folder("llama"), method="dpo", use_lora=False, certificate=False)
    trainer = Trainer(config, hooks=[Stop()], settings=settings)
    with pytest.raises(Interrupted):
        trainer.train(pairs_file)
    asked = TrainingConfig(**(config.model_dump() | {"certificate": True}))
    found = json.loads(Trainer(asked, settings=settings).train(pairs_file).card_path.read_text())["certificate"]
    assert found["holds"] is None
    assert "step 2" in found["reason"]
