import pytest

from reactor_core.data.records import Row, parse_row
from reactor_core.eval.contamination import find_overlaps


def row(line: int = 1, **value) -> Row:
    return parse_row(value, line)


def chat(*turns: str, line: int = 1, system: str | None = None) -> Row:
    roles = ("user", "assistant")
    messages = [{"role": roles[n % 2], "content": text} for n, text in enumerate(turns)]
    if system is not None:
        messages.insert(0, {"role": "system", "content": system})
    return row(line, messages=messages)


def found(rows: list[Row], seen: list[Row], **options) -> list[tuple[int, int]]:
    return [(overlap.line, overlap.seen_line) for overlap in find_overlaps(rows, seen, **options)]


def test_a_row_that_was_trained_on_is_found_with_both_lines():
    rows = [chat("new", "x", line=1), chat("old", "x", line=2)]
    assert found(rows, [chat("other", "x", line=5), chat("old", "x", line=6)]) == [(2, 6)]


def test_forms_of_one_row_are_one():
    same = [
        chat("hi there", "hello"),
        row(prompt="hi there", completion=[{"role": "assistant", "content": "hello"}]),
        row(instruction="hi there", output="hello"),
    ]
    assert all(found([a], [b]) for a in same for b in same)


@pytest.mark.parametrize("answer", ["HELLO  you", "hello\nyou ", "ｈello you"])
def test_case_white_space_and_letter_forms_do_not_hide_a_row(answer: str):
    assert found([chat("Hi", answer)], [chat("hi", "hello you")])


def test_a_system_prompt_does_not_hide_a_row():
    assert found([chat("hi", "hello", system="be kind")], [chat("hi", "hello")])


def test_the_beginning_of_a_longer_conversation_is_found():
    assert found([chat("a", "b")], [chat("a", "b", "c", "d")])
    assert found([chat("a", "b", "c", "d")], [chat("a", "b")])
    assert not found([chat("c", "d")], [chat("a", "b", "c", "d")])


def test_another_answer_is_another_row_unless_prompts_are_compared():
    rows, seen = [chat("a", "b")], [chat("a", "z")]
    assert found(rows, seen) == []
    assert found(rows, seen, by="prompt") == [(1, 1)]


def test_both_answers_of_a_preference_count():
    preference = row(prompt=[{"role": "user", "content": "a"}], chosen="b", rejected="c")
    assert found([preference], [chat("a", "c")])
    assert found([chat("a", "b")], [preference])
    assert not found([chat("a", "d")], [preference])


def test_plain_texts_are_found():
    assert found([row(text="once upon a time")], [row(text="Once upon a time")])
    assert found([row(prompt="q", completion="a")], [row(prompt="q", completion="a")])
    assert found([row(prompt="q", completion="a")], [row(prompt="q", completion="b")], by="prompt")
    assert not found([row(text="x")], [row(text="y")], by="prompt")


def test_answers_without_a_prompt_are_compared_whole():
    alone = {"messages": [{"role": "assistant", "content": "x"}]}
    other = {"messages": [{"role": "assistant", "content": "y"}]}
    assert not found([parse_row(alone, 1)], [parse_row(other, 1)], by="prompt")
