import pytest

from reactor_core.errors import NotFound
from reactor_core.plugins import Plugin, find_plugin, installed_plugins


def test_the_generation_package_is_found_by_name():
    plugin = find_plugin("a1_reactor")
    assert isinstance(plugin, Plugin)
    assert plugin.name == "a1_reactor"
    assert installed_plugins()["a1_reactor"] is plugin


def test_an_absent_plugin_is_named():
    with pytest.raises(NotFound, match="no plugin 'sound'"):
        find_plugin("sound")
