from __future__ import annotations

import logging
import weakref

import pytest

from reactor_core.events import EventType, Journal, new_event
from reactor_core.events.failures import KEPT, Failures, failure_data


@pytest.fixture
def failures(journal: Journal) -> Failures:
    return Failures(journal, "reactor_core")


def test_a_failure_is_logged_kept_and_published_with_high_priority(failures, journal, caplog):
    event, _ = new_event("user", "tick", {})
    error = ValueError("zero")
    failures.tell_first("module.handler", event, error)
    (kept,) = failures.last()
    assert (kept.handler, kept.event, kept.error) == ("module.handler", event, error)
    (told,) = journal.read()
    assert (told.event_type, told.priority, told.data["failed_event_id"]) == (EventType.ERROR, 2, event.event_id)
    assert "module.handler failed on tick" in caplog.text


def test_the_failure_of_who_was_told_of_a_failure_is_not_published(failures, journal):
    event, _ = new_event("user", "error", {}, metadata={"failed_handler": "module.handler"})
    failures.tell_first("other.handler", event, ValueError("again"))
    assert len(failures.last()) == 1
    assert journal.read() == []


def test_a_failure_that_is_kept_keeps_nothing_of_the_handler_alive(failures, monkeypatch):
    # The test runner keeps every log record, and with it the traceback.
    monkeypatch.setattr(logging.getLogger("reactor_core.events.failures"), "disabled", True)

    class Model:
        pass

    model = Model()
    alive = weakref.ref(model)

    def handler(model: Model) -> None:
        raise ValueError("zero")

    event, _ = new_event("user", "tick", {})
    try:
        handler(model)
    except ValueError as error:
        failures.tell("handler", event, error)
    del model
    assert alive() is None


def test_only_the_last_failures_are_kept(failures, journal):
    event, _ = new_event("user", "tick", {}, metadata={"failed_handler": "x"})
    for number in range(KEPT + 5):
        failures.tell("handler", event, ValueError(str(number)))
    assert [str(failure.error) for failure in failures.last()] == [str(n) for n in range(5, KEPT + 5)]


def test_a_failure_that_cannot_be_stored_is_logged_all_the_same(failures, journal, caplog):
    event, _ = new_event("user", "tick", {})
    journal.close()
    with caplog.at_level(logging.ERROR):
        failures.tell("handler", event, ValueError("zero"))
    assert "could not be stored" in caplog.text
    assert len(failures.last()) == 1


def test_a_failure_says_what_failed_on_what():
    event, _ = new_event("user", "tick", {})
    try:
        raise ValueError("zero")
    except ValueError as error:
        data = failure_data("module.handler", event, error)
    assert data["error"] == "ValueError"
    assert data["message"] == "zero"
    assert data["handler"] == "module.handler"
    assert data["failed_event_id"] == event.event_id
    assert data["failed_event_type"] == "tick"
    assert 'raise ValueError("zero")' in data["traceback"]
