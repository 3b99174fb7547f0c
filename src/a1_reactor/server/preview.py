"""What of a clip plays already, as a list for players to which a playlist is foreign."""

from __future__ import annotations

from typing import Any

from a1_reactor.storage.store import ClipStore

__all__ = ["read_playlist", "read_preview"]


def read_preview(store: ClipStore, key: str, name: str) -> bytes | None:
    """A file of a clip's preview; None if there is none (yet).

    Read at once: a clip that is finished this moment moves to its place with all its files, so the name that was found
    may hold no longer. Then it holds in the other place.

    Args:
        key: Of the clip.
        name: Of the file; no folders.
    """
    for _ in range(2):
        folder = store.preview(key)
        if folder is None:
            return None
        try:
            return (folder / name).read_bytes()
        except FileNotFoundError:
            continue
    return None


def read_playlist(text: str) -> dict[str, Any]:
    """The files of a clip's HLS playlist, each with the second at which it ends, and whether no more will come.

    Args:
        text: As :func:`a1_reactor.media.fragments.playlist` writes it.
    """
    segments: list[dict[str, Any]] = []
    end = 0.0
    for line in text.splitlines():
        if line.startswith("#EXTINF:"):
            end += float(line.removeprefix("#EXTINF:").rstrip(","))
        elif line and not line.startswith("#"):
            segments.append({"file": line, "end": round(end, 6)})
    return {"segments": segments, "ended": "#EXT-X-ENDLIST" in text}
