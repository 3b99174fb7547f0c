"""The table of wrappers holds together."""

from __future__ import annotations

from reactor_core.safety.shell.wrappers import INTERPRETERS, SHELLS, WRAPPERS


def test_options_look_like_options() -> None:
    for name, wrapper in WRAPPERS.items():
        options = wrapper.values | wrapper.scripts | wrapper.chdir | wrapper.queries | wrapper.login
        assert all(option.startswith("-") for option in options), name


def test_shells_are_interpreters_and_no_wrappers() -> None:
    assert SHELLS <= INTERPRETERS
    assert not SHELLS & set(WRAPPERS)


def test_the_usual_wrappers_are_there() -> None:
    assert {"sudo", "env", "timeout", "ssh", "docker", "kubectl", "nohup", "su", "chroot", "busybox"} <= set(WRAPPERS)
