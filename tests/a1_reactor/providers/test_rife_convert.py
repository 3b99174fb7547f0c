import pytest

torch = pytest.importorskip("torch", reason="needs the extra [train]")

from safetensors.torch import load_file  # noqa: E402

from a1_reactor.providers.rife_convert import main  # noqa: E402


class Trap:
    """Unpickling it would make a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def weights():
    return {f"module.block{n}.lastconv.weight": torch.full((2, 5, 4, 4), float(n)) for n in range(4)}


def test_the_blocks_are_kept_under_their_short_names(tmp_path):
    torch.save({**weights(), "module.unet.down0.weight": torch.zeros(1)}, tmp_path / "in.pkl")
    assert main([str(tmp_path / "in.pkl"), str(tmp_path / "out.safetensors")]) == 0
    kept = load_file(tmp_path / "out.safetensors")
    assert sorted(kept) == [f"block{n}.lastconv.weight" for n in range(4)]
    assert float(kept["block3.lastconv.weight"].mean()) == 3


def test_a_pickle_that_would_run_code_is_refused_and_does_not_run(tmp_path):
    torch.save({**weights(), "trap": Trap(tmp_path / "ran")}, tmp_path / "in.pkl")
    with pytest.raises(Exception, match=r"[Ww]eights"):
        main([str(tmp_path / "in.pkl"), str(tmp_path / "out.safetensors")])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.pkl"]


def test_another_network_is_refused(tmp_path):
    torch.save({"module.block0.lastconv.weight": torch.zeros(1)}, tmp_path / "in.pkl")
    with pytest.raises(ValueError, match=r"no block1\.lastconv\.weight"):
        main([str(tmp_path / "in.pkl"), str(tmp_path / "out.safetensors")])
