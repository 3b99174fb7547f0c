import json

import pytest

SMALL = ["--width", "96", "--height", "64"]


def test_the_seeds_two_commands(a1, tmp_path):
    status, out, _ = a1(
        "demo", "--prompt", "cinematic golden hour street shot, handheld, shallow depth of field", *SMALL
    )
    assert status == 0
    assert out.splitlines()[0].startswith(str(tmp_path / "a1r" / "cache"))
    status, out, err = a1(
        "regen", "--prompt", "same scene but sharper textures", "--seconds", "3", "--regen", "0.8", "1.6", *SMALL
    )
    assert status == 0
    assert "53 frames are its own files, 19 changed" in out
    assert "generated base" in err


def test_the_defaults_of_demo_are_the_seeds(demo):
    result = demo(seconds=())
    assert (result["frames"], result["fps"], result["seed"]) == (48, 24.0, 0)
    assert "film grain" in result["prompt"]


def test_an_equal_command_finds_the_clip_unless_forced(demo):
    assert [demo()["reused"], demo()["reused"], demo("--force")["reused"]] == [False, True, False]


def test_windows_may_be_repeated_and_overlap(a1, demo):
    demo()
    status, out, _ = a1(
        "regen", "--prompt", "x", "--seconds", "1", *SMALL, "--json",
        "--regen", "0", "0.2", "--regen", "0.1", "0.3", "--regen", "0:00.5", "0.6",
    )  # fmt: skip
    windows = json.loads(out)["windows"]
    assert status == 0
    # 0.3 * 24 = 7.2 -> 8; 0.5 * 24 = 12; 0.6 * 24 = 14.4 -> 15
    assert [(w["start_frame"], w["stop_frame"]) for w in windows] == [(0, 8), (12, 15)]


def test_a_parent_gives_size_rate_and_length(a1, demo):
    parent = demo("--fps", "12", seconds=("--seconds", "1.5"))
    status, out, _ = a1("regen", "--prompt", "x", "--parent", parent["clip_id"], "--regen", "0.5", "1", "--json")
    child = json.loads(out)
    assert status == 0
    assert (child["parent_id"], child["frames"], child["width"]) == (parent["clip_id"], 18, 96)


def test_a_parent_gives_its_look_unless_one_is_named(a1, demo):
    parent = demo("--preset", "noir", seconds=("--seconds", "1/4"))["clip_id"]
    line = ("regen", "--prompt", "a hare", "--parent", parent, "--regen", "1f", "3f", "--json")
    prompts = [json.loads(a1(*line, *more)[1])["prompt"] for more in ((), ("--preset", "none"), ("--preset", "anime"))]
    assert "black and white" in prompts[0]
    assert prompts[1] == "a hare"
    assert "anime style" in prompts[2]


def test_a_spec_file_is_run(a1, tmp_path):
    path = tmp_path / "spec.json"
    path.write_text(json.dumps({"prompt": "x", "frames": 6, "width": 96, "height": 64}))
    status, out, _ = a1("run", str(path), "--json")
    parent = json.loads(out)
    assert (status, parent["frames"]) == (0, 6)
    path.write_text(json.dumps({"prompt": "y", "frames": 6, "width": 96, "height": 64, "windows": [[0.1, 0.2]]}))
    status, out, _ = a1("run", str(path), "--parent", parent["clip_id"], "--json")
    assert (status, json.loads(out)["parent_id"]) == (0, parent["clip_id"])


@pytest.mark.parametrize(
    ("words", "status", "kind", "says"),
    [
        (["demo", "--prompt", "\x01\x02"], 3, "SpecError", "control characters"),
        (["demo", "--prompt", "x", "--seconds", "0"], 3, "SpecError", "more than 0 seconds"),
        (["demo", "--prompt", "x", "--seconds", "soon"], 3, "SpecError", "seconds='soon'"),
        (["demo", "--prompt", "x", "--width", "97"], 3, "SpecError", "width=97"),
        (["demo", "--prompt", "x", "--preset", "gold"], 3, "SpecError", "cinematic, studio, noir, anime"),
        (["demo", "--prompt", "x", "--seed", "-1"], 3, "SpecError", "seed=-1"),
        (["regen", "--prompt", "x", "--regen", "2.5", "3.5"], 3, "SpecError", "ends outside the clip"),
        (["regen", "--prompt", "x", "--regen", "1", "1"], 3, "SpecError", "empty"),
        (["regen", "--prompt", "x", "--regen", "0", "1", "--parent", "0" * 16], 4, "NotFound", "no clip"),
        (["run", "no-such-spec.json"], 4, "NotFound", "no-such-spec.json"),
        (["demo", "--prompt", "x", "--provider", "sora"], 3, "ConfigError", "mock, http"),
        (["demo", "--prompt", "x", "--provider", "http"], 3, "ConfigError", "--endpoint"),
        (
            ["demo", "--prompt", "x", "--provider", "http", "--endpoint", "http://127.0.0.1:9/"],
            1,
            "ProviderError",
            "A1_REACTOR_PROVIDER_ALLOW=127.0.0.1:9",
        ),
    ],
)
def test_bad_input_ends_with_its_status_and_says_what_to_do(a1, words, status, kind, says):
    found, out, err = a1(*words, "--json")
    error = json.loads(out)["error"]
    assert (found, error["type"]) == (status, kind)
    assert says in f"{error['message']} {error['remedy']}"
    assert "Traceback" not in err


def test_a_preset_and_a_template_of_ones_own_and_key_value_words(a1, demo, tmp_path):
    (tmp_path / "a1r").mkdir()
    own = '[presets.golden]\nprompt = "warm low sun"\nnegative = "flash"\n[templates]\nshot = "{subject}, wide shot"\n'
    (tmp_path / "a1r" / "presets.toml").write_text(own)
    words = ("--prompt", 'subject:"red fox" light:dusk', "--dsl", "--template", "shot", "--preset", "golden")
    made = demo(*words, prompt=(), seconds=("--seconds", "1/24"))
    assert made["prompt"] == "red fox, dusk, wide shot, warm low sun"


def test_a_yaml_spec_with_frames_and_a_branch_as_parent(a1, demo, tmp_path):
    parent = demo()["clip_id"]
    assert a1("branch", "best", parent)[0] == 0
    path = tmp_path / "spec.yaml"
    path.write_text("prompt: y\nseconds: 1\nwidth: 96\nheight: 64\nwindows:\n- [2f, 00:00:00:05]\n")
    status, out, _ = a1("run", str(path), "--parent", "best", "--json")
    child = json.loads(out)
    assert (status, child["parent_id"]) == (0, parent)
    assert [(window["start_frame"], window["stop_frame"]) for window in child["windows"]] == [(2, 5)]
