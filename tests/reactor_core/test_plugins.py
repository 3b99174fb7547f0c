import pytest

from reactor_core.errors import NotFound
from reactor_core.plugins import Plugin, find_plugin, plugin_names


def test_the_generation_package_is_found_by_name():
    plugin = find_plugin("a1_reactor")
    assert isinstance(plugin, Plugin)
    assert plugin.name == "a1_reactor"


def test_names_are_listed_without_importing_them():
    assert "a1_reactor" in plugin_names()


def test_an_absent_plugin_is_named():
    with pytest.raises(NotFound, match="no plugin 'sound'"):
        find_plugin("sound")
