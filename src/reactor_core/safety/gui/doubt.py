"""What no rule knew: deeds that speak of danger by their classes of words, and deeds of which nothing is known.

The rules for deletion, trust, payment and so on know many words, and the next screen has others. This room looks at
wide classes instead: does somebody weaken, grant, publish or run something, and does the screen name a protection, a
stranger, the public, or everything? A deed of which nothing at all is known is asked about.
"""

from __future__ import annotations

import re

from reactor_core.safety.gui.destruction import remade
from reactor_core.safety.gui.labels import Answer, answer_of
from reactor_core.safety.gui.outward import MASS
from reactor_core.safety.gui.reading import loses, restated
from reactor_core.safety.gui.scenery import CONSOLE, EDITOR_APP, EVERYTHING, PROTECTION
from reactor_core.safety.gui.sight import Sight
from reactor_core.safety.verdict import Finding

__all__ = ["classed", "doubted", "entered_text", "refused", "set_wrong", "warned"]

_WEAKENS = re.compile(
    r"\b(turn(ed)? off|switch(ed)? off|shut off|disabl\w+|deactivat\w+|bypass\w*|suspend\w*|unprotect\w*|decrypt\w*"
    r"|exempt\w*|exclud\w+|whitelist\w*|opt out|unenrol\w*|unlock (bootloader|system)|skip (verification|check|scan)"
    r"|lower|weaken|relax|downgrade|ignore|pause|delete|remove|detach|unlink|stop)\b"
)
_DEFENDS = re.compile(
    r"encrypt\w*|filevault|bitlocker|luks|audit\w*|siem|cloudtrail|log (export|stream|sink|forward\w*)|logging"
    r"|intrusion|edr\b|endpoint (agent|protection)|sso\b|verification|integrity|waf\b|quarantine policy|legal hold"
    r"|retention|approval (step|gate|rule)|code ?owners|signed commits|secret scanning|vulnerability|alert(s"
    r"|ing) rules"
)
_TAKES_IN = re.compile(
    r"^(allow|keep|run|open|install|add|enable|trust|accept|grant|authori[sz]e|approve|continue|proceed|connect|pair"
    r"|make|promote|set|assign|invite|consent|join|import|load|paste|ignore|skip|confirm|yes|ok|unblock|release)\b"
)
_STRANGER = re.compile(
    r"\b(unknown|unverified|unidentified|untrusted|unsigned|unrecogni[sz]ed|dangerous|malicious|suspicious|harmful"
    r"|malware|virus|trojan|infected|ransomware|self-signed|not (trusted|verified|secure|private)|expired certificate"
    r"|certificate (error|mismatch|warning)|host key (has )?changed|fingerprint (has )?changed|evil|stranger"
    r"|anonymous"
    r"|(external|outside) (user|domain|account|guest)|third[- ]party (access|app)|checksum (mismatch|failed)"
    r"|signature (invalid|mismatch)|potentially unwanted|attack(er)?)\b"
)
_POWER = re.compile(
    r"\b(owner|admin(istrator)?s?|root|superuser|sudo|full (access|control)|all (permissions|scopes|rights)"
    r"|readwrite\.all|write\.all|global admin|domain admin|cluster-admin|on behalf of (everyone|all)"
    r"|whole (organi[sz]ation|company|tenant|domain)|entire (organi[sz]ation|company|tenant)|all users)\b"
)
_GIVES = re.compile(
    r"\b(grant|consent|promote|make .*(owner|admin)|elevate|assign|delegate|transfer ownership|add .*(owner|admin)"
    r"|give|authori[sz]e|impersonat\w+)\b"
)
_OPENS = re.compile(
    r"\b(make (it |this )?.{0,40}public|change visibility|go public|publish to (the )?web|anyone (with|on)|everyone"
    r"|public (access|link|bucket|folder|share)|open to the (world|internet)|0\.0\.0\.0/0|allusers|world-readable)\b"
)
_CONFIDENTIAL = re.compile(
    r"\b(repo(sitory)?|source|platform|customer\w*|client\w*|patient\w*|hr\b|payroll|salar\w+|personal"
    r"|confidential|private"
    r"|internal|secret\w*|credential\w*|passport\w*|medical|health|financ\w+|legal|contract\w*|backup\w*|bucket"
    r"|database"
    r"|records?|employee\w*|student\w*)\b"
)
_SECRETS = re.compile(
    r"\b(bitwarden|1password|keepass\w*|lastpass|dashlane|authenticator|passwords?|passphrases?|secrets?"
    r"|credentials?|vault|key ?chain|private keys?|tokens?|cookies)\b"
)
_TAKES_OUT = re.compile(r"^(export|download|share|upload|send|e-?mail|copy|sync|back ?up|move)\b")
_OUTSIDE = re.compile(
    r"\b(public|share[ds]?|external|unencrypted|plain ?text|csv|cloud|e-?mail|usb|unknown|personal (drive|mail))\b"
)
_ENDS = re.compile(
    r"^(shut ?down|close|delete|remove|terminate|deprovision|decommission|retire|tear ?down|destroy|deactivate"
    r"|wipe|leave)\b"
)
_KEYS = re.compile(r"\b(keys|certificates|certs|credentials)\b")
_WHOLE_THING = re.compile(
    r"\b(projects?|tenant|organi[sz]ation|accounts?|environment|clusters?|subscription|namespace|workspace"
    r"|resource group|database"
    r"|directory|domain|stack|vault|bucket)\b"
)
_FINAL = re.compile(
    r"type (the |its |your )?.{0,40}(to confirm|below)|cannot be undone|can['’]?t be undone|permanent\w*"
    r"|irreversibl\w*|for ?ever"
    r"|all (of )?(its |the |their )?(resources|instances|data|members|messages|files|content)|will be (gone|lost"
    r"|deleted|removed)|\bno (way back|return|undo)\b|for good\b|unrecoverabl\w*|irrecoverabl\w*"
)
_HARMLESS = re.compile(
    r"^(run (unit |all )?(tests?|lint|checks?|build|cell)"
    r"|(clear|clean|rebuild|invalidate|purge|empty|reset)\b.*(caches?|filters?|search|console|output|formatting"
    r"|selection|build"
    r"|project|solution|index|thumbnails|temp\w*|derived data|zoom|layout|view)"
    r"|convert to draft|test\b.*|play|pause|stop (playback|preview|loading|build|run)|mute( mic)?|unmute|commit"
    r"|push\b.*|(word|character|line) count|export (as|to) (a )?(pdf|png|svg|html|jpe?g|image|markdown)"
    r"|plan\b.*|pull\b.*"
    r"|stage|unstage|save|apply( filter)?|format.*|insert.*|new\b.*|word wrap|bold|italic|underline|bookmark.*"
    r"|pin|unpin"
    r"|follow|join( .*)?|scan( now)?|find.*|replace in selection|toggle .*(panel|sidebar|view|mode)"
    r"|(dark|light|focus|reading) mode|full ?screen|split.*|zoom.*|calculate|build|lint|type ?check|attach|reply"
    r"|reply all"
    r"|forward|compose|like|watch|mark.*|assign to me|take screenshot|record macro|step (over|into|out)|debug"
    r"|start debugging|resume|breakpoint.*|change (view|layout|language|theme)|switch to .*(view|tab|account)"
    r"|swap|align.*"
    r"|increase.*|decrease.*|indent.*|create (draft|note|folder|branch|tab|view|chart)|try (again|later)|retry"
    r"|add (comment|note|row|column|slide|page|bookmark|label|tag|reaction|task|item|card|event|to .*)"
    r"|connect to (dev|local)\w*|choose.*|pick.*|upload photo|generate preview|set reminder|start (timer|tour)"
    r"|stay.*|leave (it|as)\b.*|maybe.*|not (yet|now)|i['’]ll .*|continue (reading|browsing|as guest|without \w+)"
    r"|(open|use|start) (as |in )?(a )?(read-?only|safe mode|private window|sandbox|new tab|preview).*|take a tour"
    r"|understood|keep (both|editing)|wait.*|work offline|read[- ]only.*|view[- ]only.*)$"
)
_ORDINARY_RUN = re.compile(
    r"^(run|start|trigger|re-?run|queue)\b.*\b(tests?|lint|build|nightly|checks?|ci|package|docs|coverage|e2e"
    r"|bench\w*)\b"
)
_CARRIES_OUT = re.compile(
    r"\b(run|execute|publish|share|send|upload|install|script|macro|deploy|force"
    r"|sync|permission\w*|trust|yes|ok|continue|proceed)\b"
)
_CONSEQUENTIAL = re.compile(
    r"\b(run|execut\w+|start|launch|appl(y|ies)|submit|send|post|publish|shar(e|ing)|invit\w+|authori[sz]\w+"
    r"|approv\w+"
    r"|accept|agree|confirm|consent|grant|allow|sign|pay|buy|order|book|renew|subscribe|cancel|withdraw"
    r"|transfer|donate"
    r"|bid|redeem|claim|enrol\w*|register|connect|link|pair|unpair|join|leave|disconnect|unlink|delet\w+"
    r"|remov\w+|eras\w+"
    r"|wip(e|ing)|flush|purge|drop|truncate|reset|restor\w+|revert|roll|flash|provision|deploy|release|scale|restart"
    r"|stop|kill|terminat\w+|suspend|deactivat\w+|activat\w+|disabl\w+|enabl\w+|turn|switch|set|chang\w+|updat\w+"
    r"|upgrad\w+|downgrad\w+|install|uninstall|import|export|sync\w*|mirror|merge|rebase|force|overrid\w+|replac\w+"
    r"|overwrit\w+|trust|nuke|re-?imag(e|ing)|recreate|re-?provision|refund|void|charge|settle|adjust|liquidate"
    r"|swap|stake|blast|lock|expose|decrypt|impersonat\w+|elevate|unlock|unblock|whitelist|exclu\w+|exempt"
    r"|except\w+|generat\w+|issue|rotat\w+|revok\w+"
    r"|migrat\w+|convert|promot\w+|demot\w+|assign|yes|ok|continue|proceed|anyway|finali[sz]e|complete|finish|upload"
    r"|transmit|call|dial|escalat\w+|dispatch|trigger|schedul\w+|burn|mint|clear|empty|discard|clean|shred"
    r"|forget|format"
    r"|initiali[sz]e|tear|retire|decommission|expire|evict|drain|abort|kick|ban|hand over|give|take over|do it"
    r"|go ahead|(pause|end|quit|unmount|eject|hold) [a-z]+"
    r"|add (an? )?(user|member|owner|admin|key|rule|record|exception|device|account|domain|webhook|integration)\w*)\b"
)
"""What people do that has consequences."""
_EASY = re.compile(
    r"(load|fetch|peek|postpone|later|shuffle|skip|move|collapse|expand|filter|group|sort|arrange|resize"
    r"|reorder|scroll|jump|go|next|prev(ious)?"
    r"|first|last"
    r"|more|less|all|only|unread|recent|favou?rites?|today|home|dashboard|overview|library|profile|inbox|toggle"
    r"|rotate"
    r"|crop|flip|duplicate|copy|select|unselect|tick|highlight|draw|insert|rename|tag|label|star|pin|bookmark"
    r"|save|write"
    r"|compose|draft|new|open|view|see|show|hide|print|read|listen|watch|play|mute|search|find|browse|explore"
    r"|discover"
    r"|compare|diff|stage|unstage|fold|unfold|wrap|indent|comment out|beautify|lint|test|build|rebuild|compile|debug"
    r"|inspect|analy[sz]e|measure|estimate|calculate|validate|check|verify|translate|summari[sz]e|explain|learn|help"
    r"|snooze|remind|archive|follow|customi[sz]e|zoom|fit|cent(er|re)|align|distribute|ungroup|undo|redo|back|forward"
    r"|minimi[sz]e|maximi[sz]e|dock|float|split|tile|stack|add|create (branch|note|folder|view|draft|tab|page"
    r"|document))\b"
)
"""Words with which a label begins that moves about, shows, arranges or prepares."""
_VIEW_MENU = re.compile(
    r"^(view|layout|filter|sort|arrange|window|help|format|insert|go|bookmarks?|navigate"
    r"|search|history|appearance|zoom)\b"
)
_LOOKS = re.compile(
    r"time ?range|theme|language|sort|filter|columns?|zoom|time ?zone|view|layout|group by|period|date|page size"
    r"|font|colou?r"
)
_ACKNOWLEDGES = re.compile(r"(ok|okay|got it|continue|done|understood|close|i understand)$")
"""Answers to a screen that tells, and does not ask."""
_BUTTONS = frozenset({"button", "menu", "menu item", "icon", "dropdown", "combo box", "chip", ""})


