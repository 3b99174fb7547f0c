from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest

from reactor_core.errors import ConfigError
from reactor_core.safety.engine import Decision
from reactor_core.safety.opinion import RULE, SecondOpinion, agreement
from reactor_core.safety.verdict import Verdict


def decision(verdict: Verdict = Verdict.ALLOW) -> Decision:
    return Decision(action="make it so", kind="shell", verdict=verdict, findings=(), resolved=(), action_hash="")


@dataclass(frozen=True)
class Row:
    action: str
    approved: bool | None
    kind: str = "shell"


def test_it_asks_where_the_model_doubts_enough():
    heard = []

    def ask(action, kind):
        heard.append((action, kind))
        return {"allow": 0.1, "confirm": 0.5, "block": 0.4}

    opinion = SecondOpinion(ask)
    found = opinion(decision())
    assert (found.verdict, found.rule) == (Verdict.CONFIRM, RULE)
    assert "90%" in found.says
    assert heard == [("make it so", "shell")]
    opinion.close()


@pytest.mark.parametrize("shares", [{"allow": 1.0}, {"confirm": 0.5, "block": 0.29}, {}, {"confirm": float("nan")}])
def test_it_says_nothing_where_the_model_does_not(shares):
    opinion = SecondOpinion(lambda *_: shares)
    assert opinion(decision()) is None
    opinion.close()


@pytest.mark.parametrize("verdict", [Verdict.CONFIRM, Verdict.BLOCK])
def test_it_is_not_asked_where_it_could_only_lower_a_verdict(verdict):
    opinion = SecondOpinion(lambda *_: pytest.fail("asked"))
    assert opinion(decision(verdict)) is None
    assert opinion.counts == {}


def test_it_never_says_block():
    opinion = SecondOpinion(lambda *_: {"block": 1.0})
    assert opinion(decision()).verdict is Verdict.CONFIRM
    opinion.close()


@pytest.mark.parametrize("answer", [lambda *_: 1 / 0, lambda *_: None, lambda *_: {"block": "much"}])
def test_a_model_that_fails_changes_nothing(answer, caplog):
    opinion = SecondOpinion(answer)
    assert opinion(decision()) is None
    assert opinion.counts["failed"] == 1
    assert "failed" in caplog.text
    opinion.close()


def test_a_model_that_hangs_holds_nothing_up_and_gets_no_queue():
    go_on = threading.Event()
    calls = []

    def ask(action, kind):
        calls.append(action)
        go_on.wait(30)
        return {"block": 1.0}

    opinion = SecondOpinion(ask, seconds=0.05)
    assert [opinion(decision()) for _ in range(3)] == [None, None, None]
    assert opinion.counts["slow"] == 3
    assert len(calls) == 1
    go_on.set()
    opinion.close()


@pytest.mark.parametrize("given", [{"threshold": 0}, {"threshold": 1.1}, {"seconds": 0}])
def test_values_that_cannot_be_used(given):
    with pytest.raises(ConfigError):
        SecondOpinion(lambda *_: {}, **given)


def test_agreement_with_people_is_counted():
    shares = {"good": {"allow": 1.0}, "bad": {"block": 1.0}}
    rows = [
        Row("good", True), Row("good", True), Row("bad", False), Row("bad", True), Row("good", False, "sql"),
        Row("bad", None),
    ]  # fmt: skip
    found = agreement(lambda action, _: shares[action], rows)
    assert (found.rows, found.agreed, found.needless, found.missed) == (5, 3, 1, 1)
    assert found.per_kind == {"shell": (3, 4), "sql": (0, 1)}
    # By hand: observed 3/5; chance (3*3 + 2*2) / 25 = 13/25; (15/25 - 13/25) / (12/25) = 1/6.
    assert found.kappa == pytest.approx(1 / 6)
    assert found.as_dict()["share"] == pytest.approx(0.6)


def test_agreement_of_nothing_and_of_one_mind_has_no_kappa():
    assert agreement(lambda *_: {}, []).kappa is None
    assert agreement(lambda *_: {"allow": 1.0}, [Row("a", True)]).kappa is None
