"""A data folder that version 0.1.0 made opens, reads and goes on.

tests/data/library-0.1.0.tar.xz holds the folder (data/) and what that version printed about it in
expected.json: command lines without --json, each with its output, and the votes. A script made it with these
commands; the tiny model is tests.helpers.tiny_gguf's, the documents are those of tests.helpers.documents and
a PDF of two pages:

    rag-app ingest documents
    rag-app ask "Who planted the Bramley apple tree?" --conversation new
    rag-app ask "When was it planted?" --conversation FIRST --strategy hybrid
    rag-app ask "What is the capital of Mongolia?" --conversation FIRST        (abstains)
    rag-app ask "Hello" --conversation FIRST                                   (no document is searched)
    rag-app ask "How high was the water at the pier?" --conversation new --llm tiny.gguf
        --document harbour.md --added-from 2020-01-01
    rag-app ask "And what broke in May?" --conversation SECOND --strategy colbert
        --standalone "What broke on 9 May 1987?"
    rag-app ask "Who kept the lighthouse?" --conversation SECOND --llm http://127.0.0.1:9/v1#none   (fails)
    rag-app ask "What is lighthouse.pdf about?" --conversation SECOND          (a summary)
    rag-app ask "Who replaced the lens?" --type pdf --pages 2-2
    rag-app judge add QUESTION --document NAME --page N                        (twice)

and, as no command does, a judgement of a stretch of a page and two votes through Judgements and Votes.
"""

import json
import sqlite3
import tarfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rag_app.evaluation.judgements import Judgements
from rag_app.evaluation.votes import Votes
from rag_app.history.database import STATE_FILE, StateDatabase
from tests.helpers.commands import Command
from tests.helpers.paths import ROOT

ARCHIVE = ROOT / "tests" / "data" / "library-0.1.0.tar.xz"

# The receipt of a question for the model that is not in the archive.
MADE_BY_THE_MODEL = "911ca986e390c712"


@dataclass(frozen=True)
class OldFolder:
    """The data folder, and what version 0.1.0 printed: (command line, output) and votes."""

    data: Path
    commands: list[tuple[list[str], Any]]
    votes: list[Any]

    def printed(self, *kinds: str) -> list[tuple[list[str], Any]]:
        return [(command, output) for command, output in self.commands if command[0] in kinds]


@pytest.fixture
def old(tmp_path: Path) -> OldFolder:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path)
    expected = json.loads((tmp_path / "expected.json").read_text("utf-8"))
    commands = [(one["command"], one["output"]) for one in expected["commands"]]
    return OldFolder(tmp_path / "data", commands, expected["votes"])


# What an old answer's abstention says too, what is recognised of an old document's text, and which of the
# answers to a question it is.
SINCE = {"outcome", "fields", "variant"}


def as_then(printed: Any, output: Any) -> Any:
    """Return what is printed without the fields that came later and say nothing here."""
    if isinstance(printed, dict) and isinstance(output, dict):
        kept = {
            name: value for name, value in printed.items() if name in output or (value and name not in SINCE)
        }
        return {name: as_then(value, output.get(name)) for name, value in kept.items()}
    if isinstance(printed, list) and isinstance(output, list) and len(printed) == len(output):
        return [as_then(*pair) for pair in zip(printed, output, strict=True)]
    return printed


def test_an_old_library_is_whole_and_every_strategy_finds_the_same(old: OldFolder, run: Command) -> None:
    for command, output in old.printed("verify", "documents", "collections", "jobs"):
        printed = run("--data-dir", old.data, *command, "--json").json
        if command == ["verify"]:  # the text of that version has no checksums, and was read by its reader
            assert "checksums are stored now" in printed["notes"].pop()
            assert all("run: rag-app reindex" in note for note in printed["notes"])
            printed["notes"] = []
        assert as_then(printed, output) == output, command
    assert "checksums" not in str(run("--data-dir", old.data, "verify", "--json").json["notes"])
    searches = old.printed("search")
    assert len(searches) == 7
    for command, output in searches:
        hits = run("--data-dir", old.data, *command, "--json").json["hits"]
        assert hits[0]["chunk_id"] == output["hits"][0]["chunk_id"], command
        assert hits[0]["score"] == pytest.approx(output["hits"][0]["score"], abs=1e-4), command


def test_old_conversations_receipts_judgements_and_votes_read_the_same(old: OldFolder, run: Command) -> None:
    for command, output in old.printed("conversations", "receipts", "judge"):
        if command[:2] == ["conversations", "export"]:
            assert run("--data-dir", old.data, *command).out == output, command
        else:
            printed = run("--data-dir", old.data, *command, "--json").json
            assert as_then(printed, output) == output, command
    state = StateDatabase(old.data / STATE_FILE)
    votes = [
        [one.question, [[c.strategy, c.reranker] for c in one.contenders], list(one.preferred), one.blind]
        for one in Votes(state).all()
    ]
    assert votes == old.votes
    assert [one.end for one in Judgements(state).of("What are the notes of?")] == [7]


def test_an_old_conversation_goes_on_and_its_receipts_replay(old: OldFolder, run: Command) -> None:
    (conversations,) = (output for command, output in old.commands if command == ["conversations"])
    first = conversations["conversations"][-1]["conversation_id"]
    answer = run("--data-dir", old.data, "ask", "Who planted it?", "--conversation", first, "--json").json
    assert "Mongolia" in answer["standalone_question"]  # as the old turn before it has it
    assert len(run("--data-dir", old.data, "conversations", "show", first, "--json").json["turns"]) == 5
    for command, receipt in old.printed("receipts"):
        if len(command) == 1 or receipt["receipt_id"] == MADE_BY_THE_MODEL:
            continue
        replayed = run("--data-dir", old.data, "replay", receipt["receipt_id"], "--json").json
        # Sentences are quoted and questions refused by other rules since; what is found is the same.
        changed = set(replayed["differences"]) - {
            "the application's version differs",
            "the answer's wording differs",
        }
        assert not changed, receipt["question"]


def test_an_old_library_takes_instructions(old: OldFolder, run: Command) -> None:
    with closing(sqlite3.connect(old.data / "catalogue.sqlite3")) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert "collection_instructions" not in tables
    collections = ("--data-dir", old.data, "collections")
    before = run(*collections, "--json").json["collections"]
    assert before
    assert {one["instructions"] for one in before} == {""}
    assert run(*collections, "instructions", "default", "Be brief.").code == 0
    after = {one["name"]: one["instructions"] for one in run(*collections, "--json").json["collections"]}
    assert after == {one["name"]: "" for one in before} | {"default": "Be brief."}
    (first, *_) = run("--data-dir", old.data, "receipts", "--json").json["receipts"]
    assert run("--data-dir", old.data, "receipts", first["receipt_id"], "--json").json["instructions"] is None
