from __future__ import annotations

import pytest

from reactor_core.utils import failpoints


def test_a_point_does_nothing_until_an_action_is_installed() -> None:
    failpoints.reach("anywhere")
    passed: list[str] = []
    failpoints.install(passed.append)
    try:
        failpoints.reach("journal.committed")
    finally:
        failpoints.install(None)
    failpoints.reach("journal.begin")
    assert passed == ["journal.committed"]


def test_what_the_action_raises_comes_out_of_the_point() -> None:
    def stop(name: str) -> None:
        raise RuntimeError(name)

    failpoints.install(stop)
    try:
        with pytest.raises(RuntimeError, match=r"hub\.acked"):
            failpoints.reach("hub.acked")
    finally:
        failpoints.install(None)
