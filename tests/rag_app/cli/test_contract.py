"""What every command prints and returns: other programs rely on it."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from ingestion.encoders import Encoder
from ingestion.library import Library
from rag_app.answering.written.texts import NOT_RELIABLE
from retrievers.strategies import STRATEGIES
from tests.helpers.commands import ANSWER, Command
from tests.helpers.paths import ROOT
from tests.helpers.tiny_gguf import TinyModel, write_tiny_gguf

pytestmark = pytest.mark.slow

DOCUMENT = {
    "document_id", "name", "path", "sha256", "status", "pages", "pages_failed", "chunks", "error", "warnings",
}  # fmt: skip
LISTED = DOCUMENT | {"label", "names", "paths", "added", "collection", "bytes", "title", "language", "fields"}
CITATION = {"marker", "document", "document_id", "page", "start", "end", "quote", "lines"}
STRATEGY = {"name", "summary", "representation", "stores", "storage", "cost", "available", "reason"}
HIT = {
    "rank", "chunk_id", "document", "document_id", "collection", "heading", "page", "start", "end", "score",
    "scores", "text",
}  # fmt: skip
SCORES = {
    "cls": {"cls"},
    "mean": {"mean"},
    "colbert": {"maxsim"},
    "bm25": {"bm25"},
    "hybrid": {"mean", "bm25", "rrf"},
    "cascade": {"mean", "bm25", "rrf", "maxsim"},
    "fusion": {"mean", "bm25", "maxsim", "fused"},
    "documents-first": {"mean", "bm25", "maxsim", "fused", "document"},
}

APPLE = "When was the Bramley apple tree planted?"
CRANE = "When did the crane's cable break?"
OFF_TOPIC = "Who won the football world cup in Brazil?"

AsJson = Callable[..., dict[str, Any]]


@pytest.fixture
def as_json(run: Command, data: Path) -> AsJson:
    """Run a command with --json on the shared library, which must succeed in silence."""

    def command(*arguments: object) -> dict[str, Any]:
        done = run("--data-dir", data, *arguments, "--json")
        assert (done.code, done.err) == (0, "")
        assert done.json["schema_version"] == 1
        return done.json

    return command


def test_ingest_says_how_each_file_ended(run: Command, stock: Path, tmp_path: Path) -> None:
    library = ("--data-dir", tmp_path / "data")
    first = run(*library, "ingest", stock, "--json")
    assert (first.code, first.err) == (0, "")
    assert first.json.keys() == {
        "schema_version",
        "documents",
        "passed_over",
        "unreadable",
        "timings_ms",
        "job_id",
    }
    assert [document.keys() for document in first.json["documents"]] == [DOCUMENT, DOCUMENT]
    assert {(d["name"], d["status"], d["pages"]) for d in first.json["documents"]} == {
        ("harbour.pdf", "ok", 2),
        ("orchard.md", "ok", 1),
    }
    assert first.json["timings_ms"].keys() == {"parse", "encode", "write", "total"}

    again = run(*library, "ingest", stock / "orchard.md", "--json")
    assert (again.code, [d["status"] for d in again.json["documents"]]) == (0, ["unchanged"])

    copy = tmp_path / "copy.md"
    copy.write_bytes((stock / "orchard.md").read_bytes())
    duplicate = run(*library, "ingest", copy, "--json")
    assert (duplicate.code, [d["status"] for d in duplicate.json["documents"]]) == (0, ["duplicate"])
    assert "orchard.md" in duplicate.json["documents"][0]["error"]

    broken = tmp_path / "broken.pdf"
    broken.write_text("no PDF at all")
    some = run(*library, "ingest", broken, stock, "--json")
    assert (some.code, some.err) == (3, "")
    assert [d["status"] for d in some.json["documents"]] == ["corrupt", "unchanged", "unchanged"]


def test_a_changed_file_replaces_its_document(run: Command, tmp_path: Path) -> None:
    library = ("--data-dir", tmp_path / "data")
    note = tmp_path / "note.txt"
    note.write_text("The gate opens at seven in the morning.")
    before = run(*library, "ingest", note, "--json").json["documents"][0]
    note.write_text("The gate opens at nine in the morning.")
    after = run(*library, "ingest", note, "--json").json["documents"][0]

    assert (after["status"], after["document_id"]) == ("ok", before["document_id"])
    hits = run(*library, "search", "gate", "--json").json["hits"]
    assert [hit["text"] for hit in hits] == ["The gate opens at nine in the morning."]


@pytest.mark.parametrize("strategy", ["colbert", "bm25"])
def test_search_says_why(as_json: AsJson, run: Command, data: Path, strategy: str) -> None:
    plain = as_json("search", CRANE, "--strategy", strategy)
    found = as_json("search", CRANE, "--strategy", strategy, "--explain")
    assert [{**hit, "explanation": None} for hit in plain["hits"]] == [
        {**hit, "explanation": None} for hit in found["hits"]
    ]
    hit = found["hits"][0]
    assert hit["explanation"].keys() == {"maxsim", "tokens"}
    tokens = {token["text"]: token for token in hit["explanation"]["tokens"]}
    assert tokens["crane"].keys() == {"start", "end", "text", "similarity", "matches"}
    assert CRANE[tokens["crane"]["start"] : tokens["crane"]["end"]] == "crane"
    (match,) = tokens["crane"]["matches"]
    assert match["text"] == "crane"
    inside = slice(match["start"] - hit["start"], match["end"] - hit["start"])
    assert hit["text"][inside] == "crane"
    assert "crane 0." in run("--data-dir", data, "search", CRANE, "--explain").out


def test_damaged_token_vectors_are_named(as_json: AsJson, run: Command, tmp_path: Path, data: Path) -> None:
    own = tmp_path / "own"
    shutil.copytree(data, own)
    assert as_json("search", CRANE, "--strategy", "colbert")["warnings"] == []
    for file in (own / "tokens").iterdir():
        file.unlink()
    found = run("--data-dir", own, "search", CRANE, "--strategy", "colbert", "--json").json
    assert found["hits"][0]["document"] == "harbour.pdf"
    assert found["exact"] is False
    assert "the token vectors of harbour.pdf are damaged" in " ".join(found["warnings"])
    for command in ("search", "ask"):
        said = " ".join(run("--data-dir", own, command, CRANE, "--strategy", "colbert").out.split())
        assert "warning: the token vectors of" in said
        assert "rag-app repair" in said


def test_documents_lists_the_default_collection_or_the_named_ones(as_json: AsJson, stock: Path) -> None:
    listed = as_json("documents", "--collection", "harbour", "--collection", "default")
    assert listed.keys() == {"schema_version", "documents"}
    assert [document.keys() for document in listed["documents"]] == [LISTED] * 3
    names = [(document["collection"], document["name"]) for document in listed["documents"]]
    assert names == [("default", "harbour.pdf"), ("default", "orchard.md"), ("harbour", "harbour.pdf")]
    orchard = listed["documents"][1]
    assert orchard["bytes"] == (stock / "orchard.md").stat().st_size
    assert orchard["path"] == str(stock / "orchard.md")

    assert as_json("documents")["documents"] == listed["documents"][:2]
    assert [d["collection"] for d in as_json("documents", "--collection", "harbour")["documents"]] == [
        "harbour"
    ]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_search_gives_the_passages_as_they_stand_on_the_page(
    as_json: AsJson, data: Path, encoder: Encoder, strategy: str
) -> None:
    found = as_json("search", CRANE, "--strategy", strategy)

    assert found.keys() == {
        "schema_version", "strategy", "reranker", "exact", "hits", "timings_ms", "looked_first", "looked_for",
        "warnings",
    }  # fmt: skip
    assert (found["strategy"], found["reranker"]) == (strategy, None)
    assert found["exact"] is (strategy not in {"cascade", "fusion", "documents-first"})
    assert all(hit.keys() == HIT for hit in found["hits"])
    assert {name for hit in found["hits"] for name in hit["scores"]} == SCORES[strategy]
    assert [hit["rank"] for hit in found["hits"]] == list(range(1, len(found["hits"]) + 1))
    assert [hit["score"] for hit in found["hits"]] == sorted(
        (h["score"] for h in found["hits"]), reverse=True
    )
    best = found["hits"][0]
    assert (best["document"], best["page"], best["collection"]) == ("harbour.pdf", 2, "default")
    with Library.open(data, encoder) as library:
        for hit in found["hits"]:
            page = library.catalogue.page(hit["document_id"], hit["page"])
            assert page is not None
            assert page.text[hit["start"] : hit["end"]] == hit["text"]


def test_ask_answers_with_a_quotation_of_the_page(as_json: AsJson, data: Path, encoder: Encoder) -> None:
    answer = as_json("ask", CRANE)

    assert answer.keys() == ANSWER
    assert (answer["question"], answer["abstained"], answer["llm"]) == (CRANE, False, "extractive")
    assert (answer["strategy"], answer["reranker"]) == ("documents-first", None)
    assert (answer["standalone_question"], answer["conversation_id"]) == (None, None)
    assert len(answer["receipt_id"]) == 16
    assert answer["flags"] == []
    assert "9 May 1987" in answer["answer"]
    assert all(hit.keys() == HIT for hit in answer["nearest"])
    assert answer["citations"]
    assert answer["sentences"]
    for sentence in answer["sentences"]:
        assert sentence.keys() == {"text", "verdict", "score", "markers", "reason"}
        assert sentence["verdict"] == "supported"
        assert set(sentence["markers"]) <= {citation["marker"] for citation in answer["citations"]}
    with Library.open(data, encoder) as library:
        for citation in answer["citations"]:
            assert citation.keys() == {
                "marker",
                "document",
                "document_id",
                "page",
                "start",
                "end",
                "quote",
                "lines",
            }
            page = library.catalogue.page(citation["document_id"], citation["page"])
            assert page is not None
            assert page.text[citation["start"] : citation["end"]] == citation["quote"]
            assert " ".join(citation["quote"].split()) in answer["answer"].replace("**", "")
    assert ("harbour.pdf", 2) in {(c["document"], c["page"]) for c in answer["citations"]}


def test_ask_says_so_when_the_documents_hold_no_answer(as_json: AsJson) -> None:
    answer = as_json("ask", OFF_TOPIC)

    assert answer.keys() == ANSWER
    assert (answer["abstained"], answer["outcome"]) == (True, "nothing")
    assert answer["answer"] == "Nothing in your documents is about this."
    assert (answer["citations"], answer["sentences"]) == ([], [])
    assert answer["nearest"]
    assert all(hit.keys() == HIT for hit in answer["nearest"])


def test_ask_abstains_on_a_library_without_documents(run: Command, tmp_path: Path) -> None:
    done = run("--data-dir", tmp_path / "data", "ask", APPLE, "--json")
    assert (done.code, done.json["abstained"], done.json["nearest"]) == (0, True, [])


def test_strategies_are_those_of_the_table(as_json: AsJson) -> None:
    listed = as_json("strategies")
    assert listed.keys() == {"schema_version", "strategies"}
    assert [each["name"] for each in listed["strategies"]] == list(STRATEGIES)
    for each in listed["strategies"]:
        assert each.keys() == STRATEGY
        assert (each["available"], each["reason"]) == (True, None)


def test_doctor_finds_nothing_wrong(as_json: AsJson, data: Path) -> None:
    report = as_json("doctor")
    assert report.keys() == {"schema_version", "data_dir", "offline", "checks"}
    assert (report["data_dir"], report["offline"]) == (str(data), True)
    assert all(check.keys() == {"name", "state", "detail", "mend"} for check in report["checks"])
    found = {check["name"]: check for check in report["checks"]}
    assert found["library"]["detail"] == "3 documents"
    assert {check["state"] for check in report["checks"]} <= {"ok", "warning"}
    # No language model is a warning, and every warning says what to do about it.
    assert found["language model"]["state"] == "warning"
    assert "models" in found["language model"]["mend"]


def test_doctor_fails_and_says_what_mends_it(
    run: Command, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text.gguf").write_text("not a model")
    monkeypatch.setenv("RAG_APP_LLM", str(tmp_path / "text.gguf"))
    done = run("--data-dir", data, "doctor", "--json")
    found = {check["name"]: check for check in done.json["checks"]}
    assert (done.code, done.err, found["language model"]["state"]) == (1, "", "error")
    assert "text.gguf" in found["language model"]["detail"]
    assert "RAG_APP_LLM" in found["language model"]["mend"]


def test_search_asks_the_default_collection_or_the_named_ones(as_json: AsJson) -> None:
    def found(*arguments: str) -> set[str]:
        return {hit["collection"] for hit in as_json("search", CRANE, "--top-k", "20", *arguments)["hits"]}

    assert found() == {"default"}
    assert found("--collection", "harbour") == {"harbour"}
    assert found("--collection", "harbour", "--collection", "default") == {"default", "harbour"}
    answer = as_json("ask", CRANE, "--collection", "harbour")
    assert {hit["collection"] for hit in answer["nearest"]} == {"harbour"}


def test_document_narrows_by_name_and_by_id(as_json: AsJson) -> None:
    def found(*arguments: str) -> set[str]:
        return {hit["document"] for hit in as_json("search", CRANE, *arguments)["hits"]}

    ids = {d["name"]: d["document_id"] for d in as_json("documents", "--collection", "default")["documents"]}
    assert found() == {"harbour.pdf", "orchard.md"}
    assert found("--document", "orchard.md") == {"orchard.md"}
    assert found("--document", ids["orchard.md"]) == {"orchard.md"}
    assert found("--document", "orchard.md", "--document", ids["harbour.pdf"]) == {
        "harbour.pdf",
        "orchard.md",
    }
    answer = as_json("ask", CRANE, "--document", "orchard.md")
    assert {hit["document"] for hit in answer["nearest"]} == {"orchard.md"}


def test_top_k_passages_are_found(as_json: AsJson) -> None:
    assert len(as_json("search", CRANE, "--top-k", "1")["hits"]) == 1
    assert len(as_json("search", CRANE, "--top-k", "3")["hits"]) == 3
    assert len(as_json("ask", CRANE, "--top-k", "1")["nearest"]) == 1


def test_the_built_in_reranker_needs_no_download(as_json: AsJson) -> None:
    plain, reranked = as_json("search", CRANE), as_json("search", CRANE, "--rerank", "builtin")
    assert (plain["reranker"], reranked["reranker"]) == (None, "builtin")
    assert all("cross_encoder" in hit["scores"] for hit in reranked["hits"])
    assert reranked["hits"][0]["chunk_id"] in {hit["chunk_id"] for hit in plain["hits"]}
    assert as_json("ask", CRANE, "--rerank", "builtin")["reranker"] == "builtin"


def test_no_rerank_overrules_the_settings(
    run: Command, as_json: AsJson, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_APP_RERANKER", "no-such-model")
    assert as_json("search", CRANE, "--no-rerank")["reranker"] is None
    assert run("--data-dir", data, "search", CRANE).code == 1


def test_the_data_folder_comes_from_the_flag_before_the_variable(
    run: Command, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_APP_DATA_DIR", str(data))
    assert len(run("documents", "--json").json["documents"]) == 2
    assert run("--data-dir", tmp_path / "other", "documents", "--json").json["documents"] == []


def test_delete_takes_a_name_or_an_id(run: Command, stock: Path, tmp_path: Path) -> None:
    library = ("--data-dir", tmp_path / "data")
    twins = [tmp_path / place / "notes.txt" for place in ("a", "b")]
    for number, twin in enumerate(twins):
        twin.parent.mkdir()
        twin.write_text(f"The gate number {number} opens at nine in the morning.")
    ingested = run(*library, "ingest", *twins, stock / "orchard.md", "--json").json["documents"]

    ambiguous = run(*library, "delete", "notes.txt", "--json")
    assert (ambiguous.code, ambiguous.out) == (2, "")
    for document in ingested[:2]:
        assert document["document_id"] in ambiguous.err
        assert document["path"] in ambiguous.err

    by_id = run(*library, "delete", ingested[0]["document_id"], "--json")
    assert (by_id.code, by_id.err) == (0, "")
    assert [document["path"] for document in by_id.json["documents"]] == [str(twins[0])]
    assert run(*library, "delete", "notes.txt").out == f"deleted notes.txt ({ingested[1]['document_id']})\n"
    assert [d["name"] for d in run(*library, "documents", "--json").json["documents"]] == ["orchard.md"]
    assert run(*library, "search", "gate", "--strategy", "bm25", "--json").json["hits"] == []
    assert all(twin.exists() for twin in twins)


def test_a_table_in_a_pipe_is_not_cut_at_80_columns(
    run: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = f"{'long-name-' * 12}.md"
    (tmp_path / name).write_text("The gate is made of oak.", "utf-8")
    monkeypatch.delenv("COLUMNS", raising=False)
    assert run("--data-dir", tmp_path / "data", "ingest", tmp_path / name).code == 0
    assert name in run("--data-dir", tmp_path / "data", "documents").out
    monkeypatch.setenv("COLUMNS", "80")
    assert name not in run("--data-dir", tmp_path / "data", "documents").out


@pytest.mark.soak
def test_what_people_read(run: Command, data: Path, tmp_path: Path, stock: Path) -> None:
    library = ("--data-dir", data)
    assert "orchard.md" in run(*library, "documents").out
    assert "1. orchard.md, page 1 · Apples" in run(*library, "search", APPLE).out
    for strategy in STRATEGIES:
        assert strategy in run(*library, "strategies").out
    assert "library: 3 documents" in run(*library, "doctor").out

    answer = run(*library, "ask", APPLE).out
    text, _, sources = answer.partition("Sources:")
    assert "It was planted in 1921 by Ada Finch. [1]" in text
    assert "[1] orchard.md, page 1\n" in sources
    assert "It was planted in 1921 by Ada Finch." in sources
    assert "documents-first · no reranker · extractive" in sources

    nothing = run(*library, "ask", OFF_TOPIC).out
    assert nothing.startswith("Nothing in your documents is about this.\n")
    assert "passages" not in nothing

    missing = tmp_path / ("long" * 40 + ".pdf")
    ingested = run("--data-dir", tmp_path / "new", "ingest", stock / "orchard.md", missing)
    assert ingested.code == 3
    lines = ingested.out.splitlines()  # a line a file, however long: the output may be read by grep
    assert lines[0] == "✓ orchard.md ok 1 page, 2 chunks"
    assert lines[1].startswith(f"✗ {missing.name} failed: {missing} cannot be read")
    assert lines[2] == "1 file of 2 failed; rag-app jobs retry 1"
    assert len(lines) == 3


def test_a_document_cannot_command_the_terminal(run: Command, tmp_path: Path) -> None:
    note = tmp_path / "no\x1b[2Jte.txt"
    note.write_text("[bold]The gate[/bold] opens at [red]nine[/] in the morning.")
    ingested = run("--data-dir", tmp_path / "data", "ingest", note)
    asked = run("--data-dir", tmp_path / "data", "ask", "When does the gate open?")
    failed = run("--data-dir", tmp_path / "data", "delete", "a\x1b[2Jb")
    assert (ingested.code, asked.code, failed.code) == (0, 0, 2)
    assert "\x1b" not in ingested.out + asked.out + failed.err
    assert "[bold]The gate[/bold] opens at [red]nine[/] in the morning." in asked.out


def test_version_and_help(run: Command) -> None:
    assert run("--version").out == f"rag-app {version('rag-app')}\n"
    real = subprocess.run(
        [sys.executable, "-m", "rag_app", "--version"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (real.returncode, real.stdout, real.stderr) == (0, f"rag-app {version('rag-app')}\n", "")
    bare = run()
    assert (bare.code, bare.out) == (2, "")
    for command in (
        "ingest", "documents", "delete", "search", "ask", "strategies", "collections", "jobs",
        "doctor", "serve", "stats", "verify", "repair", "compact", "reindex", "export", "import",
    ):  # fmt: skip
        assert f" {command} " in bare.err


def test_ask_with_a_language_model(
    run: Command, as_json: AsJson, data: Path, gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_APP_LLM_MAX_TOKENS", "32")
    monkeypatch.setenv("RAG_APP_EVIDENCE_TOKENS", "600")  # not as the measured reading speed says
    answer = as_json("ask", APPLE, "--llm", gguf)
    assert answer.keys() == ANSWER
    assert (answer["llm"], answer["abstained"]) == ("tiny.gguf", False)
    # It writes nonsense, which depends on the library's key. Where it is recognised, quotations stand there.
    assert answer["answer"]
    assert answer["answer"].startswith(NOT_RELIABLE["en"]) == bool(answer["model_text"])

    silent = write_tiny_gguf(tmp_path / "silent.gguf", TinyModel(ends_at_once=True))
    shown = run("--data-dir", data, "ask", APPLE, "--llm", silent).out
    _, _, quoted = shown.partition(NOT_RELIABLE["en"])
    assert "It was planted in 1921 by Ada Finch. [" in quoted
    assert "silent.gguf" in shown

    monkeypatch.setenv("RAG_APP_LLM", str(gguf))
    assert as_json("ask", APPLE)["llm"] == "tiny.gguf"
    assert as_json("ask", APPLE, "--llm", "extractive")["llm"] == "extractive"
    checks = {check["name"]: check for check in as_json("doctor")["checks"]}
    assert checks["language model"]["detail"].startswith(f"{gguf}; reads ")


@pytest.mark.soak
def test_a_process_of_its_own_is_silent_but_for_json(
    run_process: Command, stock: Path, gguf: Path, tmp_path: Path
) -> None:
    env = {"RAG_APP_DATA_DIR": str(tmp_path / "data"), "RAG_APP_LLM_MAX_TOKENS": "32"}
    ingested = run_process("ingest", stock, "--json", env=env)
    assert (ingested.code, ingested.err) == (0, "")
    assert [document["status"] for document in ingested.json["documents"]] == ["ok", "ok"]
    asked = run_process("ask", CRANE, "--json", env=env)
    assert (asked.code, asked.err) == (0, "")
    assert "9 May 1987" in asked.json["answer"]
    written = run_process("ask", CRANE, "--llm", gguf, "--json", env=env)
    assert (written.code, written.err, written.json["llm"]) == (0, "", "tiny.gguf")
