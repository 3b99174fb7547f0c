from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import log_softmax

from reactor_core.data.packing import Document
from reactor_core.data.pairs import Pair
from reactor_core.training.llama import FastLlama
from reactor_core.training.lora import adapter_off, inject_lora
from reactor_core.training.preference import accumulate_pairs, pair_batches, pair_losses, sequence_sums

KINDS = ("sigmoid", "hinge", "ipo", "robust")


def document(prompt: list[int], answer: list[int], row: int = 0) -> Document:
    return Document((*prompt, *answer), (False,) * len(prompt) + (True,) * len(answer), row)


def some_pairs() -> list[Pair]:
    draw = torch.Generator().manual_seed(3)

    def tokens(count: int) -> list[int]:
        return torch.randint(5, 200, (count,), generator=draw).tolist()

    pairs = []
    shared = tokens(6)
    for row, (prompt, good, bad) in enumerate([(9, 3, 5), (4, 1, 1), (12, 6, 2), (7, 4, 4)]):
        begin = shared + tokens(prompt) if row % 2 else tokens(prompt)
        pairs.append(Pair(document(begin, tokens(good), row), document(begin, tokens(bad), row), row))
    return pairs


def naive_sum(model: Any, item: Document) -> torch.Tensor:
    """Log-probability of the trained tokens: one document alone, full logits, plain autograd."""
    logits = model(input_ids=torch.tensor([item.ids]), use_cache=False).logits[0]
    steps = log_softmax(logits[:-1], dim=-1).gather(1, torch.tensor(item.ids[1:])[:, None])[:, 0]
    return steps[torch.tensor(item.trained[1:])].sum()


@pytest.fixture
def adapted(model_folder: Callable[[str], Path]) -> Any:
    """A tiny Llama with an adapter that is not zero."""
    from transformers import AutoModelForCausalLM

    from reactor_core.models.attention import DOCUMENT_ATTENTION

    model = AutoModelForCausalLM.from_pretrained(model_folder("llama"), attn_implementation=DOCUMENT_ATTENTION)
    inject_lora(model, rank=3, alpha=6, dropout_p=0, target_modules="all-linear", layers=None, rslora=False, seed=1)
    draw = torch.Generator().manual_seed(5)
    for name, parameter in model.named_parameters():
        if name.endswith("lora_B"):
            parameter.data.normal_(std=0.1, generator=draw)
    return model.train()


@pytest.mark.parametrize(
    ("kind", "smoothing", "expected"),
    [
        # beta 0.5 and margin 2 - (-1) = 3, so the scaled margin is 1.5
        ("sigmoid", 0.0, math.log1p(math.exp(-1.5))),
        ("sigmoid", 0.1, 0.9 * math.log1p(math.exp(-1.5)) + 0.1 * math.log1p(math.exp(1.5))),
        ("hinge", 0.0, 0.0),
        ("robust", 0.1, (0.9 * math.log1p(math.exp(-1.5)) - 0.1 * math.log1p(math.exp(1.5))) / 0.8),
        # means: 2 / 4 - (-1) / 2 = 1, and 1 / (2 * 0.5) = 1
        ("ipo", 0.0, 0.0),
    ],
)
def test_losses_are_those_of_the_papers(kind: Any, smoothing: float, expected: float) -> None:
    loss = pair_losses(
        torch.tensor([2.0]),
        torch.tensor([-1.0]),
        torch.tensor([[4, 2]]),
        kind=kind,
        beta=0.5,
        label_smoothing=smoothing,
    )
    assert loss.tolist() == pytest.approx([expected], abs=1e-6)


def test_hinge_and_ipo_away_from_their_minimum() -> None:
    args = (torch.tensor([0.0]), torch.tensor([1.0]), torch.tensor([[1, 2]]))
    assert pair_losses(*args, kind="hinge", beta=0.5, label_smoothing=0).tolist() == [1.5]
    assert pair_losses(*args, kind="ipo", beta=0.5, label_smoothing=0).tolist() == [(-0.5 - 1) ** 2]


@pytest.mark.parametrize("fast", [False, True])
def test_sums_are_those_of_each_document_alone(adapted: Any, fast: bool) -> None:
    pairs = some_pairs()
    form = FastLlama(adapted) if fast else None
    sums, computed = sequence_sums(adapted, pairs, form, share_prefixes=True, device="cpu")
    expected = torch.stack([torch.stack([naive_sum(adapted, item) for item in pair.documents]) for pair in pairs])
    torch.testing.assert_close(sums, expected, rtol=1e-4, atol=1e-4)
    assert computed < sum(len(item.ids) for pair in pairs for item in pair.documents)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("max_tokens", [10_000, 1])
def test_the_gradient_is_that_of_plain_autograd(adapted: Any, kind: Any, max_tokens: int) -> None:
    pairs = some_pairs()
    reference = torch.tensor([[-30.0, -35.0], [-9.0, -8.0], [-50.0, -20.0], [-33.0, -30.0]])
    parameters = [parameter for parameter in adapted.parameters() if parameter.requires_grad]
    smoothing = 0.1 if kind in ("sigmoid", "robust") else 0.0
    options: dict[str, Any] = {"kind": kind, "beta": 0.2, "label_smoothing": smoothing}

    ratios = torch.stack([torch.stack([naive_sum(adapted, item) for item in pair.documents]) for pair in pairs])
    ratios = ratios - reference
    lengths = torch.tensor([[3, 5], [1, 1], [6, 2], [4, 4]])
    expected = pair_losses(ratios[:, 0], ratios[:, 1], lengths, **options).mean()
    grads = torch.autograd.grad(expected, parameters)

    outcome = accumulate_pairs(
        adapted, pairs, reference, max_tokens=max_tokens, share_prefixes=True, fast=FastLlama(adapted), **options
    )
    assert outcome.loss == pytest.approx(expected.item(), rel=1e-4)
    for parameter, grad in zip(parameters, grads, strict=True):
        torch.testing.assert_close(parameter.grad, grad, rtol=2e-3, atol=1e-5)
    rewards = 0.2 * ratios.detach()
    assert outcome.metrics["margin"] == pytest.approx(float((rewards[:, 0] - rewards[:, 1]).mean()), rel=1e-3)
    assert outcome.metrics["accuracy"] == float((rewards[:, 0] > rewards[:, 1]).float().mean())


