from fractions import Fraction

import pytest
from tests.a1_reactor.media.videos import counting, write_video

from a1_reactor.engine.importing import ImportedVideo, import_clip
from a1_reactor.media.import_video import open_video
from a1_reactor.storage.sources import SourceStore, source_of
from a1_reactor.types import Window
from reactor_core.errors import ProviderError, SpecError


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Ten frames at 25 a second with a tone."""
    return write_video(
        tmp_path_factory.mktemp("film") / "harbour.mp4", counting(), [index * 40 for index in range(10)], tone=440
    )


def test_a_file_becomes_a_clip_and_is_kept(engine, film):
    clip = import_clip(engine, film).clip
    spec = clip.job.resolved
    assert (spec.fps, spec.frames, spec.pixel_size, spec.prompt) == (25, 10, (64, 64), "imported from harbour.mp4")
    assert [round((int(clip.frame(index)[32, 32, 1]) - 16) / 8) for index in range(10)] == list(range(10))
    kept = SourceStore(engine.config.workspace).open(source_of(clip.job))
    assert kept.path.read_bytes() == film.read_bytes()
    assert clip.job.origin.metadata["source"]["sound"] == "aac"


def test_imported_again_it_is_the_same_clip_and_at_another_rate_another_one(engine, film):
    first = import_clip(engine, film)
    assert import_clip(engine, film).reused
    faster = import_clip(engine, film, fps=Fraction(50))
    assert (faster.clip.frame_count, faster.reused) == (20, False)
    assert "resampled" in faster.notes[-1]
    assert first.clip.key != faster.clip.key


def test_a_window_of_it_is_regenerated_and_the_child_knows_the_file(engine, spec, film):
    parent = import_clip(engine, film, prompt="a harbour").clip
    asked = spec(prompt="fog", fps=25, seconds="0.4", width=64, height=64, windows=(Window(3, 6),))
    child = engine.regen(asked, parent=parent).clip
    assert source_of(child.job) == source_of(parent.job)
    same = [old == new for old, new in zip(parent.manifest.frames, child.manifest.frames, strict=True)]
    assert [index for index, equal in enumerate(same) if not equal] == [3, 4, 5]


def test_a_file_that_is_refused_is_not_kept(engine, tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"no film" * 100)
    with pytest.raises(SpecError):
        import_clip(engine, path)
    assert not SourceStore(engine.config.workspace).folder.exists()


def test_a_generated_clip_comes_from_no_file(engine, spec):
    clip = engine.generate(spec(seconds="1/24", metadata={"source": {"sha256": "0" * 64}})).clip
    assert source_of(clip.job) is None


def test_a_file_makes_no_new_frames(engine, film):
    with SourceStore(engine.config.workspace).held(film) as source:
        provider = ImportedVideo(source, open_video(source.path))
    with pytest.raises(ProviderError, match="no new frames"):
        provider.regen_frames(None, None, ())
