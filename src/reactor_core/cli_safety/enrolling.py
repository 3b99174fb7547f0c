"""``reactor safety enrol`` and ``reactor safety sign``: the factors that answers are given with."""

from __future__ import annotations

import getpass
import io
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import segno
from cyclopts import Parameter

from reactor_core.errors import ApprovalInvalid, ConfigError
from reactor_core.events.vocabulary import EventSource, EventType
from reactor_core.integration.event_bridge import EventBridge
from reactor_core.safety.confirm.factors import Enrolled, FactorStore, Proof
from reactor_core.safety.confirm.notes import make_key, person_name, read_key, sign_answer
from reactor_core.safety.confirm.question import Method
from reactor_core.safety.confirm.second_factor import require_second_factor
from reactor_core.safety.confirm.terminal import ask_line
from reactor_core.utils.command import print_json
from reactor_core.utils.settings import Settings, load_settings

__all__ = ["enrol", "sign"]

Flag = Annotated[bool, Parameter(negative=())]

ASK_SECONDS = 300.0


def enrol(
    *,
    person: str | None = None,
    key: str | None = None,
    make_key_file: Annotated[Path | None, Parameter(name="--make-key")] = None,
    remove: Literal["totp", "key"] | None = None,
    shown: Annotated[bool, Parameter(name="--list", negative=())] = False,
    code: str | None = None,
    note: Path | None = None,
    json: Flag = False,
) -> None:
    """Set up a factor that answers can be given with: an authenticator, or the key of another machine.

    Parameters
    ----------
    person
        Whose; the name of the account if absent.
    key
        The public key of an approver, as --make-key prints it on his machine.
    make_key_file
        Make a key in this new file and print its public half. For the approver's machine.
    remove
        Take the person's authenticator or key away.
    shown
        List what is set up.
    code
        A code of an authenticator that is set up; asked at the terminal if absent. The first factor needs none.
    note
        Instead of a code: a file with a signed note about what is asked for.
    json
        Print one JSON object.
    """
    name = person_name(person or getpass.getuser())
    if make_key_file is not None:
        made = str(make_key(make_key_file, name).verifier)
        _say(json, {"person": name, "key": made, "file": str(make_key_file)}, made)
        return
    settings = load_settings()
    store = FactorStore(settings.state_dir)
    try:
        if shown:
            found = [_plain(one) for one in store.enrolled()]
            lines = [f"{one['person']}\t{one['method']}\t{one['enrolled_at']}" for one in found]
            _say(json, {"factors": found}, "\n".join(lines) or "no factor is set up; set one up: reactor safety enrol")
            return
        words = note.read_text(encoding="utf-8") if note is not None else None

        def by(purpose: str, bind: str) -> Proof | None:
            if not store.enrolled():
                return None
            return require_second_factor(purpose, settings=settings, bind=bind, code=code, note=words)

        if remove is not None:
            method = Method(remove)
            if not any(one.person == name and one.method is method for one in store.enrolled()):
                raise ConfigError(f"{name!r} has no factor {method}", remedy="reactor safety enrol --list")
            proof = by(f"remove the {method} of {name}", f"remove {method} of {name}")
            assert proof is not None, "one is enrolled: the one that is removed"
            store.remove(name, method, by=proof)
            _told(settings, "removed", name, method, proof)
            _say(json, {"person": name, "removed": str(method)}, f"removed: {method} of {name}")
            return
        if key is not None:
            proof = by(f"let the key {key} answer questions", f"enrol {key}")
            enrolled = store.add_key(key, by=proof)
        else:
            proof = by(f"set up an authenticator for {name}", f"enrol authenticator of {name}")
            enrolled = _authenticator(store, name, proof)
        _told(settings, "enrolled", enrolled.person, enrolled.method, proof)
        _say(json, _plain(enrolled), f"set up: {enrolled.method} of {enrolled.person}")
    finally:
        store.close()


def sign(subject: str, *, key: Path, person: str | None = None, deny: Flag = False) -> None:
    """Print a signed answer, for a question of another machine. It counts for an hour, and once.

    Parameters
    ----------
    subject
        What it is about, as the question, or the command that needs the answer, says it.
    key
        File that ``reactor safety enrol --make-key`` made.
    person
        Name in which the key was made; the name of the account if absent.
    deny
        Answer with no.
    """
    signer = read_key(key, person or getpass.getuser())
    sys.stdout.write(sign_answer(signer, subject, confirmed=not deny, signed_us=time.time_ns() // 1000))


def _authenticator(store: FactorStore, person: str, proof: Proof | None) -> Enrolled:
    """Show a new secret once, at the terminal and nowhere else, and set it up when the device shows its code."""
    new = store.new_authenticator(person)
    picture = io.StringIO()
    segno.make(new.uri, error="m").terminal(out=picture, compact=True)
    text = (
        f"\n{picture.getvalue()}\nScan this with an authenticator, or type it there (time based, 6 digits):\n\n"
        f"    {' '.join(new.secret[i : i + 4] for i in range(0, len(new.secret), 4))}\n\n"
        "It is shown this once. The code that the authenticator shows now: "
    )
    typed = ask_line(text, seconds=ASK_SECONDS)
    if not typed:
        raise ApprovalInvalid("no code was typed; nothing is set up", remedy="reactor safety enrol")
    return store.add_authenticator(new, typed, by=proof)


def _told(settings: Settings, change: str, person: str, method: Method, proof: Proof | None) -> None:
    """Write it into the journal: who may answer is part of the audit trail."""
    data = {
        "action": f"{change} {method} of {person}",
        "change": change,
        "person": person,
        "method": str(method),
        "by": None if proof is None else proof.as_dict(),
    }
    with EventBridge(EventSource.USER, settings=settings) as bridge:
        bridge.publish_sync(EventType.SAFETY_FACTOR_CHANGED, data)


def _plain(one: Enrolled) -> dict[str, str]:
    found = {"person": one.person, "method": str(one.method), "enrolled_at": one.enrolled_at}
    return {**found, "public_key": one.public_key} if one.public_key else found


def _say(json: bool, value: Mapping[str, object], text: str) -> None:
    if json:
        print_json(value)
    else:
        sys.stdout.write(text + "\n")
