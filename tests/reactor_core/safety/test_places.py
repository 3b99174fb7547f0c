from __future__ import annotations

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reactor_core.safety.scopes import scope

from reactor_core.safety.machine import Machine
from reactor_core.safety.places import Place, locate, made, normal, place, strictest, under
from reactor_core.safety.setting import Setting
from reactor_core.safety.verdict import found

parts = st.lists(st.sampled_from(["a", "b", "..", ".", "", "usr", "data"]), max_size=8)


@given(parts)
def test_a_path_is_folded_as_the_system_folds_it(pieces):
    text = "/".join(pieces)
    folded = normal(text, scope())
    assert folded.startswith("/")
    assert "//" not in folded
    assert not {".", ".."} & set(folded.split("/"))
    expected = posixpath.normpath(text if text.startswith("/") else f"/home/dev/project/{text}")
    assert folded == "/" + expected.lstrip("/")
    assert normal(folded, scope()) == folded


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("~", "/home/dev"),
        ("~/x", "/home/dev/x"),
        ("~root/x", "/root/x"),
        ("~ana", "/home/ana"),
        ("~dev/x", "/home/dev/x"),
        ("//srv/./", "/srv"),
        ("../../", "/home"),
        ("", "/home/dev/project"),
        ("/../..", "/"),
        ("C:\\Users\\dev\\a.txt", "/home/dev/a.txt"),
        ("D:\\x", "/mnt/d/x"),
        ("C:\\Windows", "/Windows"),
        ("/private/etc/hosts", "/etc/hosts"),
    ],
)
def test_normal(path, expected):
    assert normal(path, scope()) == expected


def test_a_relative_path_in_an_unknown_folder_stays_unknown():
    nowhere = scope(cwd="")
    assert normal("a/../b", nowhere) == "b"
    assert place("b", nowhere) is Place.UNKNOWN
    assert place("x/.git", nowhere) is Place.GIT


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", Place.ROOT),
        ("/usr/lib/x", Place.SYSTEM),
        ("/etc/nginx/a.conf", Place.SYSTEM),
        ("/dev/sda", Place.DEVICE),
        ("/home", Place.HOME),
        ("~", Place.HOME),
        ("/root", Place.HOME),
        ("/mnt/x", Place.MOUNT),
        ("/data/x", Place.DATA),
        ("/srv/app", Place.DATA),
        ("/var/lib/mysql", Place.DATA),
        ("data/a.csv", Place.DATA),
        ("/mnt/backup", Place.BACKUP),
        (".git/config", Place.GIT),
        (".git/hooks/pre-commit", Place.HOOK),
        (".husky/pre-push", Place.HOOK),
        ("checkpoints/step-1", Place.CHECKPOINT),
        ("build/x", Place.REGENERABLE),
        ("a/node_modules/.git", Place.REGENERABLE),
        ("x.pyc", Place.REGENERABLE),
        ("/tmp/reactor-1/x", Place.REGENERABLE),
        ("~/.cache/pip", Place.REGENERABLE),
        ("tmp_run", Place.SCRATCH),
        ("/tmp/x", Place.TEMP),
        ("src/a.py", Place.PROJECT),
        ("~/.bashrc", Place.START_FILE),
        ("/etc/cron.d/x", Place.START_FILE),
        ("package.json", Place.START_FILE),
        (".github/workflows/a.yml", Place.CI),
        (".env", Place.SECRET),
        ("~/.ssh/id_rsa", Place.SECRET),
        ("~/.aws/credentials", Place.SECRET),
        ("/etc/reactor/policy.yaml", Place.POLICY),
        ("reactor.toml", Place.POLICY),
        ("/var/log/auth.log", Place.AUDIT_LOG),
        ("~/.bash_history", Place.AUDIT_LOG),
        ("~/Documents/a", Place.PERSONAL),
        ("/elsewhere/a", Place.OUTSIDE),
        ("src/build_tools/x.py", Place.PROJECT),
        ("~/build", Place.PERSONAL),
        ("attempt.py", Place.PROJECT),
    ],
)
def test_place(path, expected):
    assert place(path, scope()) is expected


def test_what_the_setting_protects_is_policy():
    setting = Setting(protected=("/home/dev/project/.reactor",))
    assert place(".reactor/reactor.db", scope(setting=setting)) is Place.POLICY


@pytest.mark.parametrize(
    ("pattern", "known"),
    [("/u*r", "/usr"), ("/ho*/d*", "/home/dev"), ("/[e]tc", "/etc"), ("/???", "/etc"), ("~/.s?h", "/home/dev/.ssh")],
)
def test_a_pattern_stands_for_the_known_places_that_it_matches(pattern, known):
    assert known in {spot.path for spot in locate(pattern, scope())}


@pytest.mark.parametrize("pattern", ["/*", "/**", "/**/*", "/.*", "/*.*", "/[!.]*"])
def test_a_pattern_that_matches_everything_stands_for_the_folder(pattern):
    spot = locate(pattern, scope())[0]
    assert (spot.path, spot.every, spot.pattern) == ("/", True, "")


def test_a_picking_pattern_is_told(tmp_path):
    assert locate("logs/*.log", scope())[0].pattern == "*.log"


def test_links_of_the_same_action_are_followed_through_but_not_in_the_last_part():
    linked = scope(links={"/tmp/h": "/home/dev"})
    assert locate("/tmp/h/*", linked)[0].place is Place.HOME
    assert locate("/tmp/h/", linked)[0].place is Place.HOME
    assert locate("/tmp/h", linked)[0].place is Place.TEMP


def test_links_on_the_disk_are_followed(tmp_path):
    (tmp_path / "link").symlink_to("/etc")
    looking = scope(disk=Machine())
    assert Place.SYSTEM in {spot.place for spot in locate(f"{tmp_path}/link/nginx", looking)}
    assert Place.SYSTEM in {spot.place for spot in locate(f"{tmp_path}/link", looking)}
    assert Place.SYSTEM not in {spot.place for spot in locate(f"{tmp_path}/link", looking, follow=False)}
    assert Place.SYSTEM not in {
        spot.place for spot in locate(f"{tmp_path}/link/nginx", scope(disk=Machine(), host="web"))
    }


def test_small_words():
    assert under("/a/b", "/a")
    assert not under("/ab", "/a")
    assert made(locate("/tmp/x/y", scope())[0], scope(made=frozenset({"/tmp/x"})))
    assert strictest([None, found("C1", ""), found("B1", ""), None]) == found("B1", "")
    assert strictest([]) is None
    assert locate("/", scope())[0].depth == 0
    assert locate("/usr/lib", scope())[0].depth == 2
