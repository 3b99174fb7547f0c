"""``reactor hub``: the meeting point of workspaces."""

from __future__ import annotations

import sys
from pathlib import Path

from reactor_core.integration.hub_service import run_hub
from reactor_core.utils.settings import load_settings

__all__ = ["hub"]


def hub(*, host: str = "127.0.0.1", port: int = 8000, token_file: Path | None = None) -> int:
    """Serve the hub.

    Parameters
    ----------
    host
        Address to listen on. Any but this machine's own needs a token that was given.
    port
        Port to listen on; 0 takes a free one.
    token_file
        File with the token for clients; without it, REACTOR_API_TOKEN or the workspace's own token.
    """
    return run_hub(load_settings(), host=host, port=port, token_file=token_file, echo=_say)


def _say(text: str) -> None:
    """At once, as whoever started the hub may read a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
