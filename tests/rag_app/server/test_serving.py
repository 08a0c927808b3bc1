"""The command line and the API on a library that another process serves."""

import json
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.storage.lock import read_holder
from tests.helpers.commands import Command
from tests.helpers.served_library import Served, serving, serving_copy

pytestmark = pytest.mark.slow

CRANE = "When did the crane's cable break?"


@pytest.fixture(scope="module")
def served(stock_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A library that holds `stock`, served. Tests leave it as they find it."""
    with serving_copy(stock_template, tmp_path_factory.mktemp("served")) as running:
        yield running


# The command line


def test_every_command_answers_as_it_would_alone(run: Command, served: Served, tmp_path: Path) -> None:
    library = ("--data-dir", served.data)
    listed = run(*library, "documents", "--json")
    assert (listed.code, listed.err) == (0, "")
    assert [document["name"] for document in listed.json["documents"]] == ["harbour.pdf", "orchard.md"]
    found = run(*library, "search", CRANE, "--json").json
    assert (found["hits"][0]["document"], found["hits"][0]["page"]) == ("harbour.pdf", 2)
    answer = run(*library, "ask", CRANE, "--json")
    assert (answer.code, answer.err) == (0, "")
    assert "9 May 1987" in answer.json["answer"]
    assert "event" not in answer.json
    assert "9 May 1987" in run(*library, "ask", CRANE).out
    assert run(*library, "strategies", "--json").json["strategies"][0]["name"] == "cls"
    assert run(*library, "stats", "--json").json["collections"][0]["documents"] == 2
    assert run(*library, "verify").out.startswith("nothing is wrong")
    assert run(*library, "collections", "--json").json["collections"][0]["name"] == "default"
    archive = tmp_path / "library.zip"
    assert run(*library, "export", archive).code == 0
    assert archive.stat().st_size > 0
    assert run(*library, "import", archive, "--json").json["skipped"] == 2
    checks = {check["name"]: check for check in run(*library, "doctor", "--json").json["checks"]}
    assert checks["library"]["state"] == "warning"


def test_errors_and_exit_codes_are_the_same(run: Command, served: Served, tmp_path: Path) -> None:
    library = ("--data-dir", served.data)
    for arguments, said in [
        (("search", "  "), "question is empty"),
        (("search", CRANE, "--strategy", "cosine"), "there are: bm25"),
        (("ask", CRANE, "--collection", "taxes"), "'taxes'"),
        (("ask", CRANE, "--pages", "7-3"), "'7-3'"),
        (("delete", "tax.pdf"), "'tax.pdf'"),
        (("delete", os.fsdecode(b"bad\xff.pdf")), "bad"),
        (("ingest", os.fsdecode(b"bad\xff.pdf")), "no text"),
        (("collections", "create", "a/b"), "'a/b'"),
        (("import", tmp_path / "missing.zip"), "missing.zip"),
        (("jobs", "show", "999"), "999"),
    ]:
        done = run(*library, *arguments, "--json")
        assert (done.code, done.out) == (2, ""), done
        assert said in done.err
        assert done.err.count("\n") == 1
    missing = run(*library, "ask", CRANE, "--llm", "no-such-model.gguf")
    assert missing.code == 1
    assert "no-such-model.gguf" in missing.err


def test_ingest_and_delete_while_it_serves(run: Command, served: Served, tmp_path: Path) -> None:
    library = ("--data-dir", served.data)
    (tmp_path / "gate.txt").write_text("The gate opens at nine in the morning.")
    (tmp_path / "broken.pdf").write_text("no PDF")
    done = run(*library, "ingest", tmp_path, "--collection", "gates", "--json")
    assert (done.code, done.err) == (3, "")
    ended = {document["name"]: document["status"] for document in done.json["documents"]}
    assert ended == {"gate.txt": "ok", "broken.pdf": "corrupt"}

    jobs = run(*library, "jobs", "--json").json["jobs"]
    assert [job["state"] for job in jobs if job["job_id"] == done.json["job_id"]] == ["finished"]
    assert "gate.txt" in run(*library, "jobs", "show", done.json["job_id"]).out
    hits = run(*library, "search", "gate", "--collection", "gates", "--json").json["hits"]
    assert [hit["text"] for hit in hits] == ["The gate opens at nine in the morning."]

    deleted = run(*library, "delete", "gate.txt", "--collection", "gates", "--json")
    assert [document["name"] for document in deleted.json["documents"]] == ["gate.txt"]
    assert run(*library, "search", "gate", "--collection", "gates", "--json").json["hits"] == []
    assert run(*library, "collections", "delete", "gates").code == 0


def test_relative_paths_are_those_of_the_command(
    run: Command, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = ("--data-dir", served.data)
    (tmp_path / "gate.txt").write_text("The gate opens at nine in the morning.")
    monkeypatch.chdir(tmp_path)
    done = run(*library, "ingest", "gate.txt", "--collection", "gates", "--json")
    assert [document["path"] for document in done.json["documents"]] == [str(tmp_path / "gate.txt")]
    narrowed = run(*library, "search", "gate", "--collection", "gates", "--folder", ".", "--json")
    assert len(narrowed.json["hits"]) == 1
    assert run(*library, "collections", "delete", "gates", "--yes").code == 0


def test_only_this_user_can_read_the_token(served: Served) -> None:
    note = served.data / "library.holder"
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    assert stat.S_IMODE(served.data.stat().st_mode) == 0o700
    assert served.token not in " ".join(Path(f"/proc/{served.process.pid}/cmdline").read_text().split("\0"))


@pytest.mark.soak
def test_the_end_of_a_server_leaves_the_library_free(
    run: Command, stock_template: Path, tmp_path: Path
) -> None:
    with serving(tmp_path / "data") as running:
        assert run("--data-dir", running.data, "documents", "--json").json["documents"] == []
        token = running.token
    assert read_holder(tmp_path / "data") is None
    assert run("--data-dir", tmp_path / "data", "documents").code == 0
    with serving(tmp_path / "data") as running:
        assert running.token != token
        running.process.kill()
        running.process.wait()
        # Its note is still there; the lock is not.
        assert read_holder(tmp_path / "data") is not None
        assert run("--data-dir", tmp_path / "data", "documents", "--json").json["documents"] == []
        running.process.returncode = 0


# The API


def test_who_may_not_ask(served: Served) -> None:
    ours = f"127.0.0.1:{served.port}"
    for headers, status in [
        ({}, 200),
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Host": f"rebound.example:{served.port}"}, 403),
        ({"Host": ours, "Origin": "http://evil.example"}, 403),
        ({"Host": ours, "Sec-Fetch-Site": "cross-site"}, 403),
    ]:
        for path in ("/api/v1/documents", "/api/v1/no-such-path"):
            answered, body = served.ask("GET", path, headers=headers)
            assert answered == (404 if status == 200 and path.endswith("no-such-path") else status), headers
            assert status == 200 or body["error"]["message"]
    rebound = {"Host": f"rebound.example:{served.port}", "Authorization": ""}
    for path in ("/", "/config", "/gradio_api/info"):
        assert served.ask("GET", path, headers=rebound)[0] == 403
    assert served.ask("GET", "/", headers={"Authorization": ""})[0] == 401
    cross = {"Authorization": "", "Origin": "http://evil.example"}
    assert served.ask("POST", "/gradio_api/queue/join", {}, headers=cross)[0] == 403


def test_the_api_is_described_to_a_browser_and_nothing_is_loaded_from_elsewhere(served: Served) -> None:
    status, page = served.ask("GET", "/api/v1/docs", headers={"Authorization": ""})
    assert status == 200
    assert "POST /v1/chat/completions" in page
    assert "POST /api/v1/ask" in page
    assert re.findall(r"(?:src|href|url|@import|<script)", page) == []
    assert served.ask("GET", "/api/v1/docs", headers={"Host": f"rebound.example:{served.port}"})[0] == 403
    assert served.ask("GET", "/api/v1/openapi.json", headers={"Authorization": ""})[0] == 401
    status, schema = served.ask("GET", "/api/v1/openapi.json")
    assert status == 200
    assert "/api/v1/ask" in schema["paths"]


@pytest.mark.parametrize(
    ("method", "path", "fields", "status", "kind"),
    [
        ("POST", "/search", {"question": "x", "strategy": "cosine"}, 404, "UnknownName"),
        ("POST", "/search", {"question": ""}, 400, "EmptyQuestion"),
        ("POST", "/search", {"question": "x", "top_k": 0}, 400, "InvalidInput"),
        ("POST", "/search", {"question": "x", "surprise": 1}, 400, "InvalidInput"),
        ("POST", "/search", {"question": "x" * 30_000}, 400, "InvalidInput"),
        ("POST", "/search", {"question": "x", "added_from": "soon"}, 400, "InvalidInput"),
        ("POST", "/search", b"{ half", 400, "InvalidInput"),
        ("POST", "/search", b"x" * 5_000_000, 413, "InvalidInput"),
        ("POST", "/ask", {"question": "x", "collections": ["taxes"], "stream": True}, 404, "UnknownName"),
        ("POST", "/ask", {"question": "crane", "llm": "missing.gguf"}, 500, "ModelError"),
        ("POST", "/jobs", {"paths": []}, 400, "InvalidInput"),
        ("GET", "/jobs/999", None, 404, "UnknownName"),
        ("POST", "/tasks", {"kind": "destroy"}, 400, "InvalidInput"),
        ("POST", "/tasks", {"kind": "verify", "file": "/tmp/x"}, 400, "InvalidInput"),
        ("GET", "/tasks/none", None, 404, "UnknownName"),
        ("GET", "/documents/none/pages/1", None, 404, "UnknownName"),
        ("GET", "/documents?folder=x", None, 400, "InvalidInput"),
        ("DELETE", "/documents?name=tax.pdf", None, 404, "UnknownName"),
        ("PUT", "/documents", None, 405, "HTTP"),
    ],
)
def test_errors_have_a_status_a_type_and_a_message(
    served: Served, method: str, path: str, fields: object, status: int, kind: str
) -> None:
    answered, body = served.ask(method, f"/api/v1{path}", fields)
    assert (answered, body["error"]["type"]) == (status, kind)
    assert body["error"]["message"]
    assert "Traceback" not in json.dumps(body)


def test_a_body_of_unknown_length_is_refused(served: Served) -> None:
    headers = {"Transfer-Encoding": "chunked"}
    assert served.ask("POST", "/api/v1/search", b"0\r\n\r\n", headers=headers)[0] == 411


def test_a_refused_password_is_not_repeated(served: Served) -> None:
    fields = {"paths": ["/x.pdf"], "passwords": {"/x.pdf": "sesame" * 500}}
    status, body = served.ask("POST", "/api/v1/jobs", fields)
    assert status == 400
    assert "sesame" not in json.dumps(body)


def test_an_answer_streams_or_comes_whole(served: Served) -> None:
    status, text = served.ask("POST", "/api/v1/ask", {"question": CRANE, "stream": True})
    events = [json.loads(line) for line in text.splitlines()]
    assert status == 200
    names = [event["event"] for event in events]
    assert (names[0], set(names[1:-1]), names[-1]) == ("found", {"delta"}, "answer")
    written = "".join(event["text"] for event in events if event["event"] == "delta")
    assert events[-1]["answer"] == written.strip()
    status, whole = served.ask("POST", "/api/v1/ask", {"question": CRANE})
    assert (status, whole["answer"]) == (200, events[-1]["answer"])


def test_a_page_is_what_was_cited(served: Served) -> None:
    _, answer = served.ask("POST", "/api/v1/ask", {"question": CRANE})
    citation = answer["citations"][0]
    path = f"/api/v1/documents/{citation['document_id']}/pages/{citation['page']}"
    status, page = served.ask("GET", path)
    assert (status, page["page"]) == (200, citation["page"])
    assert page["text"][citation["start"] : citation["end"]] == citation["quote"]


def test_a_task_is_started_and_looked_at_until_it_ends(served: Served) -> None:
    status, task = served.ask("POST", "/api/v1/tasks", {"kind": "verify"})
    assert (status, task["kind"]) == (200, "verify")
    for _ in range(600):
        status, task = served.ask("GET", f"/api/v1/tasks/{task['task_id']}")
        if task["state"] != "running":
            break
        time.sleep(0.1)
    assert (status, task["state"], task["error"]) == (200, "done", None)
    assert task["result"]["ok"] is True
    listed = served.ask("GET", "/api/v1/tasks")[1]["tasks"]
    assert task["task_id"] in {one["task_id"] for one in listed}
    assert served.ask("POST", f"/api/v1/tasks/{task['task_id']}/cancel")[1]["state"] == "done"


def test_health_names_the_process(served: Served) -> None:
    status, health = served.ask("GET", "/api/v1/health")
    assert (status, health["pid"], health["data_dir"]) == (200, served.process.pid, str(served.data))
