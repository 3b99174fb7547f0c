import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM
from transformers.pytorch_utils import Conv1D

from reactor_core.errors import ArtifactCorrupt
from reactor_core.models.quantize import Nf4Linear
from reactor_core.training.config import TrainingConfig
from reactor_core.training.prepare import adapt
from reactor_core.training.sketch import Nf4Sketch, depth_of, keep_top_layers, shape_of, sketch_model, weight_bytes


@pytest.mark.parametrize("family", ["llama", "qwen2", "gpt2"])
def test_a_sketch_has_every_weight_of_the_model_and_no_content(model_folder, family):
    folder = model_folder(family)
    real = AutoModelForCausalLM.from_pretrained(folder)
    sketch = sketch_model(folder, TrainingConfig())
    assert {n: p.shape for n, p in sketch.named_parameters()} == {n: p.shape for n, p in real.named_parameters()}
    assert all(parameter.is_meta for parameter in sketch.parameters())


def test_shared_weights_count_once_and_an_adapter_apart(model_folder):
    folder = model_folder("llama")
    real = AutoModelForCausalLM.from_pretrained(folder)
    model = sketch_model(folder, TrainingConfig())
    adapt(model, TrainingConfig(lora_rank=4))
    frozen, trained = weight_bytes(model)
    buffers = sum(value.nbytes for value in model.buffers())
    assert frozen == 4 * sum(parameter.numel() for parameter in real.parameters()) + buffers
    # Rank 4 on a layer's q, k, v, o (32 to 32, 16, 16, 32), gate, up (32 to 48) and down (48 to 32); three layers.
    assert trained == 4 * 3 * 4 * (2 * 64 + 2 * 48 + 3 * 80)


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("layer", [nn.Linear(96, 200, bias=False), Conv1D(40, 32)])
def test_four_bits_take_what_bitsandbytes_takes(layer, double):
    pytest.importorskip("bitsandbytes")
    real = Nf4Linear(layer, double_quantization=double)
    sketch = Nf4Sketch(layer.to("meta"), double_quantization=double)
    assert sketch.nbytes == real.nbytes
    assert sketch.weight.shape == real.weight.shape


def test_the_top_layers_are_kept(model_folder):
    model = sketch_model(model_folder("llama"), TrainingConfig(quantization="nf4"))
    assert shape_of(model) == (32, 3)
    top = model.model.layers[2]
    assert keep_top_layers(model, 1)
    assert list(model.model.layers) == [top]
    assert depth_of(model) == 3
    assert not keep_top_layers(model, 1), "the list of layers is no longer as long as the model says"


def test_a_folder_that_describes_no_model_is_named(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "no-such"}')
    with pytest.raises(ArtifactCorrupt, match="describes no causal model"):
        sketch_model(tmp_path, TrainingConfig())
    assert torch.get_default_device().type == "cpu"
