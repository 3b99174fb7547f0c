"""The gate in front of what agents already use: model clients, tool servers, functions."""

from reactor_core.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Computer": ".computer",
        "Describe": ".tool_calls",
        "ToolAction": ".tool_calls",
        "guarded": ".functions",
        "instrument": ".clients",
        "proxy_server": ".mcp_proxy",
        "serve_http": ".mcp_proxy",
        "serve_stdio": ".mcp_proxy",
        "tool_actions": ".tool_calls",
    },
)
