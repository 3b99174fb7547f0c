import pytest

from a1_reactor.config import ReactorConfig
from a1_reactor.providers.catalog import PROVIDERS, build_provider
from reactor_core.errors import ConfigError


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_listed_provider_can_be_made(name):
    assert build_provider(name, ReactorConfig(http_endpoint="https://models.example/frames")).name == name


def test_an_unknown_provider_lists_what_is_known():
    with pytest.raises(ConfigError, match="mock, http"):
        build_provider("sora", ReactorConfig())


def test_the_http_provider_needs_an_endpoint():
    with pytest.raises(ConfigError, match="--endpoint"):
        build_provider("http", ReactorConfig())