def test_parts_hold_whole_pairs_and_all_of_them() -> None:
    pairs = some_pairs()
    for limit in (1, 20, 40, 1000):
        parts = pair_batches(pairs, max_tokens=limit, share_prefixes=True)
        assert sorted(pair.row for part in parts for pair in part) == [0, 1, 2, 3]
    assert len(pair_batches(pairs, max_tokens=1, share_prefixes=True)) == 4
    assert len(pair_batches(pairs, max_tokens=1000, share_prefixes=True)) == 1
    assert pair_batches([], max_tokens=5, share_prefixes=True) == []


@pytest.mark.parametrize("share", [True, False])
def test_two_chosen_and_two_rejected_answers_are_four_documents(adapted: Any, share: bool) -> None:
    good, bad = ([document([7, 8, 9, 10], answer) for answer in answers] for answers in ([[5, 2], [6, 2]], [[4], [3]]))
    pairs = [Pair(a, b, row) for row, (a, b) in enumerate((a, b) for a in good for b in bad)]
    sums, computed = sequence_sums(adapted, pairs, FastLlama(adapted), share_prefixes=share, device="cpu")
    expected = torch.stack([torch.stack([naive_sum(adapted, item) for item in pair.documents]) for pair in pairs])
    torch.testing.assert_close(sums, expected, rtol=1e-4, atol=1e-4)
    # The prompt and the first tokens of the two longer answers: what comes last is only a target.
    assert computed == (4 + 2 if share else 4 * (5 + 4))
    parameters = [parameter for parameter in adapted.parameters() if parameter.requires_grad]
    weights = torch.arange(8.0).view(4, 2) - 3
    found = torch.autograd.grad((sums * weights).sum(), parameters)
    for mine, reference in zip(found, torch.autograd.grad((expected * weights).sum(), parameters), strict=True):
        torch.testing.assert_close(mine, reference, rtol=2e-3, atol=1e-5)
    assert len(pair_batches(pairs, max_tokens=8, share_prefixes=True)) == 2


@pytest.mark.peer
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_loss_and_gradient_are_those_of_trl(
    adapted: Any, model_folder: Callable[[str], Path], tmp_path: Path, kind: Any
) -> None:
    """The same pairs, the same adapter and the same reference, through TRL's own loss."""
    datasets = pytest.importorskip("datasets")
    trl = pytest.importorskip("trl")
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer

    pairs = some_pairs()
    smoothing = 0.1 if kind == "robust" else 0.0
    theirs = trl.DPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(model_folder("llama")),
        args=trl.DPOConfig(
            output_dir=str(tmp_path), beta=0.2, loss_type=[kind], label_smoothing=smoothing, report_to="none",
            use_cpu=True, gradient_checkpointing=False, bf16=False,
        ),
        processing_class=AutoTokenizer.from_pretrained(model_folder("llama")),
        train_dataset=datasets.Dataset.from_list([{"prompt": "a", "chosen": "b", "rejected": "c"}] * 4),
        peft_config=LoraConfig(r=3, lora_alpha=6, target_modules="all-linear", task_type="CAUSAL_LM"),
    )  # fmt: skip
    ours = {name: value for name, value in adapted.named_parameters() if value.requires_grad}
    own = {
        name.removeprefix("base_model.model.").replace(".default.weight", ""): value
        for name, value in theirs.model.named_parameters()
        if value.requires_grad
    }
    assert own.keys() == ours.keys()
    for name, value in own.items():
        value.data.copy_(ours[name].data)
    items = [pair.chosen for pair in pairs] + [pair.rejected for pair in pairs]
    longest = max(len(item.ids) for item in items)
    inputs = {"input_ids": [], "attention_mask": [], "completion_mask": []}
    for item in items:
        empty = [0] * (longest - len(item.ids))
        inputs["input_ids"].append([*item.ids, *empty])
        inputs["attention_mask"].append([1] * len(item.ids) + empty)
        inputs["completion_mask"].append([*map(int, item.trained), *empty])
    batch = {name: torch.tensor(value) for name, value in inputs.items()}
    expected = theirs.compute_loss(theirs.model, batch)
    expected.backward()

    with torch.no_grad(), adapter_off(adapted):
        reference, _ = sequence_sums(adapted, pairs, None, share_prefixes=True, device="cpu")
    outcome = accumulate_pairs(
        adapted, pairs, reference, kind=kind, beta=0.2, label_smoothing=smoothing, max_tokens=10_000,
        share_prefixes=True, fast=FastLlama(adapted),
    )  # fmt: skip
    assert outcome.loss == pytest.approx(expected.item(), rel=1e-4)
    for name, value in ours.items():
        torch.testing.assert_close(value.grad, own[name].grad, rtol=2e-3, atol=1e-5)
