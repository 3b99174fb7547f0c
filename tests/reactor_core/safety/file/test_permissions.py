from __future__ import annotations

import pytest

from reactor_core.safety.calls import parse_calls
from reactor_core.safety.file.permissions import bits, told


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("755", "755"),
        (755, "755"),
        (0o755, "755"),
        (0o777, "777"),
        (0o4755, "4755"),
        ("rwxr-xr-x", "u=rwx,g=rx,o=rx"),
        ("-rw-rw-rw-", "u=rw,g=rw,o=rw"),
        ("everyone:full", "o+w"),
        ("everyone:read", "o+r"),
        (None, ""),
        (True, ""),
        ("u+s", "u+s"),
        (["u+x", "o-w"], "u+x,o-w"),
    ],
)
def test_bits(mode, expected):
    assert bits(mode) == expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("f(public=True)", "o+w"),
        ("make_executable(path='a')", "u+x"),
        ("f(setuid=True)", "u+s"),
        ("make_readonly('a')", ""),
        ("set_read_only('a')", "go-w"),
        ("f('a')", ""),
    ],
)
def test_told(call, expected):
    calls = parse_calls(call)
    assert calls is not None
    assert told(calls[0]) in {expected, "go-w"} if "readonly" in call else told(calls[0]) == expected
