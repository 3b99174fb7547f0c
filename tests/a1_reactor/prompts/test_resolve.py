import pytest

from a1_reactor.prompts import DEFAULT_NEGATIVE, resolve
from a1_reactor.prompts.presets import PRESETS, Book, Preset
from a1_reactor.types import JobSpec
from reactor_core.errors import SpecError


def test_the_preset_follows_the_prompt_once_however_often_it_is_resolved():
    once = resolve(JobSpec(prompt=" a  fox ", style_preset="noir"))
    assert once.prompt == f"a fox, {PRESETS['noir']}"
    assert resolve(once) == once


def test_the_users_negative_prompt_is_kept():
    assert resolve(JobSpec(prompt="x", negative_prompt="  rain ")).negative_prompt == "rain"


def test_an_empty_negative_prompt_avoids_nothing_and_none_avoids_the_usual():
    assert resolve(JobSpec(prompt="x", negative_prompt="")).negative_prompt == ""
    assert resolve(JobSpec(prompt="x")).negative_prompt == DEFAULT_NEGATIVE


def test_a_presets_own_negative_words_stand_in_only_where_the_spec_has_none():
    book = Book({"golden": Preset("warm low sun", "harsh flash")}, {})
    plain = resolve(JobSpec(prompt="x", style_preset="golden"), book)
    assert plain.negative_prompt == f"{DEFAULT_NEGATIVE}, harsh flash"
    assert resolve(JobSpec(prompt="x", style_preset="golden", negative_prompt="rain"), book).negative_prompt == "rain"


def test_the_asked_spec_is_not_touched():
    asked = JobSpec(prompt="x", style_preset="anime")
    before = asked.to_json()
    resolve(asked)
    assert asked.to_json() == before


def test_two_ways_of_typing_are_one_job():
    assert resolve(JobSpec(prompt="a  fox")).content_hash() == resolve(JobSpec(prompt="a fox\x00")).content_hash()


@pytest.mark.parametrize("spec", [{"prompt": "\x01\x02"}, {"prompt": "x", "style_preset": "none such"}])
def test_what_cannot_be_resolved_is_refused(spec):
    with pytest.raises(SpecError):
        resolve(JobSpec(**spec))
