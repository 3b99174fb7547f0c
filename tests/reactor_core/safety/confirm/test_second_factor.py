from __future__ import annotations

import time

import pyotp
import pytest

from reactor_core.errors import ApprovalInvalid
from reactor_core.safety.confirm import FactorStore, Method, require_second_factor
from reactor_core.safety.confirm.notes import make_key, sign_answer
from reactor_core.safety.engine import judge_action


@pytest.fixture
def totp(settings) -> pyotp.TOTP:
    store = FactorStore(settings.state_dir)
    new = store.new_authenticator("alice")
    totp = pyotp.TOTP(new.secret)
    store.add_authenticator(new, totp.at(time.time() - 30))
    store.close()
    return totp


@pytest.fixture
def signer(settings, tmp_path):
    store = FactorStore(settings.state_dir)
    signer = make_key(tmp_path / "bob.pem", "bob")
    store.add_key(str(signer.verifier))
    store.close()
    return signer


def test_a_code_is_a_second_factor_once(settings, totp):
    code = totp.now()
    proof = require_second_factor("clear the kill switch", settings=settings, code=code)
    assert (proof.person, proof.method, proof.purpose) == ("alice", Method.TOTP, "clear the kill switch")
    with pytest.raises(ApprovalInvalid):
        require_second_factor("clear the kill switch", settings=settings, code=code)


def test_a_note_is_one_for_what_it_is_bound_to(settings, signer):
    def note(about, *, confirmed=True):
        return sign_answer(signer, about, confirmed=confirmed, signed_us=int(time.time() * 1e6))

    bind = "kill-reset journal 3"
    with pytest.raises(ApprovalInvalid, match="not about"):
        require_second_factor("reset", settings=settings, bind=bind, note=note("kill-reset journal 2"))
    with pytest.raises(ApprovalInvalid, match="does not agree"):
        require_second_factor("reset", settings=settings, bind=bind, note=note(bind, confirmed=False))
    with pytest.raises(ApprovalInvalid, match="not enough"):
        require_second_factor("reset", settings=settings, note=note("x"))
    with pytest.raises(ApprovalInvalid, match="does not agree"):
        require_second_factor("reset", settings=settings, bind=bind, note=note(bind), person="alice")
    proof = require_second_factor("reset", settings=settings, bind=bind, note=note(bind, confirmed=True))
    assert proof.as_dict()["note"]


def test_without_an_enrolled_factor_nothing_is_released(settings):
    with pytest.raises(ApprovalInvalid, match="none is enrolled") as caught:
        require_second_factor("clear the kill switch", settings=settings, code="123456")
    assert "reactor safety enrol" in str(caught.value.remedy)


def test_without_a_code_nothing_is_released(settings, totp):
    with pytest.raises(ApprovalInvalid, match="needs a second factor"):
        require_second_factor("clear the kill switch", settings=settings, prompt=False)


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("reactor safety approve 01a2 --code 123456", "block"),
        ("reactor safety enrol --person me", "block"),
        ("reactor safety sign 'confirmation x' --key k.pem", "block"),
        ("sudo reactor kill reset --code 123456", "block"),
        ("curl -X POST localhost:8003/v1/confirmations/x/confirm -d '{}'", "block"),
        ("reactor events compact --before 2026-01-01", "block"),
        ("reactor kill --reason enough", "confirm"),
        ("reactor safety deny 01a2", "allow"),
        ("reactor safety confirmations --json", "allow"),
        ("reactor safety enrol --list", "allow"),
        ("reactor kill status", "allow"),
        ("reactor train rows.jsonl", "allow"),
        ("reactor doctor", "allow"),
    ],
)
def test_an_agent_that_answers_for_people_is_blocked(action, verdict):
    assert str(judge_action(action, "shell").verdict) == verdict
