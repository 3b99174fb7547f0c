"""Every process of an action is found and ended, and no other."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from subprocess import Popen

from tests.reactor_core.safety.kill.conftest import gone, until

from reactor_core.safety.kill.processes import MARK, Member, alive, find_member, members, process_table, stop_members

Start = Callable[..., Popen[bytes]]

# Prints the ids of a child, a grandchild in a session of its own, and one whose parents have ended.
FAMILY = """
import os, subprocess, sys, time
child = subprocess.Popen(["sleep", "600"])
apart = subprocess.Popen(["setsid", "--wait", "sleep", "600"])
orphan = subprocess.run([sys.executable, "-c", "import os,subprocess;print(subprocess.Popen(['sleep','600'],"
    "start_new_session=True,stdout=subprocess.DEVNULL).pid)"], stdout=subprocess.PIPE).stdout
print(child.pid, apart.pid, int(orphan), flush=True)
time.sleep(600)
"""


def family(start: Start, mark: str) -> tuple[Popen[bytes], list[int]]:
    process = start(sys.executable, "-c", FAMILY, env={MARK: mark})
    assert process.stdout is not None
    return process, [int(word) for word in process.stdout.readline().split()]


def test_a_process_is_found_with_its_parent_group_and_session() -> None:
    me = find_member(os.getpid())
    assert me is not None
    assert (me.parent, me.group, me.session) == (os.getppid(), os.getpgrp(), os.getsid(0))


def test_a_process_that_never_was_is_none() -> None:
    assert find_member(2**22 + 1) is None


def test_a_name_with_blanks_and_brackets_changes_nothing(start: Start) -> None:
    process = start(
        sys.executable,
        "-c",
        "open('/proc/self/comm','w').write(') R 1 1'); print(flush=True); import time; time.sleep(600)",
    )
    assert process.stdout is not None
    process.stdout.readline()
    found = find_member(process.pid)
    assert found is not None
    assert found.parent == os.getpid()


def test_descendants_belong_to_it_even_in_a_session_of_their_own(start: Start) -> None:
    process, (child, apart, _) = family(start, "a-mark")
    root = find_member(process.pid)
    assert root is not None
    assert {process.pid, child, apart} <= members([root]).keys()


def test_an_orphan_in_another_session_belongs_to_it_by_its_mark(start: Start) -> None:
    process, (_, _, orphan) = family(start, "b-mark")
    root = find_member(process.pid)
    assert root is not None
    assert orphan not in members([root])
    assert orphan in members([root], marks=["b-mark"])


def test_members_of_its_group_belong_to_it_after_it_has_ended(start: Start) -> None:
    process = start("sh", "-c", "sleep 600 & echo $!; read never_comes")
    assert process.stdout is not None
    child = int(process.stdout.readline())
    root = find_member(process.pid)
    assert root is not None
    os.kill(process.pid, 9)
    process.wait()
    assert child in members([root])
    assert child in stop_members([root]).members
    assert gone(child)


def test_a_number_that_is_used_again_is_not_taken_for_the_process(start: Start) -> None:
    process = start("sleep", "600")
    now = find_member(process.pid)
    assert now is not None
    earlier = Member(now.pid, now.parent, now.group, now.session, now.born - 1)
    assert process.pid not in members([earlier])
    assert stop_members([earlier]).members == set()
    assert alive(now)


def test_this_process_is_never_a_member() -> None:
    me = find_member(os.getpid())
    assert me is not None
    assert os.getpid() not in members([me])


def test_stopping_ends_the_whole_family_and_says_when(start: Start) -> None:
    process, pids = family(start, "c-mark")
    root = find_member(process.pid)
    assert root is not None
    stopped = stop_members([root], marks=["c-mark"])
    assert stopped.survivors == set()
    assert {process.pid, *pids} <= stopped.members | {pid for pid in pids if gone(pid)}
    assert all(gone(pid) for pid in [process.pid, *pids])
    assert stopped.last_dead is not None


def test_what_is_spared_lives(start: Start) -> None:
    process, (child, apart, orphan) = family(start, "d-mark")
    spared = {process.pid, child}
    stop_members([], marks=["d-mark"], spare=spared)
    assert gone(orphan)
    assert gone(apart)
    assert not gone(process.pid)
    assert not gone(child)


def test_a_process_that_runs_away_from_its_parents_is_caught(start: Start) -> None:
    """It forks, ends and leaves its session again and again, so no parent and no group leads to it for long."""
    code = """
import os, time
for _ in range(100):
    if os.fork():
        os._exit(0)
    os.setsid()
    time.sleep(0.1)
"""
    process = start(sys.executable, "-c", code, env={MARK: "e-mark"})
    process.wait()
    assert until(lambda: members([], marks=["e-mark"]))
    stopped = stop_members([], marks=["e-mark"])
    assert stopped.survivors == set()
    assert members([], marks=["e-mark"]) == {}


def test_the_table_holds_this_process() -> None:
    assert os.getpid() in process_table()
