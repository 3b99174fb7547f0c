from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reactor_core.safety.scopes import rule, scope

from reactor_core.safety import paths
from reactor_core.safety.machine import Machine
from reactor_core.safety.verdict import Verdict


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "B1"),
        ("/*", "B1"),
        ("~", "B1"),
        ("/home", "B1"),
        ("..", "B1"),
        (".", "B1"),
        ("*", "B1"),
        ("../../*", "B1"),
        ("/usr/lib", "B1"),
        ("/etc", "B1"),
        ("/opt", "B1"),
        ("/boot", "B6"),
        ("data", "B1"),
        ("data/*", "B1"),
        ("data/*/*.parquet", "B1"),
        ("/data", "B1"),
        ("/srv", "B1"),
        ("/mnt/backup/2024", "B1"),
        ("/var/lib/postgresql/14/main", "B1"),
        ("checkpoints", "B1"),
        ("/**/*.log", "B1"),
        (".git", "B2"),
        (".git/objects", "B2"),
        ("/var/log/audit", "B5"),
        ("~/.ssh", "B1"),
        ("reactor.toml", "B5"),
        ("legal-hold/a", "B7"),
        ("src", "C1"),
        ("data/raw", "C1"),
        ("~/Documents/old", "C1"),
        ("/data/scratch/tmp_1", "C1"),
        ("checkpoints/step-1", "C1"),
        ("tmp_x", "C1"),
        ("/opt/app", "C1"),
        (".git/hooks", "C1"),
        ("build", ""),
        ("a/node_modules", ""),
        ("**/*.pyc", ""),
        ("/tmp/reactor-1", ""),
        ("~/.cache/pip", ""),
        ("/var/cache/apt", ""),
        ("src/../dist", ""),
    ],
)
def test_deleting_a_folder(path, expected):
    assert rule(paths.deletion(path, scope(), recursive=True)) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("data/x.csv", "C1"),
        ("src/a.py", "C1"),
        ("/usr/bin/cowsay", "C5"),
        ("/bin/sh", "B6"),
        (".git/index", "C2"),
        ("a.o", ""),
        (".env", "C1"),
        ("/mnt/backup/a.dump", "C1"),
    ],
)
def test_deleting_a_file(path, expected):
    assert rule(paths.deletion(path, scope(), recursive=False)) == expected


@given(
    st.sampled_from(["/usr", "/etc", "/home/dev", "/data", "/boot", "/home/dev/project/data"]),
    st.lists(st.sampled_from(["x/..", ".", ""]), max_size=4),
)
def test_detours_change_nothing(path, detour):
    spelled = "/".join([path, *detour])
    assert rule(paths.deletion(spelled, scope(), recursive=True)) == rule(paths.deletion(path, scope(), recursive=True))


@given(st.text("ab./*~", max_size=12))
def test_many_is_never_milder_than_one(path):
    def strictness(recursive):
        finding = paths.deletion(path, scope(), recursive=recursive)
        return 0 if finding is None else finding.verdict.rank

    assert strictness(True) >= strictness(False)


def test_what_the_same_action_made_may_go():
    own = scope(made=frozenset({"/home/dev/project/work"}))
    assert paths.deletion("work/a", own, recursive=True) is None
    assert rule(paths.deletion("worker", own, recursive=True)) == "C1"
    assert rule(paths.overwriting("work/.git/hooks/x", own, content="rm -rf ~")) == "B5"


def test_deleting_through_a_link_of_the_same_action():
    assert rule(paths.deletion("/tmp/h/*", scope(links={"/tmp/h": "/home/dev"}), recursive=True)) == "B1"


def test_the_disk_is_asked_what_a_path_leads_to(tmp_path):
    (tmp_path / "inner").symlink_to("/usr")
    looking = scope(disk=Machine())
    assert rule(paths.deletion(f"{tmp_path}/inner/lib", looking, recursive=True)) == "B1"
    assert rule(paths.overwriting("/home/dev/Documents/not-there", looking, content="x")) == ""


