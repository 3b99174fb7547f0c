"""Ways to other hosts and workspaces. Each is a relay that reads the journal with a cursor of its own.

Processes of one workspace need none: they share its file.
"""

from typing import TYPE_CHECKING

from reactor_core.utils.lazy import attach

if TYPE_CHECKING:
    from reactor_core.events.transports.figures import RelayStatus as RelayStatus
    from reactor_core.events.transports.folder import FolderRelay as FolderRelay
    from reactor_core.events.transports.group import RelayGroup as RelayGroup
    from reactor_core.events.transports.group import open_relays as open_relays
    from reactor_core.events.transports.jsonl import JsonlRelay as JsonlRelay
    from reactor_core.events.transports.redis_streams import RedisRelay as RedisRelay
    from reactor_core.events.transports.relay import Relay as Relay
    from reactor_core.events.transports.websocket import WebSocketRelay as WebSocketRelay

# Lazy: the clients cost half a second each to import, and most programs configure none.
__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "FolderRelay": ".folder",
        "JsonlRelay": ".jsonl",
        "RedisRelay": ".redis_streams",
        "Relay": ".relay",
        "RelayGroup": ".group",
        "RelayStatus": ".figures",
        "WebSocketRelay": ".websocket",
        "open_relays": ".group",
    },
)
