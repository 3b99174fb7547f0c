from pathlib import Path

from a1_reactor.config import ReactorConfig
from reactor_core.utils.settings import Settings


def test_the_environment_decides_on_workspace_and_private_providers(monkeypatch):
    monkeypatch.setenv("A1_REACTOR_WORKSPACE", "/elsewhere")
    monkeypatch.setenv("A1_REACTOR_PROVIDER_ALLOW", "localhost:9000, models.lan:80")
    config = ReactorConfig.from_settings(Settings())
    assert config.workspace == Path("/elsewhere")
    assert config.provider_allow == ("localhost:9000", "models.lan:80")


def test_the_default_workspace_is_the_seeds():
    assert ReactorConfig().workspace == Path(".a1r")
