from __future__ import annotations

import apsw
import pytest

from reactor_core.errors import NotFound
from reactor_core.safety.confirm import store
from reactor_core.safety.confirm.question import Answer, Method, Question, asked_about


@pytest.fixture
def made(decide):
    def made(ticket_id: str, *, asked_us: int = 0, expires_us: int = 100) -> Question:
        asked = asked_about(decide(), redact=str, context={"n": 1}, pid=1, started=2.0)
        return Question(ticket_id, "hash", "agent", asked_us, expires_us, 1, "open", asked)

    return made


def test_a_question_comes_back_as_it_was_stored(bridge, made):
    answer = Answer("dev", Method.VOICE, True, 7, {"note": "x"})
    question = made("t")

    def work(db: apsw.Connection) -> Question:
        store.add(db, question)
        store.add_answer(db, "t", answer)
        return store.find(db, "t")

    found = bridge.journal.work(work).result(30)
    assert (found.asked, found.asker, found.expires_us) == (question.asked, "agent", 100)
    assert found.answers == (answer,)
    with pytest.raises(NotFound):
        bridge.journal.work(lambda db: store.find(db, "other")).result(30)


def test_a_person_has_one_answer(bridge, made):
    def work(db: apsw.Connection) -> None:
        store.add(db, made("t"))
        for confirmed in (False, True):
            store.add_answer(db, "t", Answer("dev", Method.TEXT, confirmed, 7, {}))

    with pytest.raises(Exception, match="UNIQUE"):
        bridge.journal.work(work).result(30)


def test_the_newest_come_last_and_the_open_ones_by_themselves(bridge, made):
    def work(db: apsw.Connection) -> None:
        for number in range(4):
            store.add(db, made(f"t{number}", asked_us=number, expires_us=10 + number))
        store.set_state(db, "t1", "denied")

    bridge.journal.work(work).result(30)
    bridge.journal.work(lambda db: store.set_state(db, "t3", "confirmed")).result(30)
    reader = bridge.journal.open_reader(store.QuestionReader)
    try:
        assert [one.ticket_id for one in reader.questions(only_open=False, limit=2)] == ["t2", "t3"]
        assert [one.ticket_id for one in reader.questions(only_open=True, limit=9)] == ["t0", "t2"]
        assert [one.ticket_id for one in reader.confirmed("hash")] == ["t3"]
        assert reader.confirmed("other hash") == []
        assert reader.question("t1").state == "denied"
    finally:
        reader.close()
    assert bridge.journal.work(lambda db: store.overdue(db, 11)).result(30) == ["t0"]


def test_erasing_ends_an_open_one(bridge, made):
    def work(db: apsw.Connection) -> tuple[int, Question, int]:
        store.add(db, made("t"))
        store.add_answer(db, "t", Answer("dev", Method.KEY, False, 7, {"note": "x"}))
        return store.erase_before(db, 101), store.find(db, "t"), store.erase_before(db, 101)

    erased, found, again = bridge.journal.work(work).result(30)
    assert (erased, found.asked, found.state, found.answers[0].evidence, again) == (1, None, "expired", {}, 0)
