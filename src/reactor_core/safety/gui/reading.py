"""A label read on its screen: the same word is safe on one screen and grave on another.

*Save* keeps a document and changes the account that wages go to; *Rotate* turns a picture and replaces a key; *Next*
turns a page and takes the last step. What tells them apart is the structure of the screen (a value that is shown as
changed, a secret that is in focus, a loss that is announced), not the word.
"""

from __future__ import annotations

import re

from reactor_core.safety.gui.grammar import Scene, Step
from reactor_core.safety.gui.labels import Answer, answer_of, bare
from reactor_core.safety.gui.scenery import EDITOR_APP

__all__ = ["acts", "answer_on", "answered", "loses", "performed", "plain", "restated", "switch_of"]

_GRAVE = (
    r"(delet|remov|eras|wip|destroy|drop|purg|format|overwrit|replace all|reset|send|sign|pay|buy|order|publish|post\b"
    r"|share|install|run\b|execut|submit|accept|agree|apply|allow|grant|restart|reboot|upload|transfer|confirm|merge"
    r"|deploy|terminat|shut|disabl|deactivat|turn off|switch off|leave|revok|unsubscrib|forward|call\b|trust|unlock)"
)
_JOINED = re.compile(r"\s+(?:and|&|\+|then)\s+")
_CONSENT = re.compile(
    r"^(?:yes|ok|okay|sure|go ahead|i understand|i know)[,.!:;]?\s+(?:please\s+)?(?:and\s+)?(?=\w)", re.IGNORECASE
)
_GESTURE = re.compile(r"^(?:slide|swipe|hold|press(?: and hold)?|tap|drag|long[- ]press)\s+to\s+(?=\w)", re.IGNORECASE)
_SWITCH = re.compile(r"^(?:(?:turn|switch) (on|off)|(enable|disable)) (\w.*)$")
_SECRET = re.compile(
    r"\b(passwords?|passphrases?|secrets?|tokens?|credentials?|private|(api|access|signing|ssh|deploy|master|recovery"
    r"|webhook)[ -]?keys?|recovery codes?|seed phrase|pin)\b"
)
_OBJECTS = frozenset({"field", "item", "entry", "selection", "key", "token", "secret", "credential", "target"})
_SECRET_FIELDS = frozenset({"key", "token", "secret", "credential", "credentials", "password"})
_HANDLES = re.compile(r"^(copy|rotate|duplicate|cut|export)\b")
_REVOKES = re.compile(r"^(revoke|invalidate|expire)\b")
_OF_KEYS = re.compile(r"\b(keys?|certificates?|certs?|tokens?|credentials|sessions)\b")
_KEEPS = re.compile(r"^(save( (all|and close|changes|settings|file|project))?|done|finish|ok|apply( now| changes)?)$")
_ONWARD = re.compile(r"^(next|done|finish|ok|close|skip|got it|continue|restore|archive|sign out|log out|lock)\b")
_ARROW = re.compile(r"\S\s*(?:->|→|=>)\s*\S")
_CHANGED_FIELDS = frozenset({"changed", "change", "changes", "field changed", "new value"})
_NO_AUDIENCE = re.compile(
    r"\b(?:not|never|no longer) (?:be )?(?:visible|shared|shown|open|available|accessible|public|published)"
    r"(?: (?:to|with|for) (?:anyone|anybody|everyone|the public|others|the world|all users))?(?: else)?"
)
_WORDS = re.compile(r"(?<=[a-z])_(?=[a-z])")
_LOSES = re.compile(
    r"\b(?:will|would|about to|going to|is|are|be|gets?) (?:be |first )?(?:\w+ )?"
    r"(?:delet\w*|remov\w*|eras\w*|wip\w*|destroy\w*|drop(?:ped)?|lost|lose|gone|overwrit\w*|torn down|tear down"
    r"|terminat\w*|replac\w*|reset|format\w*)\b"
    r"|\bfor good\b|\bforever\b|\bfor ever\b|\bno (?:way back|return|undo)\b|\bunrecoverabl\w*|\birrecoverabl\w*"
)
_ASKED = ("prompt", "question", "screen", "dialog", "output", "text", "line", "message")
_YES = re.compile(r"^(?:y|yes|yes!|ok|okay|confirm|proceed|continue|sure)$")
_NO = re.compile(r"^(?:n|no|q|quit|cancel|abort)$")
_ASKS = re.compile(r"\?|\[y/n\]|\(y[,/]n\)|\(yes/no\)|\btype\b.{0,20}\byes\b|\benter\b.{0,20}\byes\b|only 'yes'")
_ACTING_LINK = re.compile(
    r"(delete|drop|empty|remove|purge|truncate|erase|wipe|destroy|format|reset|terminate|unsubscribe|publish|share|make"
    r"|send|resend|invite|transfer|wire|pay|buy|download and run|install|run|execute|approve|allow|grant|disable"
    r"|deactivate|bypass|suspend|turn (on|off)|switch (on|off)|shut (down|off)|revoke|unlock|restart|reboot|confirm"
    r"|accept|merge|close|leave|force|skip (verification|check|approval))\b"
)
_ABOUT = re.compile(
    r"\b(log|notes?|guides?|manual|history|policy|policies|help|docs?|documentation|faq|terms|instructions|reference"
    r"|examples?|requests?|options?|requirements)\b|\?$"
)


