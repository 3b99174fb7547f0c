import pytest

from a1_reactor.eval.embedding_convert import main

torch = pytest.importorskip("torch", reason="needs the extra [train]")
NAMES = ("_conv_stem.weight", "_blocks.15._project_conv.weight", "_conv_head.weight", "_bn1.running_var")


def test_tensors_of_the_network_are_kept_and_its_classifier_is_not(tmp_path):
    from safetensors.torch import load_file

    state = {name: torch.ones(2) for name in (*NAMES, "_fc.weight", "_bn1.num_batches_tracked")}
    torch.save(state, tmp_path / "in.pth")
    assert main([str(tmp_path / "in.pth"), str(tmp_path / "out.safetensors")]) == 0
    assert set(load_file(tmp_path / "out.safetensors")) == set(NAMES)


def test_another_network_is_refused_by_name(tmp_path):
    torch.save({"_conv_stem.weight": torch.ones(2)}, tmp_path / "in.pth")
    with pytest.raises(ValueError, match=r"_blocks\.15"):
        main([str(tmp_path / "in.pth"), str(tmp_path / "out.safetensors")])


def test_code_in_the_pickle_does_not_run(tmp_path):
    import pickle

    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"_conv_stem.weight": Evil()}, tmp_path / "in.pth")
    with pytest.raises(pickle.UnpicklingError):
        main([str(tmp_path / "in.pth"), str(tmp_path / "out.safetensors")])
    assert not (tmp_path / "ran").exists()
