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
    assert a1("gc", "--unfinished-days", "-1")[0] == 3


def test_clips_are_listed_the_newest_first_with_what_was_said_of_them(a1, takes_copied):
    first, second, third = (clip.key for clip in takes_copied.takes)
    a1("keep", second)
    a1("reject", third)
    status, out, err = a1("clips", "--json")
    found = {clip["clip_id"]: clip for clip in json.loads(out)["clips"]}
    created = [clip["created"] for clip in found.values()]
    assert (status, len(found), created) == (0, 4, sorted(created, reverse=True))
    base = found[takes_copied.base.key]
    assert (base["parent_id"], base["windows"], base["fps"], base["prompt"]) == (None, [], "24", "a fox")
    assert [found[key]["verdict"] for key in (first, second, third)] == [None, "kept", "rejected"]
    assert (found[second]["branches"], found[second]["windows"]) == (["main"], [[4, 8]])

    status, out, err = a1("clips", "--limit", "1")
    assert (status, out.count("\n"), "3 older" in err) == (0, 1, True)
    (line,) = [line for line in a1("clips")[1].splitlines() if line.startswith(second)]
    assert line.split("\t")[2:] == [
        "12 frames at 24 fps, 96x64", f"4..7 of {takes_copied.base.key}", "kept, main", "sharper",
    ]  # fmt: skip


def test_a_workspace_without_clips_and_a_damaged_clip_are_told(a1, tmp_path):
    assert "a1-reactor demo makes one" in a1("clips")[2]
    assert a1("clips", "--limit", "-1")[0] == 3
    folder = tmp_path / "a1r" / "cache" / ("0" * 16)
    folder.mkdir(parents=True)
    (folder / "job.json").write_text("{")
    status, out, err = a1("clips", "--json")
    assert (status, json.loads(out), f"{'0' * 16} is left out" in err) == (0, {"clips": [], "total": 0}, True)
