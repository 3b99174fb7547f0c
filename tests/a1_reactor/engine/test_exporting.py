import json
import zipfile

import numpy as np
import pytest
from PIL import Image
from tests.a1_reactor.media.videos import counting, write_video

from a1_reactor.engine.exporting import export_clip, sound_of
from a1_reactor.engine.importing import import_clip
from a1_reactor.media.mp4 import decode_frames
from a1_reactor.media.png import decode_png
from reactor_core.errors import ArtifactCorrupt, NotFound, SpecError, StorageError


@pytest.fixture(scope="module")
def made(make_engine, tmp_path_factory):
    """Workspace, a clip of a film with sound, and a generated clip."""
    folder = tmp_path_factory.mktemp("exporting")
    engine, spec = make_engine(folder / "a1r")
    film = write_video(folder / "harbour.mp4", counting(), [index * 40 for index in range(10)], tone=440)
    return engine.config.workspace, import_clip(engine, film).clip, engine.generate(spec(seconds="1/4")).clip


@pytest.fixture
def export(made, tmp_path):
    """Export the film's clip, or another one, under a name."""

    def write(name, clip=made[1], **options):
        return export_clip(clip, tmp_path / name, workspace=made[0], **options)

    return write


def test_an_mp4_has_the_clips_frames_and_the_films_sound(export, made):
    written = export("a.mp4")
    assert written.notes == ("sound copied (aac)",)
    assert (written.frames, written.size, written.signed) == (10, written.path.stat().st_size, False)
    pairs = zip(decode_frames(written.path), decode_frames(made[1].artifact), strict=True)
    assert all(np.array_equal(ours, theirs) for ours, theirs in pairs)


def test_muted_or_without_a_film_there_is_no_sound(export, made):
    assert export("a.mp4", mute=True).notes == ()
    assert export("b.mp4", made[2]).notes == ()
    assert sound_of(made[2], made[0]) is None


def test_a_webm_and_a_gif_say_what_they_changed(export):
    assert export("a.webm").notes == ("sound encoded anew (aac)", "frames encoded anew as VP9")
    gif = export("a.gif", gif_width=32)
    assert gif.notes == ("256 colours", "without the sound")
    with Image.open(gif.path) as image:
        assert (image.n_frames, image.size) == (10, (32, 32))


def test_a_zip_holds_the_very_files_of_the_frames(export, made):
    with zipfile.ZipFile(export("a.zip").path) as archive:
        names = archive.namelist()
        assert names == [*(f"frames/{index:06d}.png" for index in range(10)), "clip.json"]
        for index in range(10):
            data = archive.read(names[index])
            assert data == made[1].frame_path(index).read_bytes()
            assert np.array_equal(decode_png(data, width=64, height=64, where=names[index]), made[1].frame(index))
        assert json.loads(archive.read("clip.json"))["clip"] == made[1].key


def test_progress_goes_up_to_its_end(export):
    for name in ("a.mp4", "a.webm", "a.gif", "a.zip"):
        told = []
        export(name, progress=lambda stage, done, total, told=told: told.append((done, total)))
        assert told[-1][0] == told[-1][1]
        assert told == sorted(told)


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("a.avi", {}, "mp4, webm, gif, zip"),
        ("a", {}, "no known ending"),
        ("a.webm", {"sign": lambda old, new: None}, "cannot be signed"),
        ("a.mp4", {"gif_width": 64}, "only GIFs"),
        ("a.gif", {"gif_width": 5}, "width=5"),
    ],
)
def test_what_does_not_go_together_is_refused(export, name, options, says):
    with pytest.raises(SpecError) as caught:
        export(name, **options)
    assert says in f"{caught.value.message} {caught.value.remedy}"


def test_a_file_that_is_there_is_replaced_only_where_that_is_asked_for(export, tmp_path):
    (tmp_path / "a.mp4").write_text("mine")
    with pytest.raises(SpecError, match="is there already"):
        export("a.mp4")
    assert (tmp_path / "a.mp4").read_text() == "mine"
    export("a.mp4", force=True)
    with pytest.raises(NotFound, match="no folder"):
        export("none/a.mp4")


def test_a_failure_leaves_nothing_and_keeps_the_old_file(export, tmp_path, monkeypatch):
    (tmp_path / "a.mp4").write_text("mine")

    def fails(old, new):
        new.write_text("half")
        raise StorageError("the pen broke")

    with pytest.raises(StorageError, match="pen"):
        export("a.mp4", sign=fails, force=True)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir() if path.is_file()] == [("a.mp4", "mine")]


def test_a_clip_whose_files_were_changed_is_not_exported(made, make_engine, tmp_path):
    engine, spec = make_engine(tmp_path / "a1r")
    clip = engine.generate(spec(seconds="1/8")).clip
    clip.frame_path(1).chmod(0o644)
    clip.frame_path(1).write_bytes(made[2].frame_path(0).read_bytes())
    with pytest.raises(ArtifactCorrupt):
        export_clip(clip, tmp_path / "a.zip", workspace=tmp_path / "a1r")
    data = bytearray(clip.artifact.read_bytes())
    data[-1] ^= 1
    clip.artifact.write_bytes(bytes(data))
    with pytest.raises(ArtifactCorrupt):
        export_clip(clip, tmp_path / "a.mp4", workspace=tmp_path / "a1r")
    assert [path.name for path in tmp_path.iterdir()] == ["a1r"]


def test_a_film_that_is_not_kept_any_more_is_said(made, tmp_path):
    with pytest.raises(NotFound, match="not kept"):
        export_clip(made[1], tmp_path / "a.mp4", workspace=tmp_path)
    export_clip(made[1], tmp_path / "a.mp4", workspace=tmp_path, mute=True)
