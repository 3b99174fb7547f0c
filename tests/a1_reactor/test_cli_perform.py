from pathlib import Path
from types import SimpleNamespace

import pytest

from a1_reactor.cli_perform import Common, Place, _paid, config_of, maker_of
from a1_reactor.engine.importing import IMPORT


def test_an_option_goes_before_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("A1_REACTOR_WORKSPACE", str(tmp_path))
    assert config_of(Place()).workspace == tmp_path
    assert config_of(Place(workspace=Path("elsewhere"))).workspace == Path("elsewhere")


def test_only_commands_that_make_clips_name_an_endpoint():
    assert config_of(Place()).http_endpoint is None
    config = config_of(Common(endpoint="http://127.0.0.1:9/", timeout=3))
    assert (config.http_endpoint, config.http_timeout_s) == ("http://127.0.0.1:9/", 3)


def test_whoever_made_a_clip_makes_its_windows_too():
    def made_by(name):
        job = SimpleNamespace(resolved=SimpleNamespace(provider=name), asked=SimpleNamespace(options={"steps": 4}))
        return SimpleNamespace(job=job)

    assert maker_of(Common(), made_by("wan")) == ("wan", {"steps": 4})
    assert maker_of(Common(provider="wan"), made_by("wan")) == ("wan", {"steps": 4})
    assert maker_of(Common(provider="mock"), made_by("wan")) == ("mock", {})
    assert maker_of(Common(), made_by(IMPORT)) == ("mock", {})


@pytest.mark.parametrize(
    ("cost", "told"),
    [
        (None, ""),
        ({"calls": 1, "broken_off": 0, "usd": 0.0}, ""),
        ({"calls": 1, "broken_off": 1, "usd": 0.0}, "provider: 1 call, free; broken off: 1"),
        ({"calls": 2, "broken_off": 0, "usd": 0.25}, "provider: 2 calls, $0.2500"),
        (
            {"calls": 1, "broken_off": 0, "usd": None},
            "provider: 1 call, at a price that is not known (state it in providers.toml)",
        ),
    ],
)
def test_what_the_provider_was_paid_is_told_where_it_is_not_free(cost, told):
    assert _paid(cost) == told
