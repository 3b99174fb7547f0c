"""What a label says: the safe answer, a look, giving something up, a mere yes, or a deed of its own."""

from __future__ import annotations

import re
from enum import StrEnum

__all__ = ["Answer", "answer_of", "bare"]


class Answer(StrEnum):
    """What clicking a label means."""

    SAFE = "safe"
    LOOK = "look"
    GIVE_UP = "give up"
    YES = "yes"
    DEED = "deed"


_NEGATION = re.compile(r"(?i)^(don['’]?t|do not|never|no,? (?:don['’]?t|do not)|not)\s+(.*)$")
_KEEPING = re.compile(
    r"(?i)^(keep|retain|preserve|save|remember|back ?up|protect|ask|warn|block|encrypt|lock|verify"
    r"|log|scan|require)\b"
)
_SAFE = re.compile(
    r"(?i)^(cancel( .*)?|(close|leave|exit|continue|finish|proceed|go on|quit) without (delet|remov|eras|wip|format"
    r"|send|shar|install|pay|publish|overwrit|reset|drop)\w*.*|no|nope|no[,.]? .*|back|go back|abort|not now"
    r"|later|remind me.*|decline"
    r"|deny|reject( .*)?|never ?mind|close|close (dialog|window|tab|menu|panel)"
    r"|dismiss|skip|ignore|quit wizard|stay|stay here|keep\b.*|undo|redo|restore.*|put back|recover.*"
    r"|undelete|(undo|redo) .*|(refresh|reload|simulate|estimate|calculate|measure|monitor|trace|rescan"
    r"|recalculate) .*|plan only|compare .*|(un)?stage\b.*|preview.*|simulate|dry run.*|test|explain.*"
    r"|save( as)? (a )?(draft|copy).*|save (all|and close|changes|file|project)|copy|cut|paste"
    r"|refresh|reload|rescan|review( .*)?|plan|validate"
    r"|discard (sending|draft|message)|report (phishing|spam|junk)|(block|mute|unmute|snooze)( .*)?"
    r"|stop (all|sharing|recording|everything)|halt|next|previous|done"
    r"|minimi[sz]e|maximi[sz]e|zoom.*|collapse|expand|ok,? got it|got it|wait|hold|quarantine"
    r"|move to quarantine|make a copy|duplicate( .*)?"
    r"|archive|unarchive|mark as .*|flag|star|add to (basket|cart|bag|favou?rites|wish ?list)"
    r"|edit|rename|new (folder|file|note|tab|window|document|page|sheet|label).*"
    r"|compare|verify|check( now| for updates)?|run (tests?|checks?)|re-?run.*(tests?|checks?)"
    r"|back up now|start backup|backup now|return.*|(continue|resume) editing"
    r"|sign out|log out|lock( now)?|rotate|crop|sort.*|filter.*|group by.*|select( all)?|deselect.*"
    r"|help|fetch|pull|turn on .*|enable (protection|two.*|2fa|mfa|firewall|encryption)"
    r"|revoke( .*)?|remove (role|access|permission)s?|withdraw consent|make private|unshare|stop sharing"
    r"|leave (it )?(on|enabled|as is)|ask .*|rollback|use default.*|hide.*)$"
)
_LOOK = re.compile(
    r"(?i)^(view|show|open|browse|see|details?|more|learn more|about|read|search|find|go to|list"
    r"|print preview|properties|history|logs?|info|inspect|download"
    r"|preferences|settings|options|statistics|version history|look|examine|analy[sz]e|check"
    r"|diff|expand|explore|preview)\b"
)
_STANDING = r"subscription|membership|order|booking|plan|reservation|appointment|account|service|policy|flight"
r"|payment"
_SECRET = re.compile(
    r"(?i)(password|secret|token|\bkeys?\b|credential|passphrase|recovery code|seed|\bpin\b"
    r"|private)"
)
_GIVE_UP = re.compile(
    r"(?i)^(don['’]?t save|do not save|discard.*|(close|quit|exit|leave|log out|switch|continue) without saving"
    r"|revert( .*)?|lose changes|abandon.*"
    r"|throw away.*|reset changes|overwrite|replace( all| file)?|(close|leave|exit|quit) anyway|leave page)$"
)
_YES = re.compile(
    r"(?i)^(yes.*|ok|okay|confirm|continue( anyway)?|proceed( anyway)?|apply( now| changes)?"
    r"|start|save|submit|go|finish|accept|agree|allow|approve|grant|sure|do it"
    r"|execute|run|perform|enter|i understand[^,]*|complete|set|change|update|finali[sz]e|always"
    r"|choose|import|assign|open|export|add|connect|enable|activate|then)$"
)


def bare(label: str) -> str:
    """The label without marks of keys and menus: ``Edit > Delete...`` is ``Delete``."""
    text = label.strip().strip("[]*…").rstrip(".").strip()
    return text.rpartition(" > ")[2].strip() if " > " in text else text


def answer_of(label: str) -> Answer:
    """What a click on this label means, before anything else on the screen is looked at.

    A negation turns the label round: not deleting is safe, not keeping is a deed.
    """
    text = bare(label)
    if re.fullmatch(r"(?i)discard (sending|drafts?|message|plan|suggestions?|request|proposal)", text):
        return Answer.SAFE
    if re.match(rf"(?i)cancel (my |the |your )?({_STANDING})", text):
        return Answer.DEED
    if _GIVE_UP.match(text):
        return Answer.GIVE_UP
    negated = _NEGATION.match(text)
    if negated is not None:
        return Answer.DEED if _KEEPING.match(negated[2]) else Answer.SAFE
    if _SECRET.search(text) is None or re.match(r"(?i)(keep|cancel|hide|revoke|block)\b", text):
        if _SAFE.match(text):
            return Answer.SAFE
        if _LOOK.match(text) and not re.search(
            r"(?i)anyway|everyone|public|\bopen (up |port|access|firewall|to )", text
        ):
            return Answer.YES if text.lower() == "open" else Answer.LOOK
    return Answer.YES if _YES.match(text) else Answer.DEED
