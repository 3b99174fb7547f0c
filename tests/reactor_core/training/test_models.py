"""Every causal family through the generic path: what is packed equals what is computed one document at a time."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reactor_core.training.families import DOCUMENTS, FAMILIES, PAIRS, adapt, alone, document, tiny

from reactor_core.data.packing import Document, pack
from reactor_core.training.isolation import require_isolation
from reactor_core.training.preference import accumulate_pairs, pair_losses
from reactor_core.training.step import accumulate, batch_log_probs, recompute_activations

MAIN = ("llama", "mistral", "qwen2", "qwen3", "gemma2", "gemma3_text", "phi3", "gpt2")
"""Of these the gradients are compared as well."""

Gradients = dict[str, torch.Tensor]


def gradients(model: Any) -> Gradients:
    return {name: value.grad for name, value in model.named_parameters() if value.grad is not None}


def assert_equal(ours: Gradients, reference: Gradients, tolerance: float = 1e-5) -> None:
    """Differences against the largest entry of the same gradient: float32 sums in another order differ by 1e-6."""
    assert ours.keys() == reference.keys()
    for name, grad in ours.items():
        scale = float(reference[name].abs().max()) + 1e-6
        assert float((grad - reference[name]).abs().max()) <= tolerance * scale, name


def one_at_a_time(family: str, *, lora: bool) -> tuple[float, Gradients]:
    """The mean loss of a step, and its gradient by plain autograd through the model's own attention."""
    model = adapt(tiny(family, own=True), lora=lora)
    total = sum(item.num_trained for item in DOCUMENTS)
    loss = -torch.cat([alone(model, item) for item in DOCUMENTS]).sum() / total
    loss.backward()
    return loss.item(), gradients(model)


@pytest.mark.parametrize("family", FAMILIES)
def test_log_probabilities_are_those_of_each_document_alone(family: str) -> None:
    own, model = tiny(family, own=True), tiny(family)
    with torch.no_grad():
        expected = torch.cat([alone(own, item) for item in DOCUMENTS])
        for share in (True, False):
            packed = batch_log_probs(model, pack(DOCUMENTS, share_prefixes=share))
            torch.testing.assert_close(packed, expected, rtol=1e-5, atol=1e-5)
        # A plain call, as in serving, is the model's own too.
        torch.testing.assert_close(alone(model, DOCUMENTS[3]), alone(own, DOCUMENTS[3]), rtol=1e-5, atol=1e-5)
    require_isolation(model, DOCUMENTS)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_changed_document_changes_no_other(family: str) -> None:
    model = tiny(family)
    changed = list(DOCUMENTS)
    changed[3] = document([60 + place for place in range(20)], [2, 3, 8, 9, 19], 3)
    with torch.no_grad():
        before, after = (batch_log_probs(model, pack(items)) for items in (DOCUMENTS, changed))
    other = pack(DOCUMENTS).owner != 3
    assert not torch.allclose(before[~other], after[~other], atol=1e-2)
    torch.testing.assert_close(before[other], after[other], rtol=0, atol=1e-6)


@pytest.mark.parametrize("family", MAIN)
@pytest.mark.parametrize("lora", [True, False], ids=["lora", "full"])
def test_a_step_is_that_of_one_document_at_a_time(family: str, lora: bool) -> None:
    loss, reference = one_at_a_time(family, lora=lora)
    for share, limit in ((True, 1000), (False, 1000), (True, 12)):
        model = adapt(tiny(family), lora=lora)
        ours, trained, _ = accumulate(model, DOCUMENTS, max_tokens=limit, share_prefixes=share)
        assert trained == sum(item.num_trained for item in DOCUMENTS)
        assert ours == pytest.approx(loss, rel=1e-5)
        assert_equal(gradients(model), reference)


@pytest.mark.parametrize("family", MAIN)
def test_recomputed_activations_give_the_same_gradients(family: str) -> None:
    plain, recomputed = (adapt(tiny(family), lora=True) for _ in range(2))
    recompute_activations(recomputed)
    for model in (plain, recomputed):
        accumulate(model, DOCUMENTS, max_tokens=1000, share_prefixes=True)
    assert_equal(gradients(recomputed), gradients(plain))


