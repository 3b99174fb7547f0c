import dataclasses

import pytest

from reactor_core.data.experience import read_experience
from reactor_core.demo.experience_log import find_log
from reactor_core.demo.questions import _QUESTIONS, unseen_question
from reactor_core.errors import NotFound


def test_the_shipped_log_knows_no_question():
    known = [*read_experience(find_log("pool.jsonl")), *read_experience(find_log("heldout.jsonl"))]
    assert unseen_question(known) is _QUESTIONS[0]


def test_a_question_that_became_known_is_passed_over():
    shouted = dataclasses.replace(_QUESTIONS[0], action=_QUESTIONS[0].action.upper())
    assert unseen_question([shouted]) is _QUESTIONS[1]


def test_no_question_is_left():
    with pytest.raises(NotFound, match="add a new one"):
        unseen_question(_QUESTIONS)
