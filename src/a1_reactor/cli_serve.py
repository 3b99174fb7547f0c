"""``a1-reactor serve``: the HTTP API of the clips."""

from __future__ import annotations

from pathlib import Path

__all__ = ["serve"]


def serve(*, host: str = "127.0.0.1", port: int = 8080, workspace: Path | None = None) -> None:
    """Serve the clips over HTTP, and make those that are asked for.

    Parameters
    ----------
    host
        Address to listen on. One beyond loopback needs REACTOR_API_TOKEN.
    port
        Port to listen on.
    workspace
        Folder of the clips; by default .a1r, or A1_REACTOR_WORKSPACE.
    """
    from a1_reactor.server.api import serve as serve_clips

    serve_clips(host=host, port=port, workspace=workspace)
