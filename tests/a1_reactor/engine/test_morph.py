import numpy as np
import pytest

from a1_reactor.engine.morph import morph_frames, morph_planes
from a1_reactor.eval.pairs import proxy_of
from a1_reactor.providers.texture import noise_band
from reactor_core.errors import MissingExtra

NOISE = (128 + 40 * noise_band(256, 5, 2, 24)).clip(0, 255).astype(np.uint8)


def at(x, size=(160, 192)):
    """The texture seen from ``x`` pixels further right."""
    return np.ascontiguousarray(NOISE[: size[0], 16 + x : 16 + x + size[1]])


def inner(plane):
    return plane[16:-16, 16:-16].astype(np.float32)


def test_halfway_between_two_takes_is_the_picture_between_them():
    old, new, between = (at(x).astype(np.float32) for x in (0, 4, 2))
    morphed = np.abs(inner(morph_planes(old, new, 0.5)) - inner(between)).mean()
    crossfaded = np.abs(inner((old + new) / 2) - inner(between)).mean()
    assert morphed < 0.25 * crossfaded


def test_frames_move_as_their_proxies_say_at_their_own_size():
    pytest.importorskip("cv2", reason="morphing comes with the extra [media]")
    size = (128, 192)
    old, new, between = (np.repeat(at(x, size)[..., None], 3, axis=2) for x in (0, 4, 1))
    made = morph_frames(old, new, (proxy_of(old), proxy_of(new)), 0.25)
    assert np.abs(inner(made) - inner(between)).mean() < 1.5
    assert np.abs(inner(old) - inner(between)).mean() > 4


def test_without_opencv_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("reactor_core.utils.extras.installed", lambda module: False)
    frame = np.zeros((16, 16, 3), np.uint8)
    with pytest.raises(MissingExtra, match=r"\[media\]"):
        morph_frames(frame, frame, (proxy_of(frame), proxy_of(frame)), 0.5)