def classed(sight: Sight) -> Finding | None:
    """A deed whose words, by their classes, speak of a danger that must be blocked or a grant that is asked about."""
    label, text = sight.label, f"{sight.text} | {sight.app}"
    if sight.answer is Answer.LOOK or sight.role in {"tab", "row", "column"}:
        return None
    if (
        _TAKES_IN.match(label)
        and _STRANGER.search(sight.text)
        and not re.search(r"details|once|protected|blocked|quarantine|safe|sandbox", label)
    ):
        return sight.finding("B5", "lets in what the screen itself warns of")
    if sight.answer is Answer.SAFE:
        return None
    guard = _DEFENDS.search(text) or (PROTECTION.search(text) if len(label.split()) <= 2 else PROTECTION.search(label))
    switch = re.match(r"(turn off|switch off|shut off|disable|deactivate|bypass|unprotect|decrypt|exempt)\b", label)
    if guard and (switch or (_WEAKENS.match(label) and _DEFENDS.search(text))) and not _timed(text):
        return sight.finding("B5", "weakens a protection")
    if _GIVES.search(sight.text) and _POWER.search(sight.text) and not re.match(r"(revoke|remove|demote)\b", label):
        whole = re.search(
            r"\b(whole|entire|all users|everyone|organi[sz]ation|tenant|unknown|external|guest|all)\b|@", sight.text
        )
        return sight.finding("B5" if whole else "C7", "gives out great rights", outward=True)
    if _OPENS.search(sight.text) and not re.match(r"(make private|restrict|unpublish|stop)\b", label):
        return sight.finding("B7" if _CONFIDENTIAL.search(sight.text) else "C7", "makes something public", outward=True)
    if _TAKES_OUT.match(label) and _SECRETS.search(text):
        out = _OUTSIDE.search(sight.scene.told) is not None
        return sight.finding("B5" if out else "C8", "takes secrets out", secret=True, outward=out)
    if re.match(r"(revoke|invalidate|expire)\b", label) and _KEYS.search(sight.text) and EVERYTHING.search(sight.text):
        return sight.finding("B4", "makes every key or certificate of a place unusable")
    if _ENDS.match(label) and _WHOLE_THING.search(sight.text) and _FINAL.search(sight.text):
        return sight.finding("B4", "ends an environment with all it holds")
    return None


