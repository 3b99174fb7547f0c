"""The second factors of this machine's people: authenticators (TOTP, RFC 6238) and public keys of other machines.

They lie in a file of their own in the state folder, outside every workspace: a workspace is copied and shown around,
and what is enrolled counts for all of them. Each code is used up in the transaction that accepts it, and so is each
note, so neither can be played again, by whichever process. Wrong codes cost time: after five in a row nobody's code is
looked at for a minute, then for two, four, and so on up to an hour.

Who can read the file can make codes. What that means on a machine whose account an agent shares is written down in
docs/reference/safety-threat-model.md.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pyotp

from reactor_core.errors import ApprovalInvalid, ConfigError, NotFound
from reactor_core.events.event import from_micros, to_micros
from reactor_core.events.note import NoteError, Verifier
from reactor_core.events.schema import connect, journal_errors
from reactor_core.safety.confirm.notes import Note, open_answer, person_name
from reactor_core.safety.confirm.question import Method
from reactor_core.utils.clock import Clock, SystemClock, to_iso

__all__ = ["FACTORS_NAME", "Enrolled", "FactorStore", "NewAuthenticator", "Proof"]

T = TypeVar("T")

FACTORS_NAME = "factors.db"
"""File name inside the state folder."""

STEP_SECONDS = 30
_WINDOW = (0, -1, 1)
"""Steps whose code is taken: phones are seconds slow or fast, and people type slowly."""

FREE_FAILURES = 5
PAUSE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 3600.0

NOTE_SECONDS = 3600.0
"""Age at which a signed note is no answer any more."""
AHEAD_SECONDS = 300.0
"""How far the clock of the signing machine may be ahead."""

_TABLES = """
    CREATE TABLE IF NOT EXISTS factors (
        person      TEXT NOT NULL,
        kind        TEXT NOT NULL,              -- totp or key
        secret      TEXT NOT NULL,              -- shared secret in base32, or the public key
        enrolled_us INTEGER NOT NULL,
        last_step   INTEGER NOT NULL DEFAULT 0, -- of the newest code that was used
        PRIMARY KEY (person, kind)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS failures (
        one      INTEGER PRIMARY KEY CHECK (one = 1),
        count    INTEGER NOT NULL,
        until_us INTEGER NOT NULL               -- no code is looked at before
    ) STRICT;
    CREATE TABLE IF NOT EXISTS used_notes (digest BLOB PRIMARY KEY, until_us INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""


class Proof(msgspec.Struct, frozen=True):
    """That a person showed a second factor.

    Attributes:
        person: Who.
        method: With what.
        at: When, ISO 8601 in UTC.
        purpose: What for.
        note: The signed note, for the method ``key``.
    """

    person: str
    method: Method
    at: str
    purpose: str
    note: str = ""

    def as_dict(self) -> dict[str, str]:
        """For JSON, as evidence in the journal."""
        said = {"person": self.person, "method": str(self.method), "at": self.at, "purpose": self.purpose}
        return {**said, "note": self.note} if self.note else said


class Enrolled(msgspec.Struct, frozen=True):
    """A factor that is set up; without its secret."""

    person: str
    method: Method
    enrolled_at: str
    public_key: str = ""


class NewAuthenticator(msgspec.Struct, frozen=True):
    """A secret for an authenticator that is not set up yet.

    Attributes:
        person: Whose.
        secret: In base32, as people type it.
        uri: The same as ``otpauth://``, for a QR code.
    """

    person: str
    secret: str
    uri: str

    def __repr__(self) -> str:
        return f"NewAuthenticator(person={self.person!r})"


class FactorStore:
    """The factors of a machine. Every method may be called from any thread, and by several processes at once.

    Args:
        folder: The state folder.
        clock: The time.

    Raises:
        JournalError: The file cannot be opened.
    """

    def __init__(self, folder: Path, *, clock: Clock | None = None) -> None:
        self.path = Path(folder) / FACTORS_NAME
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._db = connect(self.path)
        self._within(lambda: self._db.execute(_TABLES))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def enrolled(self) -> list[Enrolled]:
        """What is set up, in order of names."""
        with self._lock, journal_errors(self.path):
            rows: list[tuple[Any, ...]] = self._db.execute(
                "SELECT person, kind, enrolled_us, secret FROM factors ORDER BY person, kind"
            ).fetchall()
        return [
            Enrolled(person, Method(kind), to_iso(from_micros(at)), secret if kind == Method.KEY else "")
            for person, kind, at, secret in rows
        ]

    def new_authenticator(self, person: str, *, issuer: str = "Reactor") -> NewAuthenticator:
        """A new secret. It counts once :meth:`add_authenticator` has seen a code of it.

        Raises:
            ConfigError: The name cannot be used.
        """
        secret = pyotp.random_base32()
        uri = pyotp.TOTP(secret).provisioning_uri(name=person_name(person), issuer_name=issuer)
        return NewAuthenticator(person, secret, uri)

    def add_authenticator(self, new: NewAuthenticator, code: str, *, by: Proof | None = None) -> Enrolled:
        """Set up an authenticator, in place of the person's earlier one.

        Args:
            new: Made by :meth:`new_authenticator`.
            code: What the person's device shows, so that a secret nobody has is never the only one.
            by: Proof of a factor that was there before; only the first factor of a machine needs none.

        Raises:
            ApprovalInvalid: The code is wrong, or ``by`` is needed.
        """
        step = self._step_of(new.secret, code, after=0)
        if step is None:
            raise ApprovalInvalid("the code is not the one of the new secret", remedy="check the device's clock")
        return self._add(new.person, Method.TOTP, new.secret, step, by)

    def add_key(self, verifier: str, *, by: Proof | None = None) -> Enrolled:
        """Set up the public key of a person, in place of an earlier one. Its name is the person's.

        Args:
            verifier: As ``reactor safety enrol --make-key`` prints it: ``name+hash+key``.
            by: As in :meth:`add_authenticator`.

        Raises:
            ApprovalInvalid: ``by`` is needed.
            ConfigError: It is no verifier key.
        """
        try:
            key = Verifier.from_text(verifier)
        except NoteError as error:
            raise ConfigError(f"key={verifier!r:.100}: {error}") from error
        return self._add(person_name(key.name), Method.KEY, str(key), 0, by)

    def remove(self, person: str, method: Method, *, by: Proof) -> None:
        """Take a factor away. The last one of a machine can be taken away by itself.

        Raises:
            NotFound: There is none.
        """

        def work() -> None:
            self._db.execute("DELETE FROM factors WHERE person = ? AND kind = ?", (person, str(method)))
            if not self._db.changes():
                raise NotFound(f"{person!r} has no factor {method}")

        assert by.person, "who takes it away has shown a factor"
        self._within(work)

    def use_code(self, code: str, *, purpose: str, person: str | None = None) -> Proof:
        """Accept a code and use it up.

        Args:
            code: Six digits; spaces are passed over.
            purpose: What for.
            person: Whose it has to be; None takes anybody's.

        Raises:
            ApprovalInvalid: It is wrong or used, nobody is enrolled, or too many were wrong.
        """

        def work() -> Proof | ApprovalInvalid:
            now = to_micros(self._clock.utc_now())
            count, until = self._failures()
            if now < until:
                left = (until - now) / 1e6
                return ApprovalInvalid(f"too many wrong codes; the next one is looked at in {left:.0f} s")
            rows: list[tuple[Any, ...]] = self._db.execute(
                "SELECT person, secret, last_step FROM factors WHERE kind = 'totp'"
            ).fetchall()
            mine = [row for row in rows if person in (None, row[0])]
            if not mine:
                who = "nobody has" if person is None else f"{person!r} has not"
                return ApprovalInvalid(f"{who} enrolled an authenticator", remedy="reactor safety enrol")
            for name, secret, last in mine:
                step = self._step_of(secret, code, after=last)
                if step is not None:
                    self._db.execute(
                        "UPDATE factors SET last_step = ? WHERE person = ? AND kind = 'totp'", (step, name)
                    )
                    self._db.execute("DELETE FROM failures")
                    return Proof(name, Method.TOTP, to_iso(self._clock.utc_now()), purpose)
            self._failed(count + 1, now)
            return ApprovalInvalid("the code is wrong or was used before", remedy="wait for the next one")

        found = self._within(work)  # a wrong code is counted, so it must not undo the transaction
        if isinstance(found, ApprovalInvalid):
            raise found
        return found

    def use_note(self, note: str, *, about: str, purpose: str) -> tuple[Proof, Note]:
        """Accept a signed note and use it up.

        Args:
            note: The text.
            about: What it has to be about.
            purpose: What for.

        Raises:
            ApprovalInvalid: It is not signed by an enrolled key, is about something else, too old, or used.
        """
        said = self.check_note(note, about=about)
        now = to_micros(self._clock.utc_now())
        if not now - NOTE_SECONDS * 1e6 <= said.signed_us <= now + AHEAD_SECONDS * 1e6:
            raise ApprovalInvalid("the note was signed more than an hour ago, or in the future", remedy="sign it again")
        digest = hashlib.sha256(note.encode()).digest()
        until = said.signed_us + int((NOTE_SECONDS + AHEAD_SECONDS) * 1e6)

        def work() -> None:
            self._db.execute("DELETE FROM used_notes WHERE until_us < ?", (now,))
            if self._db.execute("SELECT 1 FROM used_notes WHERE digest = ?", (digest,)).fetchone():
                raise ApprovalInvalid("the note was used before", remedy="sign a new one")
            self._db.execute("INSERT INTO used_notes VALUES (?, ?)", (digest, until))

        self._within(work)
        return Proof(said.person, Method.KEY, to_iso(self._clock.utc_now()), purpose, note), said

    def check_note(self, note: str, *, about: str) -> Note:
        """What a note says, whatever its age, and without using it up.

        Raises:
            ApprovalInvalid: It is not signed by an enrolled key, or is about something else.
        """
        keys = [Verifier.from_text(one.public_key) for one in self.enrolled() if one.method is Method.KEY]
        if not keys:
            raise ApprovalInvalid("no key is enrolled", remedy="reactor safety enrol --key KEY")
        said = open_answer(note, keys)
        if said.about != about:
            raise ApprovalInvalid(f"the note is about {said.about!r:.200}, and not about {about!r:.200}")
        return said

    def _add(self, person: str, method: Method, secret: str, step: int, by: Proof | None) -> Enrolled:
        now = self._clock.utc_now()

        def work() -> None:
            if by is None and self._db.execute("SELECT count(*) FROM factors").get:
                raise ApprovalInvalid(
                    "another factor can only be set up with one that is there",
                    remedy="give a code of an enrolled authenticator, or a signed note",
                )
            self._db.execute(
                "INSERT OR REPLACE INTO factors VALUES (?,?,?,?,?)",
                (person, str(method), secret, to_micros(now), step),
            )

        self._within(work)
        return Enrolled(person, method, to_iso(now), secret if method is Method.KEY else "")

    def _step_of(self, secret: str, code: str, *, after: int) -> int | None:
        """The step that a code belongs to, if it is later than ``after``. All are compared, in constant time."""
        digits = "".join(code.split())
        now = int(self._clock.utc_now().timestamp()) // STEP_SECONDS
        totp = pyotp.TOTP(secret)
        found = None
        for offset in _WINDOW:
            right = hmac.compare_digest(totp.generate_otp(now + offset).encode(), digits.encode())
            if right and now + offset > after and found is None:
                found = now + offset
        return found

    def _failures(self) -> tuple[int, int]:
        row = self._db.execute("SELECT count, until_us FROM failures").fetchone()
        return (0, 0) if row is None else (int(row[0]), int(row[1]))

    def _failed(self, count: int, now: int) -> None:
        over = count - FREE_FAILURES
        pause = 0.0 if over < 0 else min(LONGEST_PAUSE_SECONDS, PAUSE_SECONDS * 2.0 ** min(over, 10))
        self._db.execute("INSERT OR REPLACE INTO failures VALUES (1, ?, ?)", (count, now + int(pause * 1e6)))

    def _within(self, work: Callable[[], T]) -> T:
        """One transaction, on disk before it returns; what ``work`` raises undoes it."""
        with self._lock, journal_errors(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                found = work()
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
            return found
