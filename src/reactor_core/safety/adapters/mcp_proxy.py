"""A server of the Model Context Protocol that hands every tool call of another one through the gate.

The other server's tools, resources and prompts are shown as they are. A call that does not come through is answered by
an error that the model can read. What a server says about its own tools (that one only reads, say) is not believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reactor_core.errors import ConfigError, MissingExtra, ReactorError
from reactor_core.safety.adapters.tool_calls import ToolAction, tool_actions
from reactor_core.safety.gate import SafetyGate
from reactor_core.utils.settings import process_environment

if TYPE_CHECKING:
    from mcp import Client
    from mcp.server import Server

try:
    import mcp_types as types
    from mcp import Client as _Client
    from mcp import StdioServerParameters
    from mcp.server import Server as _Server
    from mcp.server.stdio import stdio_server
except ModuleNotFoundError as _error:
    raise MissingExtra("the proxy for tool servers", "mcp") from _error

__all__ = ["proxy_server", "serve_http", "serve_stdio"]

CLOSING_SECONDS = 2
"""How long callers may go on with their requests when the door closes."""


def proxy_server(gate: SafetyGate, client: Client, *, name: str = "reactor-guard") -> Server[Any]:
    """A server in front of another one.

    Args:
        gate: The gate.
        client: Connected to the other server; it stays open as long as this one serves.
        name: What this server calls itself.
    """

    async def list_tools(_: Any, params: Any) -> types.ListToolsResult:
        return await client.list_tools(cursor=_cursor(params))

    async def call_tool(_: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        given = dict(params.arguments or {})
        try:
            return await _call(gate, client, params.name, given, tool_actions(params.name, given))
        except ReactorError as error:
            return types.CallToolResult(
                content=[types.TextContent(type="text", text=f"not let through: {error}")], is_error=True
            )

    async def list_resources(_: Any, params: Any) -> types.ListResourcesResult:
        return await client.list_resources(cursor=_cursor(params))

    async def list_templates(_: Any, params: Any) -> types.ListResourceTemplatesResult:
        return await client.list_resource_templates(cursor=_cursor(params))

    async def read_resource(_: Any, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        return await client.read_resource(params.uri)

    async def list_prompts(_: Any, params: Any) -> types.ListPromptsResult:
        return await client.list_prompts(cursor=_cursor(params))

    async def get_prompt(_: Any, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        return await client.get_prompt(params.name, params.arguments)

    able = client.server_capabilities
    return _Server(
        name,
        instructions=client.instructions,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources if able.resources else None,
        on_list_resource_templates=list_templates if able.resources else None,
        on_read_resource=read_resource if able.resources else None,
        on_list_prompts=list_prompts if able.prompts else None,
        on_get_prompt=get_prompt if able.prompts else None,
    )


def serve_stdio(gate: SafetyGate, *, command: Sequence[str] | None = None, url: str | None = None) -> None:
    """Serve another server's tools on standard input and output until they close.

    Args:
        gate: The gate.
        command: Starts the other server, which is spoken to over its standard streams.
        url: Or: where it is.
    """
    import asyncio

    async def serve() -> None:
        async with _Client(_target(command, url)) as client:
            server = proxy_server(gate, client)
            async with stdio_server() as (read, write):
                await server.run(read, write, server.create_initialization_options())

    asyncio.run(serve())


async def serve_http(gate: SafetyGate, client: Client, *, host: str = "127.0.0.1", port: int = 8010) -> None:
    """Serve another server's tools at ``http://host:port/mcp`` until it is cancelled; it is closed when that returns.

    Raises:
        ConfigError: The address is not a loopback one: this door asks nobody for credentials.
    """
    import asyncio

    import uvicorn

    if host not in ("127.0.0.1", "::1", "localhost"):
        raise ConfigError(f"host={host!r} is not a loopback address", remedy="put a server with credentials before it")
    app = proxy_server(gate, client).streamable_http_app(host=host)
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=CLOSING_SECONDS)
    server = uvicorn.Server(config)
    serving = asyncio.ensure_future(server.serve())
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True  # cancelled itself, it would leave its socket open
        await asyncio.wait([serving])
        raise


async def _call(
    gate: SafetyGate, client: Client, name: str, given: dict[str, Any], actions: Sequence[ToolAction]
) -> types.CallToolResult:
    """Ask for each action of the call, and make it with the permit of the last one."""
    if not actions:
        return await client.call_tool(name, given)
    (kind, action, doubt), *more = actions
    doubts = [doubt] if doubt else []
    async with gate.guard(action, kind, by_caller=True, doubts=doubts, context={"tool": name}) as permit:
        if more:
            return await _call(gate, client, name, given, more)
        return await permit.perform(client.call_tool, name, given)


def _target(command: Sequence[str] | None, url: str | None) -> Any:
    if url is not None:
        return url
    if not command:
        raise ConfigError("there is neither a command nor an address of a tool server")
    return StdioServerParameters(command=command[0], args=list(command[1:]), env=process_environment())


def _cursor(params: Any) -> str | None:
    cursor: str | None = getattr(params, "cursor", None)
    return cursor
