from __future__ import annotations

import pytest

from reactor_core.errors import NotFound
from reactor_core.jobs.kinds import JobKind, find_kind, kind_places


@pytest.mark.usefixtures("kinds")
def test_the_kinds_of_installed_plugins_are_found():
    assert kind_places()["test.count"] == "tests.reactor_core.jobs.work:count"
    kind = find_kind("test.count")
    assert isinstance(kind, JobKind)
    assert kind.check({"to": 3}) == {"to": 3, "seconds": 0.0}


def test_a_kind_that_nobody_brings_is_named_with_those_that_are_there():
    with pytest.raises(NotFound, match="known kinds:"):
        find_kind("test.count")
