from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_core.data.dedup import jaccard, shingles
from reactor_core.data.records import Message, Row, read_dataset
from reactor_core.data.unique import ChosenRows, Repeat, drop_repeats, near_repeats, write_repeats

LONG = "Explain in a few sentences what the garbage collector of this interpreter does with cycles of objects, please."


def chat(prompt: str, answer: str, line: int = 1) -> Row:
    return Row(line, messages=(Message("user", prompt), Message("assistant", answer)), prompt_turns=1)


def pair(prompt: str, chosen: str, rejected: str) -> Row:
    return Row(1, prompt_text=prompt, completion_text=chosen,
               rejected=Row(1, prompt_text=prompt, completion_text=rejected))  # fmt: skip


def test_the_first_of_equal_rows_stays() -> None:
    rows = [chat(LONG, "yes"), chat("Something else", "no"), chat(LONG, "yes"), chat(LONG, "yes")]
    assert near_repeats(rows) == [Repeat(2, 0, 1.0), Repeat(3, 0, 1.0)]


def test_case_and_white_space_make_no_difference() -> None:
    assert near_repeats([chat(LONG, "Yes, it does"), chat(f"  {LONG.upper()}\n", "yes,  it does")]) == [
        Repeat(1, 0, 1.0)
    ]


def test_another_answer_to_the_same_question_stays() -> None:
    assert near_repeats([chat(LONG, "allow"), chat(LONG, "block")]) == []


def test_the_same_answer_to_another_question_stays() -> None:
    assert near_repeats([chat("Judge: ls", LONG), chat("Judge: rm -rf", LONG)]) == []


def test_preferences_are_compared_with_both_answers() -> None:
    assert near_repeats([pair(LONG, "a", "b"), pair(LONG, "b", "a"), pair(LONG, "a", "b")]) == [Repeat(2, 0, 1.0)]


def test_a_chain_of_small_differences_does_not_collapse() -> None:
    # Each row begins a little later in the same text: neighbours are alike, the first and the last are not.
    text = " ".join(str(number * 7919) for number in range(60))
    rows = [Row(1, completion_text=text[6 * step : 6 * step + 200]) for step in range(12)]
    found = near_repeats(rows)
    assert found
    stays = set(range(12)) - {repeat.place for repeat in found}
    assert len(stays) > 1
    assert all(repeat.of in stays and repeat.similarity >= 0.9 for repeat in found)


WORDS = st.lists(st.sampled_from(["ls", "rm", "cat", "mv"]), min_size=3, max_size=6).map(" ".join)


@settings(max_examples=60)
@given(st.lists(st.tuples(WORDS, st.sampled_from(["allow", "block"])), max_size=12))
def test_it_agrees_with_comparing_every_two_rows(texts: list[tuple[str, str]]) -> None:
    rows = [Row(1, prompt_text=prompt, completion_text=answer) for prompt, answer in texts]
    stays: list[int] = []
    expected = []
    for index, (prompt, answer) in enumerate(texts):
        alike = [
            (jaccard(shingles(prompt), shingles(texts[other][0])), -other)
            for other in stays
            if texts[other][1] == answer
        ]
        similarity, other = max(alike, default=(0.0, 0))
        if similarity >= 0.9:
            expected.append(Repeat(index, -other, similarity))
        else:
            stays.append(index)
    assert near_repeats(rows) == expected


def test_chosen_rows_keep_their_lines() -> None:
    rows = [chat("a", "b", line) for line in (1, 4, 9)]
    chosen = ChosenRows(rows, [0, 2])
    assert [row.line for row in chosen] == [1, 9]
    assert (chosen[-1].line, len(chosen)) == (9, 2)
    assert chosen[1:] == (rows[2],)


def test_what_was_dropped_is_listed_by_its_lines(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    rows = [{"text": LONG}, {"text": "something else"}, {"text": LONG + "!"}]
    file.write_text("\n\n".join(map(json.dumps, rows)), encoding="utf-8")
    whole = read_dataset(file)
    kept, dropped = drop_repeats(whole)
    assert ([row.line for row in kept.rows], kept.sha256) == ([1, 3], whole.sha256)
    write_repeats(dropped, tmp_path / "list.jsonl")
    (line,) = map(json.loads, (tmp_path / "list.jsonl").read_text().splitlines())
    assert (line["line"], line["repeats"]) == (5, 1)
    assert 0.9 <= line["similarity"] < 1