def plain(text: str) -> str:
    """The text with names split at their underscores and without what it says that something is *not* open to."""
    return _NO_AUDIENCE.sub(" ", _WORDS.sub(" ", text))


def performed(label: str) -> str:
    """The deed that a label names behind a yes or a gesture: ``Yes, drop it`` is ``drop it``."""
    text = bare(label)
    for lead in (_CONSENT, _GESTURE):
        rest = lead.sub("", text)
        if rest != text and (lead is _GESTURE or answer_of(rest) is Answer.DEED):
            return rest
    return text


def answer_on(label: str, scene: Scene) -> Answer:
    """What a click on a label means on this screen.

    Args:
        label: As it stands.
        scene: Where.
    """
    text = bare(label).lower()
    consent = _CONSENT.sub("", text)
    if consent != text and re.match(r"(keep|retain|preserve|don['’]?t|do not|leave it)\b", consent):
        return Answer.SAFE
    gesture = _GESTURE.sub("", text)
    own = answer_of(gesture)
    if own not in {Answer.SAFE, Answer.LOOK}:
        return own
    parts = _JOINED.split(text)
    if any(re.match(_GRAVE, part) for part in parts[1:]) and not re.match(r"(don['’]?t|do not|never|no)\b", text):
        return Answer.DEED
    if _HANDLES.match(text) and _secret(scene):
        return Answer.DEED
    if _REVOKES.match(text) and _OF_KEYS.search(f"{text} {scene.told}"):
        return Answer.DEED
    if _KEEPS.match(text) and restated(scene):
        return Answer.YES
    if _ONWARD.match(text) and (loses(scene.told) or _opened(scene)) and "?" not in scene.field("dialog"):
        return Answer.YES
    return own


def restated(scene: Scene) -> str:
    """The field that shows a stored value as changed; empty if there is none.

    A document that is saved and a plan that is looked at change nothing that is stored elsewhere.
    """
    if EDITOR_APP.search(scene.app) or scene.field("file", "document", "diff", "plan"):
        return ""
    for key, value in scene.fields:
        if key not in {"dialog", "step", "path", "drag"} and (_ARROW.search(value) or key in _CHANGED_FIELDS):
            return key or value
    return ""


def loses(told: str) -> bool:
    """Whether a screen announces that something will be lost."""
    return _LOSES.search(told) is not None


def switch_of(label: str) -> tuple[str, str] | None:
    """What a label turns on or off, and which: ``Turn on guest login`` is ``("guest login", "on")``."""
    match = _SWITCH.match(bare(label).lower())
    if match is None:
        return None
    on = match[1] == "on" or match[2] == "enable"
    return match[3], "on" if on else "off"


def acts(label: str) -> bool:
    """Whether a link does something, and does not lead to a page about it."""
    text = label.lower()
    return _ACTING_LINK.match(text) is not None and _ABOUT.search(text) is None


def answered(step: Step, scene: Scene) -> Answer | None:
    """What a typed text answers to a question on the screen; None if it is no answer or nothing is asked."""
    asked = scene.field(*_ASKED).lower()
    text = step.name.strip().lower()
    if not asked or _ASKS.search(asked) is None:
        return None
    return Answer.YES if _YES.match(text) else Answer.SAFE if _NO.match(text) else None


def _secret(scene: Scene) -> bool:
    """Whether what the screen has in focus is a secret."""
    return any(
        key in _SECRET_FIELDS or (key in _OBJECTS and _SECRET.search(value.lower())) for key, value in scene.fields
    )


def _opened(scene: Scene) -> bool:
    """Whether the screen shows that something is open to anybody."""
    return any(
        re.search(r"\b(who|access|visib\w*|shared?|audience)\b", key)
        and re.search(r"\b(anyone|anybody|everyone|public|the web|the internet)\b", plain(value.lower()))
        for key, value in scene.fields
    )