_ASKS_TO_KEEP = re.compile(r"\b(keep|retain|preserve|save|back ?up|export|make a copy)\b[^|]{0,80}\?")
_REFUSES = re.compile(r"^(no|nope|no[,.]? .*|decline|skip|don['’]?t|never|later)$")
_LOSES = re.compile(
    r"\b(will|would|to) (be )?(erased?|overwrit\w*|delet\w*|wip\w*|lost|lose|replaced?|removed?|destroyed)\b"
    r"|\b(eras|remov|delet|wip|clean|format)(e|es|ing)? (all|every\w*|the (disk|drive)|my files|drives?|disks?)\b"
    r"|factory (settings|defaults|state)|all (data|files|settings) (will|are)"
)
_OFF = frozenset({"off", "disabled", "unset", "unchecked", "no", "false", "none", "not required", "optional"})
_GUARD_SETTING = re.compile(
    r"\b(require\w*|restrict\w*|protect\w*|prevent\w*|block\w*|enforce\w*|verif\w*|ask\b|include administrators"
    r"|do not allow"
    r"|dismiss stale|limit\w*|deny|reject\w*|lock\w*|forbid\w*|warn\w*|quarantine|approv\w*|confirm\w*|review\w*)"
)
_OPEN_SETTING = re.compile(
    r"\b(force push\w*|allow (deletions|bypass\w*|anyone|everyone|guests?|anonymous|insecure|legacy|unsigned|root"
    r"|all)|anonymous"
    r"|guest (access|login)|root login|insecure|legacy (auth\w*|protocols?)|password ?less|public(ly)? (access"
    r"|accessible|read|write)"
    r"|share with everyone|remote (login|management|desktop|access)|auto-?approve|bypass)"
)
_LETS_IN = re.compile(
    r"ssh-(rsa|ed25519|dss)\s+AAAA|ecdsa-sha2-\S+\s+AAAA|PermitRootLogin\s+yes|NOPASSWD|0\.0\.0\.0/0"
    r"|ALL\s*=\s*\(ALL|\b777\b"
    r"|\"(Action|Principal|Resource)\"\s*:\s*\"\*\"|Allow \*|\*:\*"
)
_ACTS = re.compile(
    r"\b(cron\w*|start-?up|boot|init|user ?data|hooks?|script|commands?|shell|exec\w*|entrypoint|run at"
    r"|scheduled? task|pipeline)\b"
)
_ADDRESS = re.compile(
    r"\b(forward\w*|recovery (e-?mail|phone|address)|reset (e-?mail|address)|redirect\w*|callback|webhook"
    r"|backup (e-?mail|phone))\b"
)


