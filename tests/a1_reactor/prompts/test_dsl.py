import pytest

from a1_reactor.prompts import compose
from a1_reactor.prompts.dsl import parse
from reactor_core.errors import SpecError


def test_values_are_written_in_the_languages_order_then_by_name():
    text = 'bg:forest zoom:slow light:dusk subject:"red fox" angle:low style:noir motion:"slow pan" lens:35mm'
    assert compose(text) == "red fox, noir, 35mm, slow pan, dusk, forest, low, slow"


def test_keys_are_not_case_sensitive_and_values_keep_theirs():
    assert parse("Subject:Fox") == {"subject": "Fox"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no key:value"),
        ("a fox", "no key:value"),
        ("subject:fox subject:dog", "twice"),
        ('subject:""', "no value"),
        ('subject:"open', "no key:value"),
        ('subject:"a"b', "no key:value"),
    ],
)
def test_what_is_no_key_and_value_is_refused(text, problem):
    with pytest.raises(SpecError, match=problem):
        compose(text)


def test_a_value_may_hold_a_colon():
    assert parse("ratio:16:9") == {"ratio": "16:9"}
