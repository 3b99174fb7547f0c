import numpy as np
import pytest

from a1_reactor.eval.embedding_net import STRIDES, Embedder, cosine
from reactor_core.errors import MissingExtra

torch = pytest.importorskip("torch", reason="needs the extra [train]")


@pytest.fixture(scope="module")
def small_net(tmp_path_factory):
    """The network's shape with 4 channels everywhere and random weights."""
    from safetensors.torch import save_file

    generator = torch.Generator().manual_seed(0)
    weights = {}

    def norm(name, channels):
        for part, value in (("running_mean", 0.0), ("running_var", 1.0), ("weight", 1.0), ("bias", 0.1)):
            weights[f"{name}.{part}"] = torch.full((channels,), value)

    def conv(name, out, into, size):
        weights[f"{name}.weight"] = torch.randn(out, into, size, size, generator=generator) * 0.5

    conv("_conv_stem", 4, 3, 3)
    norm("_bn0", 4)
    for number in range(len(STRIDES)):
        name = f"_blocks.{number}."
        if number:
            conv(f"{name}_expand_conv", 8, 4, 1)
            norm(f"{name}_bn0", 8)
        width = 8 if number else 4
        conv(f"{name}_depthwise_conv", width, 1, 3)
        norm(f"{name}_bn1", width)
        conv(f"{name}_project_conv", 4, width, 1)
        norm(f"{name}_bn2", 4)
    conv("_conv_head", 16, 4, 1)
    norm("_bn1", 16)
    path = tmp_path_factory.mktemp("net") / "net.safetensors"
    save_file(weights, path)
    return Embedder(path)


def test_embeddings_have_length_one_and_equal_frames_are_alike(small_net):
    frames = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3), dtype=np.uint8)
    first, again, other = small_net.embed([frames[0], frames[0], frames[1]])
    assert first.shape == (16,)
    assert np.linalg.norm(first) == pytest.approx(1)
    assert cosine(first, again) == pytest.approx(1)
    assert cosine(first, other) < 0.9999


def test_padding_is_tensorflows(small_net):
    # 4 pixels, a kernel of 3 and steps of 2 need 1 pixel of padding, which comes behind: windows start at 0 and 2.
    net = Embedder.__new__(Embedder)
    net._weights = {
        "sum.weight": torch.ones(1, 1, 3, 3),
        "norm.running_mean": torch.zeros(1),
        "norm.running_var": torch.ones(1) - 1e-3,
        "norm.weight": torch.ones(1),
        "norm.bias": torch.zeros(1),
    }
    rows = torch.arange(16.0).reshape(1, 1, 4, 4)
    summed = net._convolved(rows, "sum", "norm", stride=2)
    expected = [
        [0 + 1 + 2 + 4 + 5 + 6 + 8 + 9 + 10, 2 + 3 + 6 + 7 + 10 + 11],
        [8 + 9 + 10 + 12 + 13 + 14, 10 + 11 + 14 + 15],
    ]
    assert summed[0, 0].tolist() == [pytest.approx(row) for row in expected]


def test_without_torch_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr("reactor_core.utils.extras.installed", lambda module: False)
    with pytest.raises(MissingExtra, match=r"\[train\]"):
        Embedder(tmp_path / "none")
