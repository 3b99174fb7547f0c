from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from reactor_core.data.packing import Document, pack
from reactor_core.errors import ConfigError
from reactor_core.training.lora import inject_lora, lora_modules
from reactor_core.training.step import accumulate, batch_loss, recompute_activations

MakeModel = Callable[[str], Path]


def load(folder: Path, attention: str = "reactor_documents") -> Any:
    from transformers import AutoModelForCausalLM

    import reactor_core.models.attention  # noqa: F401  registers the function

    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation=attention)


def document(ids: list[int], trained: list[int], row: int) -> Document:
    return Document(tuple(ids), tuple(place in trained for place in range(len(ids))), row)


# Lengths that differ, two shared beginnings, one prompt with two answers, a row trained in two places.
DOCUMENTS = [
    document([5, 6, 7, 8, 20, 21, 2], [5, 6], 0),
    document([5, 6, 7, 8, 30, 2], [4, 5], 1),
    document([5, 6, 7, 8, 30, 2], [4, 5], 2),
    document([5, 6, 7, 8, 31, 2], [4, 5], 3),
    document([9, 10, 11, 2, 12, 13, 14, 15, 16, 2, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26], [2, 3, 8, 9, 19], 4),
    document([40, 41, 2], [1, 2], 5),
]


def naive_gradients(folder: Path, *, lora: bool) -> tuple[float, dict[str, torch.Tensor]]:
    """One document at a time through transformers' own attention and loss, plain autograd."""
    model = prepare(load(folder, "eager"), lora)
    trained = sum(document.num_trained for document in DOCUMENTS)
    total = 0.0
    for row in DOCUMENTS:
        ids = torch.tensor([row.ids])
        labels = torch.tensor([[token if flag else -100 for token, flag in zip(row.ids, row.trained, strict=True)]])
        loss = model(ids, labels=labels).loss * row.num_trained / trained
        loss.backward()
        total += float(loss.detach())
    return total, {name: value.grad for name, value in model.named_parameters() if value.grad is not None}


def prepare(model: Any, lora: bool) -> Any:
    if lora:
        inject_lora(model, rank=4, alpha=8.0, seed=2)
        generator = torch.Generator().manual_seed(1)
        for _, module in lora_modules(model):
            module.lora_B.data.normal_(std=0.1, generator=generator)
    return model.train()


@pytest.mark.parametrize("family", ["llama", "qwen2", "gpt2"])
@pytest.mark.parametrize("lora", [True, False], ids=["lora", "full"])
@pytest.mark.parametrize(("share", "limit"), [(True, 1000), (False, 1000), (True, 12)])
def test_a_packed_step_equals_one_document_at_a_time(
    family: str, lora: bool, share: bool, limit: int, model_folder: MakeModel
) -> None:
    loss, reference = naive_gradients(model_folder(family), lora=lora)
    model = prepare(load(model_folder(family)), lora)
    ours, trained, _ = accumulate(model, DOCUMENTS, max_tokens=limit, share_prefixes=share)
    assert trained == 15
    assert ours == pytest.approx(loss, rel=1e-5)
    grads = {name: value.grad for name, value in model.named_parameters() if value.grad is not None}
    assert grads.keys() == reference.keys()
    for name, grad in grads.items():
        scale = float(reference[name].abs().max()) + 1e-6
        assert torch.allclose(grad, reference[name], atol=2e-5 * scale + 1e-7, rtol=1e-4), name


def test_shared_beginnings_are_computed_once(model_folder: MakeModel) -> None:
    model = prepare(load(model_folder("llama")), lora=True)
    _, _, computed = accumulate(model, DOCUMENTS, max_tokens=1000, share_prefixes=True)
    # 5 6 7 8 | 20 21 | 30 | 31, then 19 and 2 of the others; targets that end a row are not computed.
    assert computed == 4 + 2 + 1 + 1 + 19 + 2


def test_a_model_that_softcaps_its_logits_goes_through_its_own_head(tmp_path: Path) -> None:
    from transformers import Gemma2Config, Gemma2ForCausalLM

    config = Gemma2Config(
        vocab_size=60, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=8, final_logit_softcapping=2.0, attn_logit_softcapping=None,
        initializer_range=0.2, sliding_window=64,
    )  # fmt: skip
    torch.manual_seed(3)
    Gemma2ForCausalLM(config).save_pretrained(tmp_path)
    loss, _ = naive_gradients(tmp_path, lora=False)
    ours, _, _ = accumulate(load(tmp_path), DOCUMENTS, max_tokens=1000, share_prefixes=True)
    assert ours == pytest.approx(loss, rel=1e-5)


def test_a_model_with_another_attention_is_refused(model_folder: MakeModel) -> None:
    with pytest.raises(ConfigError, match="documents would see each other"):
        batch_loss(load(model_folder("llama"), "sdpa"), pack(DOCUMENTS))


def test_gradient_checkpointing_gives_the_same_gradients(model_folder: MakeModel) -> None:
    def gradients(checkpointing: bool) -> list[torch.Tensor]:
        model = prepare(load(model_folder("llama")), lora=True)
        if checkpointing:
            recompute_activations(model)
        accumulate(model, DOCUMENTS, max_tokens=1000, share_prefixes=True)
        return [value.grad for value in model.parameters() if value.requires_grad]

    for plain, recomputed in zip(gradients(False), gradients(True), strict=True):
        assert torch.allclose(plain, recomputed, atol=1e-6)
