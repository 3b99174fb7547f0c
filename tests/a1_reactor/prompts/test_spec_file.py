import json
from fractions import Fraction

import pytest

from a1_reactor.prompts import read_spec, spec_of
from a1_reactor.types import JobSpec, Window
from reactor_core.errors import SpecError


def test_the_three_ways_of_saying_a_prompt():
    words = spec_of({"prompt": "red fox, slow pan"})
    assert spec_of({"prompt_dsl": 'motion:"slow pan" subject:"red fox"'}) == words
    template = spec_of({"template": {"name": "product_studio", "subject": "a brass lamp"}})
    assert template.prompt == "a brass lamp, product shot on a seamless backdrop, softbox lighting, slow turntable"


def test_json_and_yaml_are_one_spec(tmp_path):
    document = {"prompt": "x", "fps": "24000/1001", "frames": 48, "windows": [["10f", "00:00:01:00"], [1.5, 2]]}
    (tmp_path / "a.json").write_text(json.dumps(document))
    (tmp_path / "a.yaml").write_text(
        "prompt: x\nfps: 24000/1001\nframes: 48\nwindows:\n- [10f, '00:00:01:00']\n- [1.5, 2]\n"
    )
    spec = read_spec(tmp_path / "a.yaml")
    assert spec == read_spec(tmp_path / "a.json")
    # 1.5 s and 2 s at 23.976 fps: frames 35.96 and 47.95, so 36 up to 48.
    assert spec.windows == (Window(10, 24), Window(36, 48))


def test_a_spec_written_out_is_read_back_equal(tmp_path):
    spec = JobSpec(prompt="x", seed=0, fps="30000/1001", seconds=2, windows=(Window(3, 9),), metadata={"a": [1]})
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(spec.to_json()))
    assert read_spec(path) == spec
    assert read_spec(path).fps == Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({}, "no prompt"),
        ({"promt": "x"}, "'promt' is unknown did you mean 'prompt'?"),
        ({"prompt": "x", "prompt_dsl": "subject:x"}, "prompt and prompt_dsl"),
        ({"prompt_dsl": 3}, "is no text"),
        ({"prompt_dsl": "red fox"}, "no key:value"),
        ({"template": "product_studio"}, "has no name"),
        ({"template": {"name": "poster", "subject": "x"}}, "product_studio"),
        ({"template": {"name": "product_studio", "subject": 3}}, "subject=3"),
        ({"template": {"name": "product_studio"}}, "['subject']"),
        ({"prompt": "x", "version": 9}, "version=9"),
        ({"prompt": "x", "sead": 9}, "'sead' is unknown"),
    ],
)
def test_a_document_that_is_no_spec_is_refused_by_field(document, says):
    with pytest.raises(SpecError) as caught:
        spec_of(document)
    assert says in f"{caught.value.message} {caught.value.remedy}"


def test_a_fault_in_a_file_is_told_with_its_name(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text("prompt: x\nseed: -1\n")
    with pytest.raises(SpecError, match=r"spec\.yaml: seed=-1"):
        read_spec(path)
