"""What a subcommand that no table describes does, by its words: nearly all services name theirs alike."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["verb_rule"]

_WORDS = re.compile(r"[a-z]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_READS = _words("""
    list ls get describe show status info version versions help view search find query diff log logs tail cat
    top wait validate check checks lint plan preview inspect history events event explain whoami ping stat stats
    count print read fetch lookup doctor verify test tests audit outdated why tree graph metrics usage estimate
    dump describe-all docs completion which where env about summary report dashboard watch peek head exists has
    is can display options render template simulate scan compare dry-run ps images port
""")
_MAKES = _words("""
    create add new apply update set put patch edit modify change scale resize restart start stop deploy run exec
    invoke enable disable attach detach associate disassociate bind unbind grant revoke allow deny tag untag
    label annotate rename move mv copy cp import restore rollback promote demote suspend resume pause unpause
    upgrade downgrade install reinstall register deregister publish push release send post submit approve reject
    merge close open lock unlock configure config assign unassign migrate sync reload reboot reset-password
    rotate drain cordon uncordon taint expose cancel abort retry trigger schedule connect disconnect mount
    unmount join leave transfer share unshare invite accept
""")
_DESTROYS = _words("""
    delete del destroy remove rm purge terminate drop wipe nuke reset clean uninstall erase truncate flush prune
    kill unregister deprovision teardown evict expire obliterate format zap shred decommission
""")
_SECRETS = _words("""
    token tokens secret secrets password passwords credential credentials key keys access-token
""")


def verb_rule(words: Iterable[str]) -> str:
    """The rule that the words of a subcommand come to: A1 reads, C4 changes, ``destroys`` (C4 or B4, by the target), C8
    shows a secret, or an empty string where no word says anything. The first telling word decides, except that a word
    of destruction anywhere does."""
    seen = [part for word in words for part in _WORDS.findall(word.lower())]
    if any(part in _DESTROYS for part in seen):
        return "destroys"
    telling = next((part for part in seen if part in _READS or part in _MAKES), "")
    if any(part in _SECRETS for part in seen) and telling not in {"list", "ls", "describe"}:
        return "C8"
    if not telling:
        return ""
    return "A1" if telling in _READS else "C4"
