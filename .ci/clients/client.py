"""Usage: client.py KITE URL TOKEN_FILE PROJECT HELD_LOCK

The official Python SDK against Kite, over stdio and HTTP, in each way in which it negotiates the
protocol: tools, a received update, a resource, a prompt, progress and cancellation. HELD_LOCK is
the name of a lock that somebody else holds.
"""

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

kite, url, token_file, project, held_lock = sys.argv[1:]
PENDING = "kite://tasks/pending"
MODES = {"legacy": "legacy", "auto": "auto", "modern": "2026-07-28"}
SOON = 20


def server(transport):
    if transport == "stdio":
        return StdioServerParameters(command=kite, args=["mcp"], env=dict(os.environ), cwd=project)
    token = Path(token_file).read_text().strip()
    headers = {"Authorization": f"Bearer {token}", "Kite-Directory": project}
    return streamable_http_client(url, http_client=create_mcp_http_client(headers=headers))


@asynccontextmanager
async def updates(client, arrived):
    """Fills `arrived` with the addresses of resources that have changed, in either era."""
    if client.protocol_version < "2026-07-28":
        # They come to the message handler.
        await client.subscribe_resource(PENDING)
        yield
        return
    async with client.listen(resource_subscriptions=[PENDING]) as subscription:

        async def forward():
            async for event in subscription:
                arrived.put_nowait(str(event.uri))

        forwarding = asyncio.create_task(forward())
        yield
        forwarding.cancel()


def text(result):
    return result.content[0].text


async def talk(transport, mode):
    arrived = asyncio.Queue()

    async def handle(message):
        # A notification, bare or wrapped.
        message = getattr(message, "root", message)
        if getattr(message, "method", "") == "notifications/resources/updated":
            arrived.put_nowait(str(message.params.uri))

    async with Client(server(transport), mode=MODES[mode], message_handler=handle) as client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert "kite_task_create" in tools, tools
        title = f"From Python over {transport}, {mode}"
        async with updates(client, arrived):
            # What it is like now is told at once; then whatever changes it.
            assert await asyncio.wait_for(arrived.get(), SOON) == PENDING
            created = await client.call_tool("kite_task_create", {"title": title})
            assert text(created).startswith("Task created: "), created
            assert await asyncio.wait_for(arrived.get(), SOON) == PENDING
        read = await client.read_resource(PENDING)
        assert title in read.contents[0].text, read
        await prompt(client)
        await wait_and_cancel(client)
        print(f"python, {transport}, {mode} ({client.protocol_version}): ok", flush=True)


async def prompt(client):
    prompts = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}
    assert "standup" in prompts, prompts
    got = await client.get_prompt("standup")
    assert got.messages[0].content.text, got


async def wait_and_cancel(client):
    told = asyncio.Event()

    async def progress(done, total, message):
        told.set()

    arguments = {"name": held_lock, "wait_seconds": 40}
    waiting = asyncio.create_task(
        client.call_tool("kite_file_lock", arguments, progress_callback=progress)
    )
    await asyncio.wait_for(told.wait(), SOON)
    waiting.cancel()
    try:
        await waiting
        raise AssertionError("a cancelled call was answered")
    except asyncio.CancelledError:
        pass
    # Whoever cancelled is served as before.
    listed = await asyncio.wait_for(client.call_tool("kite_task_list", {}), SOON)
    assert not listed.is_error, listed


async def main():
    for transport in ("stdio", "http"):
        for mode in MODES:
            await asyncio.wait_for(talk(transport, mode), 4 * SOON)


asyncio.run(main())
