"""Every JSON document that the application gives, compared with `snapshots/*.json`.

Ids, times, hashes, sizes and scores differ from run to run and are replaced by their kind. A change that is
meant is written with UPDATE_SNAPSHOTS=1, and read in the diff.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.shared.memory import create_connected_server_and_client_session
from starlette.testclient import TestClient

from rag_app.config.settings import load_settings
from rag_app.llm.servers import finder
from rag_app.server.api import create_api
from rag_app.server.mcp.server import create_server
from rag_app.server.security.guard import Guard
from rag_app.service.composition import Assistant
from rag_app.service.connection import open_service
from rag_app.service.service_pool import ServicePool
from tests.helpers import model_servers
from tests.helpers.commands import Command
from tests.helpers.openai_server import serving

SNAPSHOTS = Path(__file__).parent / "snapshots"

APPLE = "When was the Bramley apple tree planted?"
CRANE = "When did the crane's cable break?"
OFF_TOPIC = "Who won the football world cup in Brazil?"

# Fields whose values depend on the machine.
_OF_THE_MACHINE = {
    "data_dir", "pid", "version", "application", "detail", "mend", "fit", "presence", "commit", "created",
    "nonce", "device",
}  # fmt: skip
_LARGE = 1_000
_REPLACED = (
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(\+00:00|Z)?"), "<time>"),
    (re.compile(r"(?<=replaced-)\d{8}T\d{6}"), "<time>"),
    (re.compile(r"\b[0-9a-f]{12,64}\b"), "<hex>"),
    (re.compile(r"chatcmpl-<hex>"), "<id>"),
    (re.compile(r"/\S*/(stock|contract|test_commands|data)\d+\b"), "<folder>"),
)

Document = dict[str, Any]


def normal(value: Any, name: str = "") -> Any:
    """Return a JSON value whose parts that differ between two runs are replaced by their kinds."""
    if isinstance(value, dict):
        of_bytes = "bytes" in name or name in ("before", "after")
        return {key: normal(one, "bytes" if of_bytes else key) for key, one in value.items()}
    if isinstance(value, list):
        return [normal(one, name) for one in value]
    if value is None or isinstance(value, bool):
        return value
    if name in _OF_THE_MACHINE or "bytes" in name or isinstance(value, float):
        return f"<{type(value).__name__}>"
    if isinstance(value, int):
        return "<int>" if value > _LARGE else value
    for pattern, kind in _REPLACED:
        value = pattern.sub(kind, value)
    return value


def without_version(document: Any) -> Any:
    """Return a document, or the documents of a stream."""
    if isinstance(document, list):
        return [without_version(one) for one in document]
    if isinstance(document, dict):
        return {name: value for name, value in document.items() if name != "schema_version"}
    return document


def check(name: str, found: Mapping[str, Any]) -> None:
    """Compare the documents that were found with a snapshot.

    `schema_version` at the top of a document is left out: it belongs to none of the documents.
    """
    file = SNAPSHOTS / f"{name}.json"
    documents = {call: without_version(document) for call, document in normal(found).items()}
    if os.environ.get("UPDATE_SNAPSHOTS"):
        file.write_text(json.dumps(documents, ensure_ascii=False, indent=1) + "\n", "utf-8")
    kept = json.loads(file.read_text("utf-8"))
    assert documents.keys() == kept.keys()
    for call, document in documents.items():
        assert document == kept[call], call


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("contract")


def test_commands(
    run: Command, stock: Path, place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RAG_APP_DATA_DIR", str(place / "data"))
    monkeypatch.setenv("RAG_APP_MODELS_DIR", str(place / "models"))
    monkeypatch.setenv("RAG_APP_API_TOKEN", "a-token-that-lasts-and-is-long-enough")
    monkeypatch.chdir(tmp_path)
    found: Document = {}

    def call(*arguments: object, label: str = "", code: int = 0) -> Document:
        done = run(*arguments, "--json")
        assert (done.code, done.err) == (code, ""), done.err
        assert done.json["schema_version"] == 1
        found[label or " ".join(map(str, arguments))] = done.json
        return done.json

    (tmp_path / "broken.pdf").write_text("no PDF at all")
    (tmp_path / "costs.md").write_text("| Item | 2023 | 2022 |\n|---|---|---|\n| Rent | | 80 |\n")
    (tmp_path / "questions.tsv").write_text(f"{CRANE}\t9 May 1987\n{APPLE}\t1921\nno answer\t\n")
    call("ingest", stock, label="ingest")
    call("ingest", "broken.pdf", code=3)
    call("documents")
    call("fields", "orchard.md", "--organisation", "ACME")
    call("fields", "orchard.md", "--restore", "organisation")
    call("tables", "orchard.md")
    call("search", CRANE, "--strategy", "colbert", "--explain", "--top-k", 2)
    call("search", APPLE, "--strategy", "cascade", "--top-k", 1)
    call("compare", CRANE, "--strategies", "mean,bm25", "--top-k", 2)
    call("ask", OFF_TOPIC, "--top-k", 1)
    asked = call("ask", CRANE, "--conversation", "new", "--top-k", 2)
    conversation, receipt = asked["conversation_id"], asked["receipt_id"]
    call("summarise", "orchard.md")
    call("strategies")
    call("conversations")
    call("conversations", "show", conversation, label="conversations show")
    call("conversations", "rename", conversation, "Cranes", label="conversations rename")
    call("receipts", "--limit", 1)
    call("receipts", receipt, label="receipts ID")
    call("replay", receipt, label="replay")
    exported = run("conversations", "export", conversation, "--format", "json")
    assert exported.code == 0
    found["conversations export"] = exported.json
    call("conversations", "delete", conversation, "--yes", label="conversations delete")
    call("collections", "create", "papers")
    call("collections")
    call("collections", "rename", "papers", "reports")
    call("collections", "instructions", "reports", "Be brief.")
    call("collections", "instructions", "reports")
    call("collections", "delete", "reports", "--yes")
    call("jobs")
    call("jobs", "show", 1)
    call("jobs", "retry", 2, code=3)
    call("jobs", "cancel", 2)
    call("jobs", "resume")
    call("jobs", "clear")
    call("judge", "add", CRANE, "--document", "harbour.pdf", "--page", 2)
    call("judge", "list")
    call("judge", "export", tmp_path / "judged", label="judge export")
    call("judge", "import", tmp_path / "judged", label="judge import")
    call("eval", "--strategies", "mean,bm25")
    call("eval", "questions.tsv", "--strategies", "bm25")
    call("judge", "clear", "--yes")
    call("stats")
    call("verify")
    call("repair")
    call("compact")
    call("reindex")
    call("export", place / "library.rag", label="export")
    call("import", place / "library.rag", label="import")
    call("delete", "orchard.md")
    found["token"] = run("token", "--json").json
    call("models", "add", "tiny", "--role", "llm", "--source", "hf:owner/tiny", "--files", "*.gguf")
    call("models", "verify")
    call("models", "remove", "tiny", "--yes")
    call("models", "use", "all-MiniLM-L6-v2", "--role", "embedder")
    with serving(model_servers.llama_server()) as server:
        port = server.root.rpartition(":")[2]
        monkeypatch.setenv("RAG_APP_FIND_SERVERS", port)
        monkeypatch.setattr(finder, "LIMIT_S", 60.0)
        listed = call("models", "list")
    served = [{**one, "url": one["url"].replace(port, "PORT")} for one in listed["served"]]
    found["models list"] = {"models": listed["models"][:1], "served": served}
    found["doctor"] = {**call("doctor"), "checks": found["doctor"]["checks"][:1]}
    (place / "data" / "catalogue.sqlite3").unlink()
    call("repair", "--rebuild")
    assert run("ingest", "costs.md").code == 0
    call("tables", "costs.md")
    check("commands", found)


@pytest.fixture(scope="module")
def api(data: Path, place: Path) -> Iterator[TestClient]:
    """The API over a library with three documents, asked by a program of this machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("RAG_APP_")]:
            patch.delenv(name)
        settings = load_settings(data_dir=data, find_servers=())
    with Assistant.open(settings) as assistant:
        assistant.jobs.start()
        app = Guard(create_api(assistant), host="127.0.0.1", port=80, token="secret")
        headers = {"Authorization": "Bearer secret"}
        yield TestClient(app, "http://127.0.0.1", headers=headers, client=("127.0.0.1", 50_000))


