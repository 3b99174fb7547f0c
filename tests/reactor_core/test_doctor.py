import dataclasses
import json
import sys

import pytest

from reactor_core import doctor
from reactor_core.doctor import Status, examine
from reactor_core.events.latch import Latch
from reactor_core.utils.environment import GIB, Probes, detect_environment
from reactor_core.utils.settings import Settings

ENVIRONMENT = detect_environment(Probes(system="Linux", machine="x86_64", memory_bytes=24 * GIB, usable_cpus=2))


@pytest.fixture
def settings(tmp_path):
    return Settings(workspace=tmp_path / "not" / "yet", cache_dir=tmp_path)


def check(report, name):
    return next(check for check in report.checks if check.name == name)


def test_a_complete_installation_is_healthy(settings):
    report = examine(ENVIRONMENT, settings, plugins=["a1_reactor"])
    assert report.healthy
    assert check(report, "plugins").detail == "a1_reactor"
    assert "SQLite 3." in check(report, "journal").detail
    assert json.loads(json.dumps(report.as_dict()))["environment"]["kind"] == "cpu"


def test_an_absent_extra_names_the_install_line(settings, monkeypatch):
    monkeypatch.setitem(doctor._EXTRAS, "media", ("frames", ("no_such_module",)))
    found = check(examine(ENVIRONMENT, settings, plugins=[]), "extra [media]")
    assert (found.status, found.remedy) == (Status.WARN, "pip install 'reactor-core[media]'")


def test_a_folder_that_cannot_be_written_is_a_failure(settings, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    report = examine(ENVIRONMENT, settings.model_copy(update={"workspace": file}), plugins=["x"])
    assert not report.healthy
    assert check(report, "workspace").status is Status.FAIL


def test_small_memory_and_absent_plugins_are_warnings(settings):
    small = detect_environment(dataclasses.replace(ENVIRONMENT.probes, memory_bytes=2 * GIB))
    report = examine(small, settings, plugins=[])
    assert check(report, "memory").status is Status.WARN
    assert check(report, "plugins").status is Status.WARN
    assert report.healthy


def test_a_safety_switch_that_is_off_is_shown(settings):
    report = examine(ENVIRONMENT, settings.model_copy(update={"kill_switch_enabled": False}), plugins=["x"])
    assert "KILL_SWITCH_ENABLED" in check(report, "safety").detail


def test_a_tripped_kill_switch_is_shown_with_its_reason(settings):
    assert check(examine(ENVIRONMENT, settings, plugins=["x"]), "kill switch").status is Status.OK
    assert not settings.workspace.exists()  # looking leaves nothing behind
    Latch(settings.workspace).trip(reason="mouse in the corner", by="dev")
    found = check(examine(ENVIRONMENT, settings, plugins=["x"]), "kill switch")
    assert found.status is Status.WARN
    assert "mouse in the corner" in found.detail


def test_an_untested_python_is_a_warning(settings, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 15, 0))
    assert check(examine(ENVIRONMENT, settings, plugins=["x"]), "python").status is Status.WARN
