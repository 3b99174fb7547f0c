import importlib.util
from dataclasses import replace

import pytest
from tests.a1_reactor.provenance.chain import write_chain

from a1_reactor.media.mp4 import decode_frames
from a1_reactor.provenance.credentials import read_credentials
from a1_reactor.provenance.signing import read_signed, sign_mp4
from a1_reactor.provenance.statement import REGEN_LABEL, statement_of
from reactor_core.errors import ConfigError, MissingExtra, NotFound, StorageError

pytestmark = pytest.mark.skipif(importlib.util.find_spec("c2pa") is None, reason="the extra [media] is absent")


@pytest.fixture(scope="module")
def credentials(tmp_path_factory):
    return read_credentials(*write_chain(tmp_path_factory.mktemp("keys")))


@pytest.fixture(scope="module")
def signed(clips, credentials, tmp_path_factory):
    """The regenerated clip, signed with its parent as ingredient."""
    path = tmp_path_factory.mktemp("signed") / "a.mp4"
    statement = statement_of(clips["child"], parent=clips["base"], source=None, title="a.mp4")
    sign_mp4(clips["child"].artifact, path, statement, credentials)
    return path


def test_a_signed_file_is_intact_and_names_its_signer_whom_nobody_trusts(signed):
    found = read_signed(signed)
    assert (found.intact, found.trusted, found.signer, found.problems) == (True, False, "Test signer", ())


def test_it_says_what_it_was_made_of_and_how(signed, clips):
    manifest = read_signed(signed).manifest
    (ingredient,) = manifest["ingredients"]
    assert (ingredient["relationship"], ingredient["title"]) == ("parentOf", f"clip {clips['base'].key}")
    own = next(one["data"] for one in manifest["assertions"] if one["label"] == REGEN_LABEL)
    assert (own["windows"], own["clip"]) == ([[4, 8]], clips["child"].key)


def test_its_pictures_are_those_of_the_clip(signed, clips):
    pairs = zip(decode_frames(signed), decode_frames(clips["child"].artifact), strict=True)
    assert all((ours == theirs).all() for ours, theirs in pairs)


def test_one_changed_byte_of_the_pictures_is_seen(signed, tmp_path):
    data = bytearray(signed.read_bytes())
    data[data.rindex(b"mdat") + 200] ^= 1
    (tmp_path / "a.mp4").write_bytes(bytes(data))
    found = read_signed(tmp_path / "a.mp4")
    assert (found.intact, found.problems) == (False, ("assertion.bmffHash.mismatch",))


def test_a_signed_file_that_is_signed_again_carries_its_history(signed, clips, credentials, tmp_path):
    source = clips["source"]
    statement = statement_of(clips["film"], parent=None, source=source, title="b.mp4")
    again = tmp_path / "b.mp4"
    kept = tmp_path / "harbour.mp4"
    kept.write_bytes(signed.read_bytes())

    sign_mp4(
        clips["film"].artifact,
        again,
        replace(statement, ingredient=replace(statement.ingredient, path=kept)),
        credentials,
    )
    found = read_signed(again)
    assert found.intact
    assert found.manifest["ingredients"][0]["active_manifest"].startswith("urn:c2pa:")


def test_a_file_without_credentials_says_none(clips):
    assert read_signed(clips["base"].artifact) is None
    with pytest.raises(NotFound):
        read_signed(clips["base"].path / "none.mp4")


def test_certificates_that_are_not_for_signing_are_refused(clips, tmp_path):
    unfit = read_credentials(*write_chain(tmp_path, fit=False))
    statement = statement_of(clips["base"], parent=None, source=None, title="a.mp4")
    with pytest.raises(ConfigError, match="not fit for signing"):
        sign_mp4(clips["base"].artifact, tmp_path / "a.mp4", statement, unfit)


def test_a_folder_that_is_not_there_is_said(clips, credentials, tmp_path):
    statement = statement_of(clips["base"], parent=None, source=None, title="a.mp4")
    with pytest.raises(StorageError):
        sign_mp4(clips["base"].artifact, tmp_path / "none" / "a.mp4", statement, credentials)


def test_without_the_library_the_extra_is_named(clips, credentials, tmp_path, monkeypatch):
    monkeypatch.setattr("reactor_core.utils.extras.installed", lambda module: False)
    with pytest.raises(MissingExtra, match="media"):
        read_signed(clips["base"].artifact)
