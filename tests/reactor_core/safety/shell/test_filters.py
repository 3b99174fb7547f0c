"""Filters between what is printed and what is run."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action
from reactor_core.safety.shell.filters import FILTERS


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("echo 'emoh/ fr- mr' | rev | sh", "block"),
        ("echo /xsrv | sed s/x// | xargs rm -rf", "block"),
        ("echo 'a rm -rf /srv' | cut -d' ' -f2- | bash", "block"),
        ("printf 'ls\\nrm -rf /srv\\n' | tail -n 1 | sh", "block"),
        ("printf 'ls\\nrm -rf /srv\\n' | head -n 1 | sh", "allow"),
        ("echo 'x rm' | awk '{print $2}' | xargs -I{} {} -rf /srv", "block"),
        ("echo cm0gLXJmIC9zcnY= | openssl base64 -d -A | sh", "block"),
        ("echo cm0gLXJmIC9zcnY= | base64 -d | wc -c", "allow"),
        ("printf 'r\\nm\\n' | paste -sd '' | cat", "allow"),
        ("echo zz | tr z y | sh", "confirm"),
        ("xxd -r -p <<< 6c73 | sh", "confirm"),
    ],
)
def test_it_is_judged_by_what_it_does(action: str, verdict: str) -> None:
    assert judge_action(action, "shell").verdict == verdict


def test_each_filter_has_a_name_of_its_own() -> None:
    assert {"base64", "tr", "rev", "sed", "cut", "head"} <= set(FILTERS)
