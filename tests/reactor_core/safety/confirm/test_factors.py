from __future__ import annotations

import stat
import subprocess
import sys

import pyotp
import pytest

from reactor_core.errors import ApprovalInvalid, ConfigError, NotFound
from reactor_core.safety.confirm.factors import FactorStore, Proof
from reactor_core.safety.confirm.notes import make_key, sign_answer
from reactor_core.safety.confirm.question import Method


def enrol(factors, clock, person="alice", by=None) -> pyotp.TOTP:
    new = factors.new_authenticator(person)
    totp = pyotp.TOTP(new.secret)
    factors.add_authenticator(new, totp.at(clock.now), by=by)
    clock.go_on(30)
    return totp


def test_a_code_counts_once(factors, clock):
    totp = enrol(factors, clock)
    code = totp.at(clock.now)
    proof = factors.use_code(code, purpose="try")
    assert (proof.person, proof.method, proof.purpose) == ("alice", Method.TOTP, "try")
    with pytest.raises(ApprovalInvalid, match="used before"):
        factors.use_code(code, purpose="try")
    clock.go_on(30)
    assert factors.use_code(totp.at(clock.now), purpose="try").person == "alice"


def test_the_code_that_set_it_up_is_used(factors, clock):
    new = factors.new_authenticator("alice")
    code = pyotp.TOTP(new.secret).at(clock.now)
    factors.add_authenticator(new, code)
    with pytest.raises(ApprovalInvalid, match="used before"):
        factors.use_code(code, purpose="try")


