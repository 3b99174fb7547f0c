import pytest

from a1_reactor.prompts.presets import PRESETS
from a1_reactor.providers.mock_look import Look, apply_words, look_of, seed_of

PLAIN = Look(hue=0.5)


def test_the_words_of_a_prompt_change_a_look_only_once():
    look = look_of("a night street, sharp, film grain, handheld")
    assert look.light < 1 < look.detail
    assert apply_words(look, "a night street, sharp") == look


def test_a_look_keeps_what_a_prompt_does_not_speak_of():
    assert apply_words(PLAIN, "same scene") == PLAIN


@pytest.mark.parametrize("words", PRESETS.values(), ids=PRESETS)
def test_every_preset_changes_something(words):
    assert apply_words(PLAIN, words) != PLAIN


def test_without_saturation_all_channels_are_equal():
    grey = Look(hue=0.3, saturation=0).colour(0.2, 0.9, 0.5)
    assert grey == pytest.approx((127.5, 127.5, 127.5))


def test_seeds_tell_their_parts_apart():
    assert seed_of("a", "bc") != seed_of("ab", "c")
    assert seed_of("a", 1) == seed_of("a", 1) < 2**64