def refused(sight: Sight) -> Finding | None:
    """A label that is the safe answer elsewhere, on a screen that says what is lost by it."""
    told = sight.scene.told
    not_kept = re.match(r"(don['’]?t|do not|never) (keep|save|retain|preserve|back ?up|remember)\b", sight.label)
    if sight.answer is not Answer.SAFE and answer_of(sight.label) is not Answer.SAFE and not not_kept:
        return None
    if re.match(r"(stop|halt|pause) (all|everything)", sight.label) and CONSOLE.search(sight.app):
        return sight.finding("B4", "stops everything that runs there")
    if re.match(r"save\b", sight.label) and re.search(
        r"\b(field changed|price|stock|amount)\b.*->"
        r"|pending edits",
        told,
    ):
        return sight.finding("C3", "changes data")
    if re.match(r"(undo|redo) .*\b(commit|merge|rebase|push|reset)\b", sight.label):
        return sight.finding("C2", "changes local history")
    if sight.label == "rollback" and (
        sight.path.lower().startswith(("git", "vcs")) or re.search(r"modified|changes", told)
    ):
        return sight.finding("C2", "discards changes that were not committed")
    declined = (_REFUSES.match(sight.label) or not_kept) and _ASKS_TO_KEEP.search(told)
    loses = _LOSES.search(told) and re.match(
        r"(next|done|ok|restore|rollback|use default|archive|move to|return|got it|skip|rotate|crop|sign out"
        r"|log out)",
        sight.label,
    )
    if not declined and not loses:
        return None
    whole = re.search(
        r"\b(all|every\w*|disk|drive|backups?|photos|home|volumes?|device|phone|computer|factory)\b", told
    )
    return sight.finding("B1" if whole else "C1", "loses what the screen speaks of")


