from __future__ import annotations

import subprocess
import sys

import msgspec
from tests.reactor_core.jobs.conftest import until

from reactor_core.jobs import processes
from reactor_core.jobs.job import Owner
from reactor_core.jobs.processes import end_group, is_here, lives, this_process

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def owner_of(pid: int) -> Owner:
    born = processes._born(pid)
    assert born is not None
    return Owner(this_process().host, pid, born)


def test_a_process_lives_as_long_as_it_does():
    me = this_process()
    assert is_here(me)
    assert lives(me)
    assert this_process() == me


def test_another_process_with_the_same_number_is_not_it():
    assert lives(msgspec.structs.replace(this_process(), born=1.0)) is False


def test_of_another_machine_nothing_is_known():
    stranger = msgspec.structs.replace(this_process(), host="elsewhere")
    assert not is_here(stranger)
    assert lives(stranger) is None
    end_group(stranger)  # which would be this process


def test_ending_a_process_ends_what_it_started():
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert parent.stdout is not None
    owner, child = owner_of(parent.pid), owner_of(int(parent.stdout.readline()))
    end_group(msgspec.structs.replace(owner, born=owner.born + 1))  # another one
    assert lives(owner)
    end_group(owner)
    assert lives(owner) is False  # also before its parent has asked for its status
    until(lambda: lives(child) is False)
    parent.wait()
    parent.stdout.close()
    end_group(owner)


def test_where_there_is_no_proc(monkeypatch):
    monkeypatch.setattr(processes, "_LINUX", False)
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert parent.stdout is not None
    owner, child = owner_of(parent.pid), owner_of(int(parent.stdout.readline()))
    assert lives(owner)
    end_group(owner)
    assert lives(owner) is False
    until(lambda: lives(child) is False)
    parent.wait()
    parent.stdout.close()
