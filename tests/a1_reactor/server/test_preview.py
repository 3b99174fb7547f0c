from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from a1_reactor.media.fragments import playlist
from a1_reactor.server.preview import read_playlist, read_preview
from a1_reactor.storage.store import ClipStore


def test_the_files_of_a_playlist_are_listed_with_their_ends() -> None:
    text = playlist(Fraction(24), [("000000-000024.m4s", 24), ("000024-000036.m4s", 12)], ended=False)
    assert read_playlist(text) == {
        "segments": [{"file": "000000-000024.m4s", "end": 1.0}, {"file": "000024-000036.m4s", "end": 1.5}],
        "ended": False,
    }
    assert read_playlist(playlist(Fraction(24), [], ended=True)) == {"segments": [], "ended": True}


class Moving(ClipStore):
    """A store whose clip is put into its place right after it was found in the making."""

    def preview(self, key: str) -> Path | None:
        found = super().preview(key)
        if found is not None and self.building in found.parents:
            self.cache.mkdir()
            (self.building / key).rename(self.cache / key)
        return found


def test_a_clip_that_is_finished_this_moment_is_read_from_its_place(tmp_path: Path) -> None:
    store, key = Moving(tmp_path), "0123456789abcdef"
    folder = store.building / key / "run" / "preview"
    folder.mkdir(parents=True)
    (folder / "playlist.m3u8").write_bytes(b"list")
    assert read_preview(store, key, "playlist.m3u8") == b"list"
    assert read_preview(store, key, "none.m4s") is None
    assert read_preview(store, "f" * 16, "playlist.m3u8") is None