def set_wrong(sight: Sight) -> Finding | None:
    """A setting that protects is switched off, or one that opens is switched on."""
    subject = f"{sight.label} {sight.scene.told}"
    off = sight.state in _OFF
    guard = _GUARD_SETTING.search(sight.label) or (
        PROTECTION.search(sight.label) and not _OPEN_SETTING.search(sight.label)
    )
    if off and guard and not _timed(subject):
        return sight.finding("B5", "switches off a protection")
    if (
        not off
        and _OPEN_SETTING.search(sight.label)
        and not re.match(r"(block|deny|forbid|disable|prevent|do not)\b", sight.label)
    ):
        return sight.finding("B5", "opens what was protected")
    return None


def warned(sight: Sight, verb: str) -> Finding | None:
    """Something is typed, pressed, dragged or chosen on a screen that warns of a loss, and no rule knew its effect."""
    if verb not in {"type", "key", "drag", "select"} or sight.answer in {Answer.SAFE, Answer.LOOK}:
        return None
    if not (_FINAL.search(sight.scene.told) or _LOSES.search(sight.scene.told)):
        return None
    if verb == "key" and re.search(r"esc|tab|arrow|page|home|end|up|down|ctrl\+[czf]\b", sight.label):
        return None
    return sight.finding("C6", "goes on where the screen warns of a loss")


