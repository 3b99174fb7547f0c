import importlib.util
import json

import pytest
from tests.a1_reactor.media.videos import counting, write_video
from tests.a1_reactor.provenance.chain import write_chain

from a1_reactor.media.mp4 import count_frames


@pytest.fixture
def film(tmp_path):
    return write_video(tmp_path / "harbour.mp4", counting(), [index * 40 for index in range(10)], tone=440)


def test_a_file_comes_in_is_regenerated_and_goes_out_with_its_sound(a1, film, tmp_path):
    status, out, err = a1("import", str(film), "--prompt", "a harbour", "--json")
    assert status == 0, err
    clip = json.loads(out)
    assert (clip["frames"], clip["fps"], clip["prompt"]) == (10, 25.0, "a harbour")
    status, out, err = a1("regen", "--prompt", "fog", "--parent", clip["clip_id"], "--regen", "3f", "6f", "--json")
    assert status == 0, err
    child = json.loads(out)
    assert (child["parent_id"], child["regen_frames_changed"]) == (clip["clip_id"], 3)
    words = ("takes", clip["clip_id"], "--window", "7f", "8f", "--seeds", "1", "--mask", "0,0,16,16", "--json")
    status, out, err = a1(*words)
    assert (status, len(json.loads(out)["takes"])) == (0, 1), err
    status, out, err = a1("export", child["clip_id"], str(tmp_path / "out.mp4"))
    assert status == 0, err
    assert "sound copied (aac)" in err
    assert out.splitlines()[0] == str(tmp_path / "out.mp4")
    assert count_frames(tmp_path / "out.mp4") == 10


def test_what_is_done_to_a_file_is_said(a1, tmp_path):
    path = write_video(tmp_path / "a.mp4", counting(66, 66), [0, 33, 67, 100, 200, 233], pix_fmt="yuv420p10le")
    status, out, _ = a1("import", str(path), "--json")
    assert (status, json.loads(out)["error"]["remedy"]) == (3, "pass --reduce-depth to round them to 8")
    status, _, err = a1("import", str(path), "--reduce-depth")
    assert status == 0
    assert "rounded from 10 to 8 bits" in err
    assert "variable frame rate" in err


@pytest.mark.skipif(importlib.util.find_spec("c2pa") is None, reason="the extra [media] is absent")
def test_a_signed_mp4_names_its_parent(a1, demo, tmp_path):
    from a1_reactor.provenance.signing import read_signed

    parent = demo(seconds=("--seconds", "1/2"))["clip_id"]
    key, chain = write_chain(tmp_path)
    words = ("takes", parent, "--window", "4f", "8f", "--seeds", "1", "--best-of", "seam", "--json")
    child = json.loads(a1(*words)[1])["kept"]
    signing = ("--sign-key", str(key), "--sign-cert", str(chain))
    status, out, err = a1("export", "main", str(tmp_path / "a.mp4"), *signing, "--json")
    assert status == 0, err
    found = read_signed(tmp_path / "a.mp4")
    assert (found.intact, json.loads(out)["clip_id"]) == (True, child)
    assert found.manifest["ingredients"][0]["title"] == f"clip {parent}"
    status, out, _ = a1("export", parent, str(tmp_path / "b.mp4"), "--sign-key", str(key), "--json")
    assert (status, json.loads(out)["error"]["remedy"]) == (3, "pass --sign-key and --sign-cert")


@pytest.mark.parametrize("name", ["a.webm", "a.gif", "a.zip"])
def test_other_formats(a1, demo, tmp_path, name):
    clip = demo(seconds=("--seconds", "1/8"))["clip_id"]
    status, out, err = a1("export", clip, str(tmp_path / name), "--json")
    assert status == 0, err
    assert (json.loads(out)["format"], json.loads(out)["frames"]) == (name[2:], 3)
    assert a1("export", clip, str(tmp_path / name))[0] == 3
    assert a1("export", clip, str(tmp_path / name), "--force")[0] == 0
