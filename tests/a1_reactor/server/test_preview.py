from __future__ import annotations

from fractions import Fraction

from a1_reactor.media.fragments import playlist
from a1_reactor.server.preview import read_playlist


def test_the_files_of_a_playlist_are_listed_with_their_ends() -> None:
    text = playlist(Fraction(24), [("000000-000024.m4s", 24), ("000024-000036.m4s", 12)], ended=False)
    assert read_playlist(text) == {
        "segments": [{"file": "000000-000024.m4s", "end": 1.0}, {"file": "000024-000036.m4s", "end": 1.5}],
        "ended": False,
    }
    assert read_playlist(playlist(Fraction(24), [], ended=True)) == {"segments": [], "ended": True}
