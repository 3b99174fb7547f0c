"""Names of modules under all their spellings."""

from __future__ import annotations

import pytest

from reactor_core.safety.python.modules import canonical, module_value
from reactor_core.safety.setting import RUBRIC_SETTING


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("posixpath.join", "os.path.join"),
        ("builtins.eval", "eval"),
        ("_pickle.loads", "pickle.loads"),
        ("shutil.os.remove", "os.remove"),
        ("posix.system", "os.system"),
        ("requests.get", "requests.get"),
    ],
)
def test_one_thing_has_one_name(name: str, same: str) -> None:
    assert canonical(name) == same


def test_constants_of_modules_are_known() -> None:
    separator = module_value("os.sep", RUBRIC_SETTING)
    assert separator is not None
    assert separator.string == "/"
    assert module_value("os.remove", RUBRIC_SETTING) is None
