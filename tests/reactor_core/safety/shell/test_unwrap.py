"""Wrappers around a command."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action
from reactor_core.safety.shell.command import Word
from reactor_core.safety.shell.unwrap import joined_line


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("sudo env A=1 timeout -k 5 60 rm --recursive /boot", "block"),
        ("nohup setsid nice -n 5 rm -rf /srv &", "block"),
        ('ssh -p 22 root@h1 "rm -rf /srv"', "block"),
        ("ssh web1 uptime", "allow"),
        ("su - root -c 'rm -rf /srv'", "block"),
        ("flock /tmp/l -c 'rm -rf /srv'", "block"),
        ("stdbuf -oL rm -rf /srv", "block"),
        ("env -S 'rm -rf /srv'", "block"),
        ("watch -n 5 'rm -rf /srv'", "block"),
        ("busybox rm -rf /srv", "block"),
        ("time -p rm -rf /srv", "block"),
        ("script -qc 'rm -rf /srv' /dev/null", "block"),
        ("tmux new-session -d 'rm -rf /srv'", "block"),
        ("kubectl exec -n x p -- rm -rf /var/lib/mysql", "block"),
        ("docker exec db sh -c 'rm -rf /var/lib/mysql'", "block"),
        ("timeout 300 pytest -q", "allow"),
        ("nice ls", "allow"),
        ("command rm -rf /srv", "block"),
        ("exec rm -rf /srv", "block"),
        ("sudo -u postgres -- rm -rf /var/lib/postgresql", "block"),
        ("strace -f -o t rm -rf /srv", "block"),
        ("xvfb-run -a pytest", "allow"),
        ("systemd-run --user rm -rf /srv", "block"),
        ("doas rm -rf /srv", "block"),
        ("ionice -c3 rm -rf /srv", "block"),
    ],
)
def test_it_is_judged_by_what_it_does(action: str, verdict: str) -> None:
    assert judge_action(action, "shell").verdict == verdict


def test_words_are_joined_as_the_other_shell_reads_them() -> None:
    words = [Word(("a b",)), Word(("x", None))]
    assert joined_line(words) == "a b x$UNKNOWN"
    assert joined_line(words, quoted=True) == "'a b' x$UNKNOWN"
