import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from tests.a1_reactor.provenance.chain import write_chain

from a1_reactor.provenance.credentials import read_credentials
from reactor_core.errors import ConfigError, NotFound


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "es256"),
        (ec.generate_private_key(ec.SECP384R1()), "es384"),
        (ed25519.Ed25519PrivateKey.generate(), "ed25519"),
        (rsa.generate_private_key(65537, 2048), "ps256"),
    ],
)
def test_the_algorithm_is_that_of_the_key(tmp_path, key, algorithm):
    found = read_credentials(*write_chain(tmp_path, key))
    assert (found.algorithm, found.chain.count(b"BEGIN CERTIFICATE")) == (algorithm, 2)
    assert "Test signer" in found.name
    assert "PRIVATE" not in repr(found)


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (ec.generate_private_key(ec.SECP256K1()), "secp256k1"),
        (ed448.Ed448PrivateKey.generate(), "Ed448"),
        (rsa.generate_private_key(65537, 1024), "1024 bits"),
    ],
)
def test_a_key_that_c2pa_does_not_know_is_refused(tmp_path, key, says):
    with pytest.raises(ConfigError, match=says):
        read_credentials(*write_chain(tmp_path, key))


def test_an_encrypted_key_is_refused_with_the_command_that_decrypts_it(tmp_path):
    with pytest.raises(ConfigError, match="encrypted") as caught:
        read_credentials(*write_chain(tmp_path, password=b"secret"))
    assert "openssl" in caught.value.remedy


def test_the_certificate_must_be_that_of_the_key(tmp_path):
    key, chain = write_chain(tmp_path)
    (tmp_path / "other").mkdir()
    other, _ = write_chain(tmp_path / "other")
    with pytest.raises(ConfigError, match="is not that of the key"):
        read_credentials(other, chain)
    for one, two in ((key, key), (chain, chain)):
        with pytest.raises(ConfigError, match="holds no PEM"):
            read_credentials(one, two)


def test_files_that_are_not_there_are_not_found(tmp_path):
    with pytest.raises(NotFound):
        read_credentials(tmp_path / "key.pem", tmp_path / "chain.pem")
