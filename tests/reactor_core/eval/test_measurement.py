import json

import numpy as np
import pytest

from reactor_core.data.records import Message, Row
from reactor_core.eval.measurement import Measurement, Metric, prompt_key, rows_hash
from reactor_core.eval.statistics import bootstrap_interval

METRIC = Metric("accuracy", "share of rows", higher_is_better=True)


def chat(*turns: str, line: int = 1, prompt_turns: int = 0) -> Row:
    roles = ("user", "assistant")
    messages = tuple(Message(roles[n % 2], text) for n, text in enumerate(turns))
    return Row(line=line, messages=messages, prompt_turns=prompt_turns)


def test_a_measurement_is_a_weighted_mean_with_a_clustered_interval():
    found = Measurement.of(METRIC, [1.0, 3.0, 2.0], weights=[1.0, 2.0, 2.0], rows="r", clusters=["a", "b", "a"])
    assert found.estimate.mean == pytest.approx(1.2)
    expected = bootstrap_interval([1.0, 3.0, 2.0], [1.0, 2.0, 2.0], clusters=["a", "b", "a"], method="bca")
    assert found.estimate == expected
    assert found.rows == 3


def test_it_is_plain_data_without_single_rows():
    found = Measurement.of(METRIC, [True, False], rows="r", clusters=["a", "a"], details={"beta": 0.1})
    plain = json.loads(json.dumps(found.as_dict()))
    assert (plain["value"], plain["rows"], plain["clusters"], plain["beta"]) == (0.5, 2, 1, 0.1)
    assert "values" not in plain


def test_weights_are_ones_where_none_are_given():
    assert np.array_equal(Measurement.of(METRIC, [1.0, 0.0], rows="r", clusters=["a", "b"]).weights, [1.0, 1.0])


def test_rows_are_hashed_by_what_they_say():
    rows = [chat("hi", "hello"), chat("bye", "ciao", line=2)]
    assert rows_hash(rows) == rows_hash([chat("hi", "hello", line=9), chat("bye", "ciao")])
    assert rows_hash(rows) != rows_hash(rows[::-1])
    assert rows_hash(rows[:1]) != rows_hash([chat("hi", "hello", prompt_turns=1)])
    assert rows_hash(rows[:1]) != rows_hash([Row(line=1, completion_text="hi")])


def test_rows_of_one_prompt_have_one_key():
    assert prompt_key(chat("hi", "hello")) == prompt_key(chat("hi", "good day"))
    assert prompt_key(chat("hi", "hello")) != prompt_key(chat("bye", "hello"))
    assert prompt_key(chat("a", "b", "c", "d", prompt_turns=2)) != prompt_key(chat("a", "b", "x", "d", prompt_turns=2))
    text = Row(line=1, prompt_text="q", completion_text="a")
    assert prompt_key(text) == prompt_key(Row(line=2, prompt_text="q", completion_text="b"))
    assert prompt_key(Row(line=1, completion_text="a")) != prompt_key(Row(line=1, completion_text="b"))
