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
