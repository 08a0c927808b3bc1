"""The mcp package's own client talks to `rag-app mcp` over standard input and output."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession, McpError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import (
    CallToolResult,
    CancelledNotification,
    CancelledNotificationParams,
    ClientNotification,
    TextContent,
)

from ingestion.errors import LibraryInUse
from ingestion.storage.lock import LibraryLock
from tests.helpers.commands import Command
from tests.helpers.paths import ROOT
from tests.helpers.served_library import serving
from tests.helpers.tiny_gguf import WORDY, write_tiny_gguf

pytestmark = pytest.mark.slow

APPLE = "When was the Bramley apple tree planted?"
CRANE = "When did the crane's cable break?"
OFF_TOPIC = "Who won the football world cup in Brazil?"


@asynccontextmanager
async def connected(data: Path, **variables: str) -> AsyncIterator[ClientSession]:
    """A session with a server of its own, which must end with it."""
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "rag_app", "--data-dir", str(data), "mcp"], cwd=str(ROOT),
        env={**os.environ, **variables},
    )  # fmt: skip
    async with stdio_client(server) as streams, ClientSession(*streams) as session:
        await session.initialize()
        yield session


def failed(result: CallToolResult) -> str:
    """Return what an error says, in one line for the model."""
    assert result.isError
    (block,) = result.content
    assert isinstance(block, TextContent)
    assert "Traceback" not in block.text
    return block.text


def test_a_client_searches_asks_reads_and_is_told_its_errors(data: Path) -> None:
    async def talk() -> None:
        async with connected(data) as session:
            tools = {tool.name: tool for tool in (await session.list_tools()).tools}
            assert tools.keys() == {"search", "ask", "list_documents", "read_page", "read_tables"}
            for tool in tools.values():
                assert tool.description
                assert tool.outputSchema
                assert tool.annotations
                assert tool.annotations.readOnlyHint
            assert tools["search"].inputSchema["required"] == ["question"]
            assert set(tools["ask"].inputSchema["properties"]) == {
                "question", "collections", "documents", "strategy",
            }  # fmt: skip

            found = await session.call_tool("search", {"question": CRANE, "top_k": 2, "strategy": "colbert"})
            assert found.structuredContent
            assert found.structuredContent["strategy"] == "colbert"
            first = found.structuredContent["passages"][0]
            assert (first["rank"], first["document"], first["page"]) == (1, "harbour.pdf", 2)
            assert len(found.structuredContent["passages"]) == 2

            answer = (await session.call_tool("ask", {"question": CRANE})).structuredContent
            assert answer
            assert "9 May 1987" in answer["answer"]
            citation = answer["citations"][0]
            page = await session.call_tool(
                "read_page", {"document_id": citation["document_id"], "page": citation["page"]}
            )
            assert page.structuredContent
            assert page.structuredContent["text"][citation["start"] : citation["end"]] == citation["quote"]

            read = await session.call_tool(
                "read_tables", {"document_id": citation["document_id"], "page": citation["page"]}
            )
            assert read.structuredContent == {
                "document_id": citation["document_id"], "tables": [], "warnings": [],
            }  # fmt: skip

            listed = (await session.call_tool("list_documents", {})).structuredContent
            assert listed
            assert [one["name"] for one in listed["documents"]] == ["harbour.pdf", "orchard.md"]
            assert listed["more"] == 0

            none = (await session.call_tool("ask", {"question": OFF_TOPIC})).structuredContent
            assert none
            assert none["abstained"]
            assert none["nearest"]

            # Errors say what to do, and the session goes on.
            wrong: list[tuple[str, dict[str, Any], str]] = [
                ("search", {"question": "  "}, "question is empty"),
                ("search", {"question": CRANE, "strategy": "cosine"}, "there are: bm25"),
                ("search", {"question": CRANE, "top_k": 0}, "greater than or equal to 1"),
                ("search", {}, "question"),
                ("ask", {"question": CRANE, "collections": ["taxes"]}, "'taxes'"),
                ("ask", {"question": ""}, "question is empty"),
                ("read_page", {"document_id": "none", "page": 1}, "none"),
                ("read_tables", {"document_id": "none", "page": 1}, "none"),
                ("read_tables", {"document_id": citation["document_id"], "page": 3}, "no page 3"),
                ("destroy", {}, "destroy"),
            ]
            for name, arguments, said in wrong:
                assert said in failed(await session.call_tool(name, arguments)), (name, arguments)
            assert (await session.call_tool("search", {"question": CRANE})).structuredContent

    asyncio.run(talk())


@pytest.mark.soak
def test_an_answer_is_told_as_it_is_written(data: Path, gguf: Path) -> None:
    told: list[tuple[float, str]] = []

    async def tell(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, message or ""))

    async def talk() -> dict[str, Any]:
        async with connected(data, RAG_APP_LLM=str(gguf), RAG_APP_LLM_MAX_TOKENS="48") as session:
            result = await session.call_tool("ask", {"question": APPLE}, progress_callback=tell)
            assert result.structuredContent
            return result.structuredContent

    answer = asyncio.run(talk())
    assert answer["llm"] == "tiny.gguf"
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert "passages found" in told[0][1]
    assert told[-1][1]
    assert "".join(message for _, message in told).endswith(answer["answer"][-20:])


def test_a_call_that_is_cancelled_stops_the_model(data: Path, tmp_path: Path) -> None:
    """Of a model that would write for minutes, and writes one answer at a time."""
    slow = write_tiny_gguf(tmp_path / "slow.gguf", WORDY)
    variables = {
        "RAG_APP_LLM": str(slow), "RAG_APP_LLM_CONTEXT_TOKENS": "16384", "RAG_APP_LLM_MAX_TOKENS": "15000",
        "RAG_APP_LLM_TEMPERATURE": "2",
    }  # fmt: skip

    async def talk() -> None:
        async with connected(data, **variables) as session:
            for _ in range(2):
                written = asyncio.Event()

                async def tell(
                    progress: float,
                    total: float | None,
                    message: str | None,
                    written: asyncio.Event = written,
                ) -> None:
                    if "passages" not in (message or "") and "language model" not in (message or ""):
                        written.set()

                number = session._request_id
                call = asyncio.create_task(
                    session.call_tool("ask", {"question": APPLE}, progress_callback=tell)
                )
                await asyncio.wait_for(written.wait(), 90)
                parameters = CancelledNotificationParams(requestId=number, reason="enough")
                await session.send_notification(ClientNotification(CancelledNotification(params=parameters)))
                with pytest.raises(McpError, match="cancelled"):
                    await call
            assert (await session.call_tool("search", {"question": CRANE})).structuredContent

    asyncio.run(talk())


@pytest.mark.soak
def test_the_library_is_free_between_questions_and_a_server_is_found(data: Path) -> None:
    """A server that begins in between is asked; when it has gone, the library is opened again."""

    async def search(session: ClientSession) -> None:
        assert (await session.call_tool("search", {"question": CRANE})).structuredContent

    async def talk() -> None:
        async with connected(data) as session:
            await search(session)
            while not is_free(data):
                await asyncio.sleep(0.2)
            with serving(data):
                for _ in range(2):
                    await search(session)
                answer = await session.call_tool("ask", {"question": CRANE})
                assert "9 May 1987" in str(answer.structuredContent)
            await search(session)

    asyncio.run(talk())
    assert is_free(data)


def is_free(data: Path) -> bool:
    lock = LibraryLock(data)
    try:
        lock.acquire()
    except LibraryInUse:
        return False
    lock.release()
    return True


def test_only_the_protocol_is_on_standard_output(data: Path, gguf: Path) -> None:
    """Also when a model is loaded, and until standard input ends, which ends the server."""
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    asked = {"name": "ask", "arguments": {"question": APPLE}}
    messages = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": asked},
    ]
    server = subprocess.Popen(
        [sys.executable, "-m", "rag_app", "--data-dir", str(data), "mcp"],
        cwd=ROOT,
        env={**os.environ, "RAG_APP_LLM": str(gguf), "RAG_APP_LLM_MAX_TOKENS": "16"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdin
    assert server.stdout
    server.stdin.write("".join(json.dumps(message) + "\n" for message in messages))
    server.stdin.flush()
    answers = [json.loads(server.stdout.readline()) for _ in range(2)]
    assert [answer["id"] for answer in answers] == [1, 2]
    assert answers[0]["result"]["serverInfo"]["name"] == "rag-app"
    assert answers[1]["result"]["structuredContent"]["llm"] == "tiny.gguf"
    rest, errors = server.communicate(timeout=60)
    assert (server.returncode, rest, errors) == (0, "", "")


def test_wrong_settings_end_it_before_it_speaks(run: Command, tmp_path: Path) -> None:
    done = run("--data-dir", tmp_path, "mcp", "--loud")
    assert (done.code, done.out) == (2, "")
