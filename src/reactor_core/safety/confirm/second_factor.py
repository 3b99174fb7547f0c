"""One door for what needs a second factor besides actions: clearing the kill switch, and changing the factors."""

from __future__ import annotations

from reactor_core.errors import ApprovalInvalid
from reactor_core.safety.confirm.factors import FactorStore, Proof
from reactor_core.safety.confirm.question import Method
from reactor_core.safety.confirm.terminal import ask_line, terminal_there
from reactor_core.utils.settings import Settings, load_settings

__all__ = ["require_second_factor"]

ASK_SECONDS = 120.0


def require_second_factor(
    purpose: str,
    *,
    settings: Settings | None = None,
    bind: str = "",
    person: str | None = None,
    code: str | None = None,
    note: str | None = None,
    prompt: bool = True,
) -> Proof:
    """Accept a second factor and use it up.

    Args:
        purpose: What it is for, in words that a person is shown.
        settings: Where the factors are; None reads the environment.
        bind: What a signed note has to be about, such as ``kill-reset <journal id> <epoch>``; empty takes no note.
        person: Whose factor it has to be; None takes anybody's.
        code: A code of an authenticator.
        note: A note that ``reactor safety sign`` made of ``bind``, with the answer to confirm.
        prompt: Ask for a code at the terminal if neither is given.

    Returns:
        Who showed what, as evidence for the journal.

    Raises:
        ApprovalInvalid: None was given, or it does not count. Nothing may be done on it.
        JournalError: The factors cannot be read.
    """
    store = FactorStore((settings or load_settings()).state_dir)
    try:
        if note is not None:
            if not bind:
                raise ApprovalInvalid("a signed note is not enough for this", remedy="give an authenticator's code")
            proof, said = store.use_note(note, about=bind, purpose=purpose)
            if not said.confirmed or person not in (None, said.person):
                raise ApprovalInvalid(f"the note of {said.person} does not agree to this")
            return proof
        if not store.enrolled():
            raise ApprovalInvalid(f"to {purpose} needs a second factor, and none is enrolled", remedy=_ENROL)
        if code is None and prompt and _codes_there(store) and terminal_there():
            code = ask_line(f"Code of an authenticator, to {purpose}: ", seconds=ASK_SECONDS, hidden=True)
        if not code:
            raise ApprovalInvalid(f"to {purpose} needs a second factor", remedy="give an authenticator's code")
        return store.use_code(code, purpose=purpose, person=person)
    finally:
        store.close()


_ENROL = "set one up first: reactor safety enrol"


def _codes_there(store: FactorStore) -> bool:
    return any(one.method is Method.TOTP for one in store.enrolled())
