"""What of a clip plays already, as a list for players to which a playlist is foreign."""

from __future__ import annotations

from typing import Any

__all__ = ["read_playlist"]


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