def lines_of(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines() if line]


def test_routes(api: TestClient, stock: Path, place: Path) -> None:
    found: Document = {}

    def call(method: str, path: str, body: Any = None, *, status: int = 200, label: str = "") -> Any:
        done = api.request(method, f"/api/v1{path}", json=body)
        assert done.status_code == status, done.text
        found[label or f"{method} {path} {json.dumps(body) if body else ''}".strip()] = done.json()
        return done.json()

    call("GET", "/health")
    documents = call("GET", "/documents?collections=harbour")["documents"]
    identity = documents[0]["document_id"]
    edited = f"/documents/{identity}/fields"
    call("PATCH", edited, {"period": "Q2 2023"}, label="PATCH fields")
    call("PATCH", edited, {"restore": ["period"]}, label="PATCH fields, restored")
    call("PATCH", edited, {"period": "soon"}, status=400, label="PATCH fields, refused")
    call("GET", f"/documents/{identity}/pages/2", label="GET page")
    call("GET", f"/documents/{identity}/pages/9", status=404, label="GET page that is not there")
    call("GET", f"/documents/{identity}/tables", label="GET tables")
    call("GET", f"/documents/{identity}/tables?page=9", status=400, label="GET tables of no page")
    uploaded = api.post(
        "/api/v1/documents",
        files={"file": ("note.txt", b"The gate opens at nine.")},
        data={"collection": "harbour"},
    ).json()
    while not (job := api.get(f"/api/v1/jobs/{uploaded['job_id']}").json())["finished"]:
        pass
    found["GET job of an upload"] = job
    call("DELETE", "/documents?name=note.txt&collections=harbour")
    call("GET", "/strategies")
    call("POST", "/search", {"question": CRANE, "strategy": "bm25", "top_k": 1, "explain": True})
    call("POST", "/search", {"question": CRANE, "strategy": "bm25", "top_k": 1})
    columns = [{"strategy": "mean"}, {"strategy": "bm25"}]
    call("POST", "/compare", {"question": CRANE, "columns": columns, "top_k": 1})
    asked = call("POST", "/ask", {"question": CRANE, "top_k": 1, "conversation": "new"})
    events = api.post("/api/v1/ask", json={"question": CRANE, "top_k": 1, "stream": True})
    found["POST /ask stream"] = lines_of(events.text)
    summary = api.post("/api/v1/summarise", json={"documents": ["orchard.md"], "stream": True})
    found["POST /summarise stream"] = lines_of(summary.text)
    sse = api.post("/api/v1/ask", json={"question": OFF_TOPIC, "top_k": 1, "stream": "sse"}).text
    found["POST /ask sse"] = [line for line in sse.splitlines() if line.startswith("event:")]
    conversation, receipt = asked["conversation_id"], asked["receipt_id"]
    call("GET", "/conversations")
    call("GET", f"/conversations/{conversation}", label="GET conversation")
    exported = api.get(f"/api/v1/conversations/{conversation}/export?format=html")
    assert exported.text.startswith("<!doctype html>")
    assert exported.headers["Content-Disposition"].startswith("attachment")
    call("PATCH", f"/conversations/{conversation}", {"title": "Cranes"}, label="PATCH conversation")
    call("GET", "/receipts?limit=1")
    call("GET", f"/receipts/{receipt}", label="GET receipt")
    call("POST", f"/receipts/{receipt}/replay", label="POST replay")
    call("DELETE", f"/conversations/{conversation}", label="DELETE conversation")
    call("GET", f"/conversations/{conversation}", status=404, label="GET conversation that is gone")
    ingest = {"paths": [str(stock)], "collection": "harbour"}
    queued = call("POST", "/jobs", ingest, label="POST /jobs")["job_id"]
    while not call("GET", f"/jobs/{queued}", label="GET job")["finished"]:
        pass
    found["POST /jobs"]["files"] = found["POST /jobs"]["state"] = "as far as it is"
    found["POST /jobs"]["finished"] = found["POST /jobs"]["error"] = None
    call("POST", f"/jobs/{queued}/retry", status=400, label="POST retry of what succeeded")
    call("POST", f"/jobs/{queued}/resume", label="POST resume")
    call("POST", f"/jobs/{queued}/cancel", label="POST cancel")
    call("GET", "/jobs")
    call("DELETE", "/jobs")
    call("POST", "/collections", {"name": "papers"})
    call("GET", "/collections")
    call("PATCH", "/collections?name=papers", {"name": "reports"})
    call("PATCH", "/collections/instructions?name=reports", {"text": "Be brief."})
    call("DELETE", "/collections?name=reports")
    call("GET", "/stats")
    task = call("POST", "/tasks", {"kind": "verify"}, label="POST /tasks")["task_id"]
    while call("GET", f"/tasks/{task}", label="GET task")["state"] == "running":
        pass
    found["POST /tasks"].update(
        state="as far as it is", finished=None, stage="", done=0, total=0, result=None
    )
    call("POST", f"/tasks/{task}/cancel", label="POST cancel task")
    call("GET", "/tasks")
    call("POST", "/search", {"question": CRANE, "strategy": "cosine"}, status=404)
    call("POST", "/search", {"question": ""}, status=400)
    call("POST", "/search", {"question": CRANE, "colour": "red"}, status=400)
    call("GET", "/nothing", status=404)
    check("routes", found)


