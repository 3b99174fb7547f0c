import pytest

from a1_reactor.providers.endpoint import is_public, parse_endpoint, system_resolver
from reactor_core.errors import ConfigError, ProviderError


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "::7f00:1",
        "fec0::1",
        "192.88.99.1",
        "2001::1",
        "2001:db8::1",
        "ff02::1",
    ],
)
def test_addresses_that_must_be_listed(address):
    assert not is_public(address)


def test_a_private_address_is_refused_with_the_setting_that_allows_it():
    endpoint = parse_endpoint("http://models.lan:9000/frames", allow=())
    with pytest.raises(ProviderError, match=r"A1_REACTOR_PROVIDER_ALLOW=models\.lan:9000"):
        endpoint.pinned(lambda host, port: ["10.0.0.7"])


def test_one_private_address_among_public_ones_is_refused():
    with pytest.raises(ProviderError, match=r"127\.0\.0\.1"):
        parse_endpoint("https://example.com/", ()).pinned(lambda host, port: ["93.184.216.34", "127.0.0.1"])


def test_a_listed_pair_of_host_and_port_may_be_private():
    endpoint = parse_endpoint("http://Models.lan:9000/frames", allow=["models.lan:9000"])
    assert str(endpoint.pinned(lambda host, port: ["10.0.0.7"])) == "http://10.0.0.7:9000/frames"


def test_another_port_of_a_listed_host_is_not_listed():
    with pytest.raises(ProviderError):
        parse_endpoint("http://models.lan:22/", ["models.lan:9000"]).pinned(lambda host, port: ["10.0.0.7"])


def test_the_name_is_replaced_by_the_address_that_was_checked():
    pinned = parse_endpoint("https://example.com/v1?a=b", ()).pinned(lambda host, port: ["2606:4700::1111"])
    assert str(pinned) == "https://[2606:4700::1111]/v1?a=b"


def test_a_name_without_address_may_have_one_later():
    def unknown(host, port):
        raise OSError("Name or service not known")

    with pytest.raises(ProviderError) as caught:
        parse_endpoint("https://example.com/", ()).pinned(unknown)
    assert caught.value.retryable


@pytest.mark.parametrize(
    "text", ["", "models:9000", "ftp://host/", "file:///etc/passwd", "http://", "http://user:word@host/", "http://[::1"]
)
def test_what_is_no_endpoint_is_refused(text):
    with pytest.raises(ConfigError):
        parse_endpoint(text, ())


def test_credentials_are_not_repeated_in_the_message():
    with pytest.raises(ConfigError) as caught:
        parse_endpoint("http://user:hunter2@host/", ())
    assert "hunter2" not in str(caught.value)


def test_the_system_knows_numbers():
    assert system_resolver("127.0.0.1", 80) == ["127.0.0.1"]
