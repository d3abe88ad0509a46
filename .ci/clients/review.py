"""Usage: review.py KITE URL TOKEN_FILE PROJECT

kite_review with the official Python SDK as the client, over stdio and HTTP, in both eras of the
protocol: its model is asked where it declares sampling, a refusal and a client that cannot sample
get the brief back, and what a subagent said is recorded.
"""

import asyncio
import os
import re
import sys
from pathlib import Path

import mcp.types as types
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

kite, url, token_file, project = sys.argv[1:]
MODES = {"legacy": "legacy", "auto": "auto", "modern": "2026-07-28"}
SOON = 60


def server(transport):
    if transport == "stdio":
        return StdioServerParameters(command=kite, args=["mcp"], env=dict(os.environ), cwd=project)
    token = Path(token_file).read_text().strip()
    headers = {"Authorization": f"Bearer {token}", "Kite-Directory": project}
    return streamable_http_client(url, http_client=create_mcp_http_client(headers=headers))


class Model:
    """Reads a brief, and answers as it was told to."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    async def __call__(self, context, params):
        self.asked.append(params)
        if self.answer is None:
            return types.ErrorData(code=-1, message="the person said no")
        content = types.TextContent(type="text", text=self.answer)
        return types.CreateMessageResult(role="assistant", content=content, model="ci-model-1")


def text(result):
    assert not result.is_error, result
    return result.content[0].text


async def task(client, title):
    created = text(await client.call_tool("kite_task_create", {"title": title}))
    found = re.search(r": ([0-9a-f]{8})", created)
    assert found, created
    return found.group(1)


async def sampled(transport, mode):
    model = Model("VERDICT: changes_needed\nsrc/a.rs:3: off by one")
    async with Client(server(transport), mode=MODES[mode], sampling_callback=model) as client:
        id = await task(client, f"Reviewed from Python over {transport}, {mode}")
        answer = text(await client.call_tool("kite_review", {"task_id": id, "focus": "errors"}))
        assert "by sampling (model ci-model-1): changes_needed" in answer, answer
        assert "src/a.rs:3" in answer, answer
        (params,) = model.asked
        assert params.max_tokens == 2000, params
        assert params.model_preferences.hints[0].name == "claude-sonnet-4-6", params
        content = params.messages[0].content
        brief = (content[0] if isinstance(content, list) else content).text
        assert "[kite review " in brief and "| errors" in brief, brief
        shown = text(await client.call_tool("kite_task_show", {"task": id}))
        assert "reviewed" in shown, shown
        return client.protocol_version


async def refused(transport, mode):
    """A person may say no. In the newer era this SDK lets the whole call fail then."""
    async with Client(server(transport), mode=MODES[mode], sampling_callback=Model(None)) as client:
        id = await task(client, f"Refused from Python over {transport}, {mode}")
        try:
            answer = text(await client.call_tool("kite_review", {"task_id": id}))
        except Exception as error:
            assert client.protocol_version >= "2026-07-28", error
            return
        assert "the person said no" in answer and "Start a subagent" in answer, answer


async def brief_back(transport, mode):
    async with Client(server(transport), mode=MODES[mode]) as client:
        id = await task(client, f"Read by a subagent from Python over {transport}, {mode}")
        brief = text(await client.call_tool("kite_review", {"task_id": id}))
        assert "Start a subagent" in brief and "[kite review " in brief, brief
        review = re.search(r"review_id=([0-9a-f]{8})", brief).group(1)
        said = {"review_id": review, "answer": "VERDICT: approve", "model": "a-subagent"}
        kept = text(await client.call_tool("kite_review", said))
        assert "by subagent (model a-subagent): approve" in kept, kept


async def main():
    for transport in ("stdio", "http"):
        for mode in MODES:
            version = await asyncio.wait_for(sampled(transport, mode), SOON)
            await asyncio.wait_for(refused(transport, mode), SOON)
            await asyncio.wait_for(brief_back(transport, mode), SOON)
            print(f"python reviews, {transport}, {mode} ({version}): ok", flush=True)


asyncio.run(main())
