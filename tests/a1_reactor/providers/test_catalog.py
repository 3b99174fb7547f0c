import pytest
from tests.servers.frames_v2 import FramesV2

from a1_reactor.config import ReactorConfig
from a1_reactor.providers.catalog import PROVIDERS, build_provider, list_providers, provider_names
from reactor_core.errors import ConfigError, Halted, MissingExtra, NotFound
from reactor_core.events.latch import Latch
from reactor_core.utils.extras import installed


@pytest.fixture
def config(tmp_path):
    (tmp_path / "a1r").mkdir()
    return ReactorConfig(
        workspace=tmp_path / "a1r", cache_dir=tmp_path / "cache", http_endpoint="https://models.example/frames"
    )


@pytest.fixture
def own(config):
    (config.workspace / "providers.toml").write_text(
        '[cut]\nkind = "http2"\nendpoint = "https://cut.example/frames"\n'
        '[wan]\nkind = "diffusers"\nfolder = "nowhere"\n'
    )
    return config


@pytest.mark.parametrize("name", [name for name in PROVIDERS if name != "rife"])
def test_every_listed_provider_can_be_made(name, config):
    assert build_provider(name, config).name == name


def test_the_operator_s_own_can_be_made_by_name(own):
    assert build_provider("cut", own).name == "cut"
    assert provider_names(own) == (*PROVIDERS, "cut", "wan")


def test_an_unknown_provider_lists_what_is_known(own):
    with pytest.raises(ConfigError, match="mock, http, http2, flow, rife, cut, wan"):
        build_provider("sora", own)


@pytest.mark.parametrize("name", ["http", "http2"])
def test_an_http_provider_needs_an_endpoint(name):
    with pytest.raises(ConfigError, match="--endpoint"):
        build_provider(name, ReactorConfig())


def test_weights_that_were_not_fetched_are_told(config):
    if not installed("torch"):
        pytest.skip("needs the extra [train]")
    with pytest.raises(NotFound, match="--fetch rife"):
        build_provider("rife", config)


@pytest.mark.parametrize(("name", "module", "extra"), [("flow", "cv2", "media"), ("rife", "torch", "train")])
def test_a_library_that_is_absent_is_told_with_its_extra(name, module, extra, config, monkeypatch):
    monkeypatch.setattr("a1_reactor.providers.catalog.installed", lambda asked: asked != module)
    with pytest.raises(MissingExtra, match=rf"\[{extra}\]"):
        build_provider(name, config)


def test_the_list_says_what_each_can_do_and_what_it_lacks(own):
    found = {info.name: info for info in list_providers(own)}
    assert list(found) == list(provider_names(own))
    assert found["mock"].missing is None
    assert found["mock"].to_json()["capabilities"]["modes"] == ["full"]
    assert found["flow"].capabilities.modes == {"interpolate"}
    assert "--fetch rife" in found["rife"].missing
    assert (found["cut"].missing, found["cut"].capabilities, found["cut"].about) == (
        None,
        None,
        "https://cut.example/frames",
    )
    assert "model_index.json" in found["wan"].missing
    assert found["wan"].to_json()["available"] is False


def test_the_kill_switch_ends_a_call_to_a_server(config, tmp_path):
    from dataclasses import replace

    Latch(tmp_path / "reactor").trip(reason="test", by="me")
    server = FramesV2()
    with server.serving() as address:
        halted = replace(
            config,
            halted_by=tmp_path / "reactor",
            http_endpoint=f"http://{address}/frames",
            provider_allow=(address,),
        )
        with pytest.raises(Halted):
            _ = build_provider("http2", halted).capabilities
    assert server.seen == []
