import sys
import types

import pytest

from reactor_core.errors import MissingExtra
from reactor_core.utils.lazy import attach


@pytest.fixture
def package(monkeypatch):
    module = types.ModuleType("lazy_example")
    monkeypatch.setitem(sys.modules, "lazy_example", module)
    module.__getattr__, module.__dir__, module.__all__ = attach("lazy_example", {"sqrt": "math", "dumps": "json"})
    return module


def test_a_name_is_imported_when_it_is_used(package):
    assert "sqrt" not in vars(package)
    assert package.sqrt(9) == 3
    assert "sqrt" in vars(package)


def test_all_names_are_listed_before_use(package):
    assert package.__all__ == ["dumps", "sqrt"]
    assert {"dumps", "sqrt"} <= set(dir(package))


def test_an_unknown_name_is_an_attribute_error(package):
    with pytest.raises(AttributeError, match="no attribute 'cbrt'"):
        _ = package.cbrt


def test_a_name_whose_extra_is_absent_says_how_to_install_it(package, monkeypatch, tmp_path):
    (tmp_path / "needs_torch_example.py").write_text("import torch\nThing = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "torch", None)  # as Python marks a module that is known to be absent
    package.__getattr__, _, _ = attach("lazy_example", {"Thing": "needs_torch_example"})
    with pytest.raises(MissingExtra, match=r"lazy_example\.Thing needs the extra \[train\]"):
        _ = package.Thing
