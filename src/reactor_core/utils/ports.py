"""Listening on an address, with an error that names it."""

from __future__ import annotations

import os
import socket

from reactor_core.errors import ConfigError, EnvironmentMissing

__all__ = ["check_address", "listen"]


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        port: 0 takes a free one.

    Raises:
        ConfigError: There is no such port.
        EnvironmentMissing: The address is not this machine's, or something listens there already.
    """
    if not 0 <= port <= 65_535:
        raise ConfigError(f"port={port} is outside 0..65535", remedy="8000 to 8999 are usual; 0 takes a free one")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        # Python adds the address to what the system says.
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or error
        raise EnvironmentMissing(
            f"cannot listen on {host}:{port}: {why}", remedy="choose another --port or --host"
        ) from error


def check_address(host: str, port: int) -> None:
    """Make sure that somebody else may listen there, before anything is opened for it.

    Raises:
        ConfigError, EnvironmentMissing: As :func:`listen`.
    """
    listen(host, port).close()
