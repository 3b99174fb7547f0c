import pytest

from a1_reactor.engine.stages import Stages, overall_share


def test_stages_add_up_by_name():
    stages = Stages()
    for _ in range(3):
        with stages.stage("encode"):
            sum(range(10_000))
    document = stages.to_json()
    assert set(document) == {"encode", "total"}
    assert 0 < document["encode"]["wall_ms"] <= document["total"]["wall_ms"] + 0.1


def test_a_stage_that_fails_is_counted_too():
    stages = Stages()
    with pytest.raises(ValueError, match="x"), stages.stage("score"):
        raise ValueError("x")
    assert "score" in stages.to_json()


def test_drawing_passes_everything_on():
    assert list(Stages().drawn("provider", iter([1, 2, 3]))) == [1, 2, 3]


def test_the_share_of_a_regeneration_only_grows():
    shares = [
        overall_share(stage, done, 4)
        for stage in ("base", "prepare", "regen", "blend", "preview", "score", "stitch")
        for done in range(5)
    ]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