@pytest.mark.parametrize(("seconds", "counts"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_clock_that_is_one_step_off_is_forgiven(factors, clock, seconds, counts):
    totp = enrol(factors, clock)
    clock.go_on(300)
    code = totp.at(clock.now.timestamp() + seconds)
    if counts:
        factors.use_code(code, purpose="try")
    else:
        with pytest.raises(ApprovalInvalid):
            factors.use_code(code, purpose="try")


def test_a_later_code_uses_up_the_earlier_ones(factors, clock):
    totp = enrol(factors, clock)
    clock.go_on(300)
    factors.use_code(totp.at(clock.now.timestamp() + 30), purpose="try")
    with pytest.raises(ApprovalInvalid):
        factors.use_code(totp.at(clock.now), purpose="try")


def test_another_program_cannot_use_the_code_again(factors, clock, settings):
    totp = enrol(factors, clock)
    code = totp.at(clock.now)
    factors.use_code(code, purpose="try")
    other = FactorStore(settings.state_dir, clock=clock)
    with pytest.raises(ApprovalInvalid):
        other.use_code(code, purpose="try")
    other.close()


def test_guessing_is_slowed_down_and_then_forgiven(factors, clock):
    totp = enrol(factors, clock)
    for _ in range(5):
        with pytest.raises(ApprovalInvalid, match="wrong"):
            factors.use_code("abcdef", purpose="guess")
    with pytest.raises(ApprovalInvalid, match="60 s"):
        factors.use_code(totp.at(clock.now), purpose="guess")
    clock.go_on(61)
    with pytest.raises(ApprovalInvalid, match="wrong"):
        factors.use_code("abcdef", purpose="guess")
    with pytest.raises(ApprovalInvalid, match="120 s"):
        factors.use_code(totp.at(clock.now), purpose="guess")
    clock.go_on(121)
    assert factors.use_code(totp.at(clock.now), purpose="right").person == "alice"
    with pytest.raises(ApprovalInvalid, match="wrong"):
        factors.use_code("abcdef", purpose="guess")
    clock.go_on(30)
    assert factors.use_code(totp.at(clock.now), purpose="right").person == "alice"


def test_a_code_can_be_asked_of_one_person(factors, clock):
    totp = enrol(factors, clock)
    by = factors.use_code(totp.at(clock.now), purpose="enrol")
    enrol(factors, clock, "bob", by=by)
    with pytest.raises(ApprovalInvalid, match="wrong"):
        factors.use_code(totp.at(clock.now), purpose="try", person="bob")
    assert factors.use_code(totp.at(clock.now), purpose="try", person="alice").person == "alice"
    with pytest.raises(ApprovalInvalid, match="'carol' has not"):
        factors.use_code("000000", purpose="try", person="carol")


def test_only_the_first_factor_comes_without_another_one(factors, clock, tmp_path):
    totp = enrol(factors, clock)
    new = factors.new_authenticator("mallory")
    with pytest.raises(ApprovalInvalid, match="one that is there"):
        factors.add_authenticator(new, pyotp.TOTP(new.secret).at(clock.now))
    key = str(make_key(tmp_path / "mallory.pem", "mallory").verifier)
    with pytest.raises(ApprovalInvalid, match="one that is there"):
        factors.add_key(key)
    assert [one.person for one in factors.enrolled()] == ["alice"]
    factors.add_key(key, by=factors.use_code(totp.at(clock.now), purpose="enrol"))
    assert [(one.person, one.method) for one in factors.enrolled()] == [
        ("alice", Method.TOTP), ("mallory", Method.KEY),
    ]  # fmt: skip


def test_a_secret_that_no_device_has_is_not_set_up(factors):
    new = factors.new_authenticator("alice")
    with pytest.raises(ApprovalInvalid, match="not the one of the new secret"):
        factors.add_authenticator(new, "abcdef")
    assert factors.enrolled() == []


def test_nothing_shows_the_secret(factors, clock):
    new = factors.new_authenticator("alice")
    assert new.secret in new.uri
    assert new.secret not in repr(new)
    factors.add_authenticator(new, pyotp.TOTP(new.secret).at(clock.now))
    assert new.secret not in repr(factors.enrolled())


def test_the_file_is_for_its_owner_only(factors):
    for file in factors.path.parent.glob(f"{factors.path.name}*"):
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file


def test_a_factor_can_be_taken_away(factors, clock):
    totp = enrol(factors, clock)
    by = factors.use_code(totp.at(clock.now), purpose="remove")
    with pytest.raises(NotFound):
        factors.remove("alice", Method.KEY, by=by)
    factors.remove("alice", Method.TOTP, by=by)
    with pytest.raises(ApprovalInvalid, match="nobody has enrolled"):
        factors.use_code(totp.at(clock.now), purpose="try")


def test_a_note_counts_once_for_what_it_is_about(factors, clock, tmp_path):
    signer = make_key(tmp_path / "bob.pem", "bob")
    with pytest.raises(ApprovalInvalid, match="no key is enrolled"):
        factors.use_note("x", about="this", purpose="try")
    factors.add_key(str(signer.verifier))
    now = int(clock.now.timestamp() * 1e6)
    note = sign_answer(signer, "this", confirmed=True, signed_us=now)
    with pytest.raises(ApprovalInvalid, match="is about 'this'"):
        factors.use_note(note, about="that", purpose="try")
    proof, said = factors.use_note(note, about="this", purpose="try")
    assert (proof.person, proof.method, proof.note, said.confirmed) == ("bob", Method.KEY, note, True)
    with pytest.raises(ApprovalInvalid, match="used before"):
        factors.use_note(note, about="this", purpose="try")
    assert factors.check_note(note, about="this") == said


@pytest.mark.parametrize(("seconds", "counts"), [(-3601, False), (-3599, True), (299, True), (301, False)])
def test_a_note_has_an_age(factors, clock, tmp_path, seconds, counts):
    signer = make_key(tmp_path / "bob.pem", "bob")
    factors.add_key(str(signer.verifier))
    note = sign_answer(signer, "this", confirmed=True, signed_us=int((clock.now.timestamp() + seconds) * 1e6))
    if counts:
        factors.use_note(note, about="this", purpose="try")
    else:
        with pytest.raises(ApprovalInvalid, match="hour"):
            factors.use_note(note, about="this", purpose="try")


def test_what_is_no_key_is_refused(factors):
    with pytest.raises(ConfigError):
        factors.add_key("bob+00000000+AAAA")


def test_two_programs_that_show_one_code_at_once_succeed_once(settings):
    """The time is the machine's own here, as two processes share nothing else."""
    factors = FactorStore(settings.state_dir)
    new = factors.new_authenticator("alice")
    totp = pyotp.TOTP(new.secret)
    import time

    factors.add_authenticator(new, totp.at(time.time() - 30))
    factors.close()
    script = (
        "import sys; from pathlib import Path; from reactor_core.safety.confirm import FactorStore\n"
        "from reactor_core.errors import ApprovalInvalid\n"
        "store = FactorStore(Path(sys.argv[1])); sys.stdin.readline()\n"
        "try: store.use_code(sys.argv[2], purpose='race'); print('accepted')\n"
        "except ApprovalInvalid: print('refused')\n"
    )
    code = totp.at(time.time())
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(settings.state_dir), code],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    said = sorted(racer.communicate(timeout=60)[0].strip() for racer in racers)
    assert said == ["accepted", "refused"]


def test_a_proof_has_a_json_form():
    proof = Proof("alice", Method.TOTP, "2026-11-22T03:00:00.000000Z", "try")
    assert proof.as_dict() == {
        "person": "alice", "method": "totp", "at": "2026-11-22T03:00:00.000000Z", "purpose": "try",
    }  # fmt: skip