def entered_text(text: str, field: str, sight: Sight) -> tuple[Finding, ...]:
    """A text that acts because of the page that it is typed into."""
    places = ("page", "section", "screen", "setting", "tab", "panel", "dialog", "key", "rule", "job")
    where = f"{field} {sight.scene.field(*places)}".lower()
    if sight.scene.field("file", "document"):
        return ()
    if _LETS_IN.search(text) and not re.search(r"search|comment|message|note|docs?\b|draft|readme", where):
        return (sight.finding("B5", "opens what was protected, or lets somebody in"),)
    if (
        "palette" not in where
        and _ACTS.search(where)
        and not re.search(r"search|comment|description|name|draft|message", where)
    ):
        command = re.sub(r"^(@\w+|(\S+\s+){5})(?=\S)", "", text) if re.match(r"[@*\d]", text) else text
        inner = sight.scope.nested("shell", command.strip()).findings
        if inner:
            return inner
    if _ADDRESS.search(where) and ("@" in text or "://" in text):
        return (sight.finding("B5", "leads messages or access to another address", outward=True),)
    return ()


def doubted(sight: Sight) -> Finding | None:
    """A deed that no rule knows: asked about, unless its words are those of ordinary work."""
    label = sight.label
    if (
        sight.answer in {Answer.SAFE, Answer.LOOK}
        or not label
        or remade(sight)
        or sight.scene.steps[0].verb in {"select", "choose"}
    ):
        return None
    if _ACKNOWLEDGES.match(label) and sight.scene.field("dialog") and "?" not in sight.scene.told:
        return sight.finding("C6", "goes on where the screen warns of a loss") if loses(sight.scene.told) else None
    if sight.answer is Answer.YES and not _LOOKS.search(restated(sight.scene) or "view"):
        return sight.finding("C3", "changes a value that is stored")
    tightened = sight.state not in _OFF and (PROTECTION.search(label) or _GUARD_SETTING.search(label))
    tightened = tightened or (
        sight.state in _OFF and re.search(r"public|anyone|anonymous|guest|remote|expos|legacy", label)
    )
    if CONSOLE.search(sight.app) and sight.state and not tightened and not _LOOKS.search(label):
        return sight.finding("C4", f"changes a service: {label} to {sight.state}")
    if sight.role not in _BUTTONS or sight.state or (EDITOR_APP.search(sight.app) and not _CARRIES_OUT.search(label)):
        return None
    warns = _FINAL.search(sight.scene.told) or _LOSES.search(sight.scene.told)
    path = [part.strip().lower() for part in sight.path.split(" > ")]
    if label in {"open", "clear"} or _ORDINARY_RUN.match(f"{label} | {sight.scene.told}"):
        return None  # where it loses something or runs something foreign, a rule has said so
    if _HARMLESS.match(label) or any(_VIEW_MENU.match(part) for part in path[:-1]):
        return None
    if sight.role in {"menu", "dropdown", "combo box", "icon"} and len(path) == 1:
        return None  # it opens
    grave = (
        _CONSEQUENTIAL.search(label)
        or sight.count >= MASS
        or warns
        or CONSOLE.search(sight.app)
        or PROTECTION.search(label)
    )
    if not grave and (_EASY.match(label) or sight.role == "chip"):
        return None
    return sight.finding("C6", f"does something that cannot be told: {label}")


def _timed(text: str) -> bool:
    """Whether it ends by itself after some hours at most."""
    return re.search(r"\bfor:? ?\d+ ?(h|hours?|min|minutes?)\b", text) is not None
