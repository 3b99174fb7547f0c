from pathlib import Path

from a1_reactor.cli_perform import Common, Place, config_of


def test_an_option_goes_before_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("A1_REACTOR_WORKSPACE", str(tmp_path))
    assert config_of(Place()).workspace == tmp_path
    assert config_of(Place(workspace=Path("elsewhere"))).workspace == Path("elsewhere")


def test_only_commands_that_make_clips_name_an_endpoint():
    assert config_of(Place()).http_endpoint is None
    config = config_of(Common(endpoint="http://127.0.0.1:9/", timeout=3))
    assert (config.http_endpoint, config.http_timeout_s) == ("http://127.0.0.1:9/", 3)