def test_openai_routes(api: TestClient) -> None:
    question = {"model": "rag-app/bm25", "messages": [{"role": "user", "content": CRANE}]}
    models = api.get("/v1/models").json()
    streamed = api.post("/v1/chat/completions", json={**question, "stream": True})
    data = [line.removeprefix("data: ") for line in streamed.text.splitlines() if line.startswith("data: {")]
    found = {
        "GET /models": {**models, "data": models["data"][:2]},
        "GET /models/NAME": api.get("/v1/models/rag-app/bm25").json(),
        "GET /models/UNKNOWN": api.get("/v1/models/other").json(),
        "POST /chat/completions": api.post("/v1/chat/completions", json=question).json(),
        "POST /chat/completions stream": [json.loads(one) for one in data],
        "POST /chat/completions without messages": api.post(
            "/v1/chat/completions", json={"model": "x"}
        ).json(),
    }
    check("openai", found)


def test_what_the_api_takes(api: TestClient) -> None:
    """The paths with their parameters, and every request's fields."""
    schema = api.get("/api/v1/openapi.json").json()
    found: Document = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            parameters = sorted(one["name"] for one in operation.get("parameters", ()))
            found[f"{method.upper()} {path}"] = {"tags": operation["tags"], "parameters": parameters}
    requests = {
        name: {field: one for field, one in fields["properties"].items() if name.endswith("Request")}
        for name, fields in schema["components"]["schemas"].items()
        if name.endswith("Request")
    }
    check("requests", {**dict(sorted(found.items())), **dict(sorted(requests.items()))})


def test_tools(data: Path, place: Path) -> None:
    own = shutil.copytree(data, place / "served")
    settings = load_settings(data_dir=own)
    pool = ServicePool(lambda: open_service(settings))
    found: Document = {}

    async def talk() -> None:
        server = create_server(pool)
        async with create_connected_server_and_client_session(server._mcp_server) as session:
            for tool in (await session.list_tools()).tools:
                found[f"schema of {tool.name}"] = {"input": tool.inputSchema, "output": tool.outputSchema}

            async def call(name: str, **arguments: Any) -> Any:
                found[name] = (await session.call_tool(name, arguments)).structuredContent
                return found[name]

            listed = await call("list_documents")
            await call("read_page", document_id=listed["documents"][0]["document_id"], page=1)
            await call("read_tables", document_id=listed["documents"][0]["document_id"], page=1)
            await call("search", question=CRANE, top_k=1, strategy="bm25")
            await call("ask", question=CRANE, strategy="bm25")
            found["ask off topic"] = (
                await session.call_tool("ask", {"question": OFF_TOPIC, "strategy": "bm25"})
            ).structuredContent

    anyio.run(talk)
    check("tools", found)