@pytest.mark.parametrize(
    ("path", "content", "written", "appended"),
    [
        ("src/a.py", "x", "", ""),
        ("src/a.py", "", "C1", ""),
        ("src/__init__.py", "", "", ""),
        ("/dev/sda", "x", "B1", "B1"),
        ("/dev/null", "x", "", ""),
        ("/etc/hosts", "127.0.0.1 a", "C5", "C5"),
        ("/etc/hosts", "203.0.113.7 github.com", "B5", "B5"),
        ("data/x.csv", "a", "C1", ""),
        ("/etc/fstab", "", "B6", "C5"),
        ("/proc/sysrq-trigger", "c", "B6", "B6"),
        ("/proc/sys/kernel/randomize_va_space", "0", "B5", "B5"),
        ("/usr/bin/ls", "x", "B5", "B5"),
        ("/var/log/auth.log", "", "B5", "C5"),
        ("reactor.toml", "x", "B5", "B5"),
        (".env", "A_SECRET=hunter22", "C8", "C8"),
        (".env", "PORT=1", "", ""),
        ("build/x", "x", "", ""),
        ("/tmp/x", "x", "", ""),
        ("disk.img", None, "C1", ""),
        ("a.py", "-----BEGIN RSA PRIVATE KEY-----", "C8", "C8"),
        ("/var/lib/mysql/a/b.ibd", "", "B3", "B3"),
        ("/mnt/backup/db-2026-01-02.dump", None, "", ""),
        ("~/Documents/a.odt", "x", "C1", ""),
        (".git/HEAD", "x", "C2", "C2"),
    ],
)
def test_writing(path, content, written, appended):
    assert rule(paths.overwriting(path, scope(), content=content)) == written
    assert rule(paths.appending(path, scope(), content=content)) == appended


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("~/.ssh/id_rsa", "C8"),
        (".env", "C8"),
        ("README.md", ""),
        ("~/.ssh/id_rsa.pub", ""),
        ("/dev/mem", "C8"),
        ("/x/factors.db", "C8"),
    ],
)
def test_reading(path, expected):
    assert rule(paths.reading(path, scope())) == expected


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("src/a.py", "src/b.py", ""),
        ("data/raw", "/mnt/archive/raw", "C1"),
        ("/usr/lib64", "/tmp/x", "B1"),
        (".git", "/tmp/g", "B2"),
        ("build/x", "/tmp/x", ""),
        ("src", "/tmp/src", "C1"),
        ("~", "/tmp/h", "B1"),
        ("data/a", "/dev/null", "C1"),
        ("src/a.py", "s3://bucket/a", "C7"),
        ("~/.ssh/id_rsa", "s3://bucket/a", "B5"),
    ],
)
def test_moving(source, target, expected):
    assert rule(paths.moving(source, target, scope())) == expected


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("~/.ssh/id_rsa", "/var/www/html/k", "B5"),
        ("customers.csv", "/var/www/html/c", "B7"),
        ("a.txt", "data/a.txt", "C1"),
        ("/dev/null", "data/a", "C1"),
        (".env", "ftp://host/x", "B5"),
        ("src/a.py", "src/b.py", ""),
        ("image.iso", "/dev/sdb", "B1"),
        ("a.txt", "sftp://host/a", "C7"),
    ],
)
def test_copying(source, target, expected):
    assert rule(paths.copying(source, target, scope())) == expected


def test_a_copy_that_replaces_nothing_loses_nothing():
    assert paths.copying("a.txt", "data/a.txt", scope(), overwrite=False) is None
    assert rule(paths.copying("a", "/usr/bin/ls", scope(), overwrite=False)) == "B5"
    assert paths.sending("a", "b", scope()) is None


def test_on_a_host_of_production_folders_near_the_root_are_precious():
    assert paths.deletion("/app", scope(host="prod-web1"), recursive=True).verdict is Verdict.BLOCK
    assert paths.deletion("/app", scope(host="web1"), recursive=True).verdict is Verdict.CONFIRM


def test_a_relative_path_in_an_unknown_folder_is_asked_about():
    assert rule(paths.deletion("x", scope(cwd=""), recursive=True)) == "C6"
