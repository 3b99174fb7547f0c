import pytest

from a1_reactor.providers.template import ABSENT, check_template, fill_template
from reactor_core.errors import ConfigError, SpecError

VALUES = {"prompt": lambda: "a fox", "seed": lambda: 7, "last_frame": lambda: ABSENT}


def fill(template, **options):
    return fill_template(template, VALUES, options)


def test_a_blank_alone_keeps_its_type_and_one_in_text_is_spelled_out():
    assert fill({"a": "{seed}", "b": "{prompt}, seed {seed}", "c": 1}) == {"a": 7, "b": "a fox, seed 7", "c": 1}


def test_blanks_are_filled_at_any_depth():
    assert fill({"3": {"inputs": {"seed": "{seed}", "model": ["4", 0]}}}) == {
        "3": {"inputs": {"seed": 7, "model": ["4", 0]}}
    }


def test_options_of_the_job_go_in_or_their_defaults():
    template = {"steps": "{options.steps|30}", "mode": "{options.mode|fast}"}
    assert fill(template) == {"steps": 30, "mode": "fast"}
    assert fill(template, steps=4, mode="slow") == {"steps": 4, "mode": "slow"}


def test_an_option_without_a_default_must_be_given():
    with pytest.raises(SpecError, match="needs the option 'steps'"):
        fill({"steps": "{options.steps}"})


def test_what_is_not_there_is_left_out():
    assert fill({"last": "{last_frame}", "both": ["{seed}", "{last_frame}"], "text": "x{last_frame}"}) == {
        "both": [7],
        "text": "x",
    }


def test_a_prompt_with_braces_is_not_read_as_a_template():
    assert fill_template("{prompt}!", {"prompt": lambda: "{seed}"}, {}) == "{seed}!"


def test_a_blank_that_nothing_fills_is_refused_beforehand():
    check_template({"a": ["{seed} {options.x}", 1, None]}, frozenset(VALUES), "here")
    with pytest.raises(ConfigError, match=r"here: nothing fills \{sed\}"):
        check_template({"a": [{"b": "{sed}"}]}, frozenset(VALUES), "here")
