import sys
import types

import pytest

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