@pytest.mark.parametrize("family", MAIN)
@pytest.mark.parametrize("lora", [True, False], ids=["lora", "full"])
def test_a_preference_step_is_that_of_four_plain_calls(family: str, lora: bool) -> None:
    reference = torch.tensor([[-20.0, -19.0], [-12.0, -18.0]])
    options: dict[str, Any] = {"kind": "sigmoid", "beta": 0.3, "label_smoothing": 0.1}
    own = adapt(tiny(family, own=True), lora=lora)
    sums = torch.stack([torch.stack([alone(own, item).sum() for item in pair.documents]) for pair in PAIRS])
    ratios = sums - reference
    lengths = torch.tensor([[item.num_trained for item in pair.documents] for pair in PAIRS])
    loss = pair_losses(ratios[:, 0], ratios[:, 1], lengths, **options).mean()
    loss.backward()
    model = adapt(tiny(family), lora=lora)
    outcome = accumulate_pairs(model, PAIRS, reference, max_tokens=1000, share_prefixes=True, **options)
    assert outcome.loss == pytest.approx(loss.item(), rel=1e-5)
    assert_equal(gradients(model), gradients(own), tolerance=2e-5)


@settings(max_examples=8, deadline=None)
@given(order=st.permutations(range(len(DOCUMENTS))), limit=st.integers(1, 60), share=st.booleans())
def test_neither_order_nor_memory_limit_changes_a_step(order: list[int], limit: int, share: bool) -> None:
    reference, model = adapt(tiny("gemma2"), lora=True), adapt(tiny("gemma2"), lora=True)
    expected, *_ = accumulate(reference, DOCUMENTS, max_tokens=1000, share_prefixes=True)
    items: list[Document] = [DOCUMENTS[place] for place in order]
    loss, *_ = accumulate(model, items, max_tokens=limit, share_prefixes=share)
    assert loss == pytest.approx(expected, rel=1e-5)
    assert_equal(gradients(model), gradients(reference))


@pytest.mark.parametrize("where", ["adapter", "attention"])
def test_what_is_dropped_depends_on_the_seed_alone(where: str) -> None:
    def step(seed: int) -> float:
        model = tiny("gpt2")
        if where == "attention":
            for layer in model.base_model.h:
                layer.attn.attn_dropout.p = 0.3
        model = adapt(model, lora=True)
        if where == "adapter":
            for module in model.modules():
                if hasattr(module, "dropout_p"):
                    module.dropout_p = 0.3
        torch.manual_seed(99 + seed)  # the state outside is no part of it
        return accumulate(model, DOCUMENTS, max_tokens=20, share_prefixes=False, seed=seed)[0]

    first = step(5)
    assert step(5) == first
    assert step(6) != first


def test_dropping_hides_nothing_from_other_documents() -> None:
    """With attention dropout the documents stay apart: masks are drawn, but none reaches across."""
    model = adapt(tiny("gpt2"), lora=True)
    for layer in model.base_model.h:
        layer.attn.attn_dropout.p = 0.3
    changed = [DOCUMENTS[0], document([60, 61, 62, 63, 64, 2], [4, 5], 1)]
    with torch.no_grad():
        results = []
        for items in (DOCUMENTS[:2], changed):
            torch.manual_seed(3)
            results.append(batch_log_probs(model, pack(items, share_prefixes=False)))
    own = pack(DOCUMENTS[:2], share_prefixes=False).owner == 0
    assert torch.equal(results[0][own], results[1][own])
    assert not torch.equal(results[0][~own], results[1][~own])


@pytest.mark.parametrize("family", ["llama", "mistral", "gemma2", "gemma3_text"])
def test_a_padded_batch_is_continued_as_by_the_models_own_attention(family: str) -> None:
    """Through the cache, past the window: what is trained here is what is served."""
    ids = torch.tensor([[0, 0, 0, 5, 6, 7, 8], [9, 10, 11, 12, 13, 14, 15]])
    found = [
        model.generate(
            input_ids=ids, attention_mask=(ids != 0).long(), max_new_tokens=8, do_sample=False, eos_token_id=-1,
            pad_token_id=0, return_dict_in_generate=True, output_logits=True,
        )
        for model in (tiny(family), tiny(family, own=True))
    ]  # fmt: skip
    torch.testing.assert_close(torch.stack(found[0].logits), torch.stack(found[1].logits), rtol=1e-4, atol=1e-4)
