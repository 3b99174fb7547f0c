from __future__ import annotations

import pytest

from reactor_core.safety.key_formats import holds_secret


def test_keys_of_known_formats():
    assert holds_secret("x = '-----BEGIN OPENSSH PRIVATE KEY-----'")
    assert holds_secret("aws AKIAABCDEFGHIJKLMNOP")
    assert not holds_secret("aws AKIAIOSFODNN7EXAMPLE")
    assert not holds_secret("nothing of the kind")


@pytest.mark.parametrize(
    "text",
    ["DB_PASSWORD=hunter22", "export API_TOKEN='abc123'", "client_secret: s3cr3t", "//registry/:_authToken=abcdef"],
)
def test_settings_whose_names_say_secret(text):
    assert holds_secret(text, named=True)


@pytest.mark.parametrize(
    "text", ["PORT=3000", "DB_PASSWORD=changeme", "API_TOKEN=${TOKEN}", "SECRET_KEY=<your key>", "DEBUG=true"]
)
def test_settings_that_hold_none(text):
    assert not holds_secret(text, named=True)
