"""The hub: where workspaces and old neighbours meet over WebSockets.

A hub has a journal of its own. What a peer sends is committed there, acknowledged, and handed to every other peer.
:class:`Hub` speaks to any :class:`Connection`; ``server`` listens on a socket by itself, and the API carries it beside
its other routes.
"""

from typing import TYPE_CHECKING

from reactor_core.utils.lazy import attach

if TYPE_CHECKING:
    from reactor_core.events.hub.connection import Connection as Connection
    from reactor_core.events.hub.connection import Disconnected as Disconnected
    from reactor_core.events.hub.hub import Hub as Hub
    from reactor_core.events.hub.server import HubServer as HubServer
    from reactor_core.events.hub.wire import MAX_FRAME as MAX_FRAME
    from reactor_core.events.hub.wire import PATH as PATH
    from reactor_core.events.hub.wire import SUBPROTOCOL as SUBPROTOCOL

# Lazy: whoever only needs the frames does not pay for the journal and the server library.
__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "MAX_FRAME": ".wire",
        "PATH": ".wire",
        "SUBPROTOCOL": ".wire",
        "Connection": ".connection",
        "Disconnected": ".connection",
        "Hub": ".hub",
        "HubServer": ".server",
    },
)
