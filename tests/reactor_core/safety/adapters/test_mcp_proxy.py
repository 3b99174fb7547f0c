from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.server import MCPServer
from tests.reactor_core.safety.adapters.conftest import Asked, trail

from reactor_core.errors import ConfigError
from reactor_core.safety.adapters.mcp_proxy import proxy_server, serve_http
from reactor_core.safety.gate import SafetyGate

SERVER = """
import sys
from pathlib import Path
from mcp.server import MCPServer

server = MCPServer("files")

@server.tool()
def run_command(command: str) -> str:
    Path(sys.argv[1]).open("a").write(command + "\\n")
    return "ran " + command

@server.resource("notes://all")
def notes() -> str:
    return "two notes"

server.run()
"""


@pytest.fixture
def other(tmp_path: Path) -> MCPServer:
    """A tool server of this process that notes what it is asked to do."""
    server = MCPServer("files")

    @server.tool()
    def run_command(command: str) -> str:
        with (tmp_path / "ran").open("a") as file:
            file.write(command + "\n")
        return f"ran {command}"

    @server.tool()
    def fail(path: str) -> str:
        raise ValueError("broken")

    @server.resource("notes://all")
    def notes() -> str:
        return "two notes"

    @server.prompt()
    def greet(name: str) -> str:
        return f"Say hello to {name}"

    return server


@asynccontextmanager
async def proxied(gate: SafetyGate, other: Any) -> AsyncIterator[Client]:
    async with Client(other) as inner, Client(proxy_server(gate, inner)) as client:
        yield client


def ran(tmp_path: Path) -> list[str]:
    file = tmp_path / "ran"
    return file.read_text().splitlines() if file.exists() else []


async def test_tools_are_the_other_servers_and_calls_go_through_the_gate(
    gate: SafetyGate, other: MCPServer, people: Asked, tmp_path: Path
) -> None:
    async with proxied(gate, other) as client:
        tools = (await client.list_tools()).tools
        assert {tool.name for tool in tools} == {"run_command", "fail"}
        assert (await client.call_tool("run_command", {"command": "ls"})).content[0].text == "ran ls"
        blocked = await client.call_tool("run_command", {"command": "rm -rf /"})
        assert blocked.is_error
        assert "blocked by B1" in blocked.content[0].text
        people.yes = False
        denied = await client.call_tool("run_command", {"command": "rm notes.txt"})
        assert "alice said no" in denied.content[0].text
    assert ran(tmp_path) == ["ls"]
    assert [(entry.verdict, entry.outcome) for entry in trail(gate)] == [
        ("allow", "completed"), ("block", ""), ("confirm", "refused"),
    ]  # fmt: skip


async def test_resources_prompts_and_errors_come_as_they_are(gate: SafetyGate, other: MCPServer) -> None:
    async with proxied(gate, other) as client:
        assert [str(one.uri) for one in (await client.list_resources()).resources] == ["notes://all"]
        assert (await client.read_resource("notes://all")).contents[0].text == "two notes"
        assert [one.name for one in (await client.list_prompts()).prompts] == ["greet"]
        prompt = await client.get_prompt("greet", {"name": "Bob"})
        assert prompt.messages[0].content.text == "Say hello to Bob"
        failed = await client.call_tool("fail", {"path": "src/a.py"})
        assert failed.is_error


async def test_a_tripped_switch_stops_every_tool(gate: SafetyGate, other: MCPServer, tmp_path: Path) -> None:
    async with proxied(gate, other) as client:
        gate.bridge.latch.trip(reason="enough")
        halted = await client.call_tool("run_command", {"command": "ls"})
        assert "kill switch is tripped" in halted.content[0].text
    assert ran(tmp_path) == []


@pytest.mark.slow
async def test_the_command_line_wraps_a_server_on_standard_streams(tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    environment = {
        **os.environ,
        "REACTOR_WORKSPACE": str(tmp_path / "workspace"),
        "REACTOR_STATE_DIR": str(tmp_path / "state"),
    }
    words = ["-m", "reactor_core.cli", "guard", "--mcp", "--", sys.executable, str(script), str(tmp_path / "ran")]
    parameters = StdioServerParameters(command=sys.executable, args=words, env=environment, cwd=tmp_path)
    async with Client(parameters) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["run_command"]
        assert (await client.call_tool("run_command", {"command": "ls"})).content[0].text == "ran ls"
        assert (await client.call_tool("run_command", {"command": "rm -rf ~"})).is_error
        assert (await client.read_resource("notes://all")).contents[0].text == "two notes"
    assert ran(tmp_path) == ["ls"]


async def test_a_server_is_reached_and_served_over_http(
    gate: SafetyGate, other: MCPServer, unused_tcp_port_factory: Any, tmp_path: Path
) -> None:
    port = unused_tcp_port_factory()
    async with Client(other) as inner:
        serving = asyncio.create_task(serve_http(gate, inner, port=port))
        try:
            async with asyncio.timeout(20):
                while True:
                    try:
                        _, writer = await asyncio.open_connection("127.0.0.1", port)
                        break
                    except OSError:
                        await asyncio.sleep(0.02)
            writer.close()
            async with Client(f"http://127.0.0.1:{port}/mcp") as client:
                assert (await client.call_tool("run_command", {"command": "rm -rf /"})).is_error
                assert not (await client.call_tool("run_command", {"command": "ls"})).is_error
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
    assert ran(tmp_path) == ["ls"]


async def test_the_door_over_http_is_on_the_loopback_only(gate: SafetyGate, other: MCPServer) -> None:
    async with Client(other) as inner:
        with pytest.raises(ConfigError, match="loopback"):
            await serve_http(gate, inner, host="0.0.0.0")
