from __future__ import annotations

import pytest

from reactor_core.safety import place_names as names


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        (
            names.DISK,
            ["/dev/sda", "/dev/nvme0n1p2", "/dev/mapper/vg-root", "/dev/disk/by-id/x", "/dev/mem"],
            ["/dev/null", "/dev/tty", "/dev/shm/x"],
        ),
        (names.HARMLESS_DEVICE, ["/dev/null", "/dev/stdout", "/dev/fd/3", "/dev/pts/1"], ["/dev/sda", "/dev/kmem"]),
        (
            names.AUDIT_LOG,
            ["/var/log/audit/audit.log", "/var/log/auth.log.1", "/home/a/.zsh_history", "/var/log/journal/x"],
            ["/var/log/nginx/a.log", "/home/a/history.md"],
        ),
        (
            names.POLICY,
            ["/etc/reactor/a", "/x/reactor.toml", "/x/.claude/settings.json"],
            ["/x/src/policy.py", "/x/policy.md"],
        ),
        (names.CI, [".github/workflows/a.yml", ".gitlab-ci.yml", "Jenkinsfile"], ["src/ci.py", "docs/workflows/a.yml"]),
        (
            names.START_IN_HOME,
            [".bashrc", ".ssh/authorized_keys", ".config/autostart/a.desktop"],
            ["notes.txt", ".cache/x"],
        ),
        (
            names.START_ON_SYSTEM,
            ["/etc/crontab", "/etc/sudoers.d/x", "/etc/systemd/system/a.service"],
            ["/etc/nginx/a", "/usr/bin/x"],
        ),
        (
            names.CRITICAL_FILE,
            ["/bin/sh", "/usr/bin/sudo", "/etc/passwd", "/boot/vmlinuz"],
            ["/usr/bin/cowsay", "/etc/motd"],
        ),
        (names.PROTECTION_FILE, ["/etc/selinux/config", "/etc/audit/rules.d/x"], ["/etc/nginx/x"]),
    ],
)
def test_what_a_pattern_of_paths_covers(pattern, yes, no):
    assert [path for path in yes if not pattern.fullmatch(path)] == []
    assert [path for path in no if pattern.fullmatch(path)] == []


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        (names.HELD, ["/x/legal-hold/a", "compliance/retention-2019"], ["/x/threshold", "household/a"]),
        (
            names.PERSONAL_FILE,
            ["customers.csv", "hr/salaries.xlsx", "crm-export"],
            ["three.csv", "taxonomy.md", "index.html"],
        ),
        (names.PUBLIC_FOLDER, ["/var/www/html/x", "/home/a/public_html"], ["/var/wwwx", "/srv/app"]),
        (names.IMAGE, ["disk.img", "app.db"], ["image.png", "notes.md"]),
        (names.REMOTE, ["s3://b/k", "user@host:/x", "sftp://h/x"], ["/data/x", "a:b"]),
    ],
)
def test_what_a_pattern_of_words_finds(pattern, yes, no):
    assert [path for path in yes if not pattern.search(path)] == []
    assert [path for path in no if pattern.search(path)] == []


def test_junk_and_empty_files():
    assert names.JUNK.fullmatch("a.o")
    assert not names.JUNK.fullmatch("a.orig")
    assert names.EMPTY.fullmatch("__init__.py")
    assert not names.EMPTY.fullmatch("app.py")
    assert names.DATED.search("dump-2026-01-02.sql")
    assert names.DATABASE_FILE.fullmatch("/var/lib/mysql/shop/users.ibd")
    assert names.HOME_CACHE.match(".cache/pip")
    assert not names.HOME_CACHE.match(".cached")
