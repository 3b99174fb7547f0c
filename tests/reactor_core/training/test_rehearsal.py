import pytest
import torch
from tests.reactor_core.training.families import DOCUMENTS
from transformers import AutoModelForCausalLM, LlamaConfig

from reactor_core.data.packing import pack
from reactor_core.models.attention import DOCUMENT_ATTENTION
from reactor_core.training.config import TrainingConfig
from reactor_core.training.llama import FastLlama, why_not_fast
from reactor_core.training.prepare import adapt
from reactor_core.training.rehearsal import Ledger, rehearse, rehearse_deep
from reactor_core.training.sketch import sketch_model
from reactor_core.training.step import batch_log_probs, batch_loss

KINDS = [
    pytest.param("llama", {}, id="fast"),
    pytest.param("llama", {"use_lora": False}, id="full"),
    pytest.param("llama", {"method": "dpo"}, id="dpo"),
    pytest.param("qwen2", {}, id="generic"),
    pytest.param("qwen2", {"gradient_checkpointing": True}, id="recomputed"),
]


def test_a_ledger_counts_what_lives():
    with Ledger() as ledger:
        a = torch.empty(1000, dtype=torch.float32)
        b = a * 2
        assert ledger.now == 8000
        view = a[10:]
        assert ledger.now == 8000, "a view is no storage of its own"
        del b
        assert ledger.now == 4000
        del a
        assert ledger.now == 4000, "the view holds it"
        assert ledger.mark() == 8000
        assert ledger.peak == 4000
    assert len(view) == 990


def test_what_was_there_before_counts_nothing():
    weight = torch.ones(1000)
    with Ledger([weight]) as ledger:
        weight.t()
        assert ledger.now == 0


@pytest.mark.parametrize(("family", "options"), KINDS)
def test_a_rehearsal_counts_what_the_real_step_holds(model_folder, family, options):
    """The reference is the same ledger over the real model with its real weights."""
    config = TrainingConfig(lora_rank=4, **options)
    sketch = sketch_model(model_folder(family), config)
    adapt(sketch, config)
    found = rehearse(sketch, DOCUMENTS, config, share_prefixes=True)

    model = AutoModelForCausalLM.from_pretrained(model_folder(family), attn_implementation=DOCUMENT_ATTENTION)
    adapt(model, config)
    fast = None if config.gradient_checkpointing or why_not_fast(model) is not None else FastLlama(model)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    batch = pack(DOCUMENTS)
    with Ledger([*model.parameters(), *model.buffers()]) as ledger:
        loss = (batch_loss if config.method == "sft" else batch_log_probs)(model, batch, fast).sum()
        torch.autograd.backward(loss)
    masks = 4 * 40 * 40 * 4  # what is left out: a float for each hidden place of the packed row and each head
    assert abs(found.peak - ledger.peak) <= masks + 0.02 * ledger.peak
    assert found.gradients == sum(parameter.nbytes for parameter in trained)
    assert found.tokens == len(batch.input_ids)


def test_a_deep_model_is_rehearsed_with_few_layers(tmp_path):
    """The reference is the whole model, layer by layer."""
    LlamaConfig(
        vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=6, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=64, architectures=["LlamaForCausalLM"],
    ).save_pretrained(tmp_path)  # fmt: skip
    documents = [document for document in DOCUMENTS if max(document.ids) < 64]
    for options in ({"use_lora": False}, {"layers": 5}):
        config = TrainingConfig(lora_rank=4, **options)

        def make(config=config):
            model = sketch_model(tmp_path, config)
            adapt(model, config)
            return model

        deep = rehearse_deep(make, documents, config, share_prefixes=True)
        whole = rehearse(make(), documents, config, share_prefixes=True)
        assert (deep.kept, deep.early, deep.gradients) == (whole.kept, whole.early, whole.gradients)
        assert deep.flops == pytest.approx(whole.flops, rel=0.05)


def test_operations_are_those_of_the_matrices(model_folder):
    config = TrainingConfig(lora_rank=4)
    model = sketch_model(model_folder("llama"), config)
    adapt(model, config)
    found = rehearse(model, DOCUMENTS, config, share_prefixes=True)
    adapter = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    body = sum(p.numel() for p in model.model.layers.parameters() if p.ndim == 2 and not p.requires_grad)
    # A weight is used twice a token on the way forward, and as often on the way back; an adapter's once more for its
    # own gradient. Attention, the head and the skipped half of the last layer are what is left.
    assert found.flops == pytest.approx(found.tokens * (4 * body + 6 * adapter), rel=0.35)
    assert 0.4 < found.forward_flops / found.flops < 0.6
