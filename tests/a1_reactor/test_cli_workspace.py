import json


def test_presets_are_listed_with_those_of_the_workspace(a1, tmp_path):
    (tmp_path / "a1r").mkdir()
    (tmp_path / "a1r" / "presets.toml").write_text('[presets.golden]\nprompt = "warm low sun"\n')
    status, out, err = a1("presets", "--json")
    found = json.loads(out)
    assert status == 0
    assert [name for name, preset in found["presets"].items() if preset["own"]] == ["golden"]
    assert found["file"] == str(tmp_path / "a1r" / "presets.toml")
    status, out, err = a1("presets")
    assert (status, "golden\twarm low sun" in out, "presets.toml" in err) == (0, True, True)


def test_a_changed_file_is_found(a1, demo, tmp_path):
    clip = demo(seconds=("--seconds", "1/8"))
    status, out, _ = a1("verify", "--json")
    assert (status, json.loads(out)["whole"], len(json.loads(out)["clips"])) == (0, True, 1)
    frame = tmp_path / "a1r" / "cache" / clip["clip_id"] / "run" / "frames" / "000001.png"
    data = bytearray(frame.read_bytes())
    data[-20] ^= 1
    frame.chmod(0o644)
    frame.write_bytes(bytes(data))
    status, out, _ = a1("verify", clip["clip_id"], "--no-decode")
    assert status == 1
    assert "000001.png" in out
    frame.unlink()
    assert a1("verify")[0] == 1


def test_rejected_takes_are_deleted_and_undecided_ones_by_age(a1, takes_copied):
    first, second, third = (clip.key for clip in takes_copied.takes)
    a1("reject", first)
    assert json.loads(a1("gc", "--dry-run", "--json")[1])["clips"] == [first]
    status, out, err = a1("gc")
    assert (status, out) == (0, f"{first}\tdeleted\n")
    assert "1 clips" in err
    assert json.loads(a1("gc", "--undecided-days", "1", "--json")[1])["clips"] == []
    assert json.loads(a1("gc", "--undecided-days", "0", "--json")[1])["clips"] == sorted([second, third])
    assert a1("gc", "--undecided-days", "-1")[0] == 3
