"""What the history stores is its own format: what it is, how old files get there, and what damage does."""

import json
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ingestion.errors import DiskFull, LibraryError
from ingestion.storage.catalogue.records import StoredChunk
from rag_app.answering.answers import (
    Answer,
    AnswerInstructions,
    AnswerSentence,
    Citation,
    Outcome,
    Verdict,
)
from rag_app.history import migrations
from rag_app.history.conversations import Conversations
from rag_app.history.database import STATE_FILE, StateDatabase
from rag_app.history.receipts import Receipts
from rag_app.history.records import AnswerRecord, ReceiptRecord, decode
from rag_app.history.serialization import answer_record
from rag_app.history.turns import TurnState
from retrievers.hits import Hit
from tests.rag_app.history.test_old_data_folder import ARCHIVE

FIRST, SECOND = "3ce70ded375ffb7a", "9acf07cc32b6406b"
RECEIPT = "428896bbb749ab76"


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    """The state file of version 0.1.0, whose records are the HTTP API's JSON."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extract(f"data/{STATE_FILE}", tmp_path)
    return tmp_path / "data" / STATE_FILE


@contextmanager
def database(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file)) as connection, connection:
        yield connection


def content(file: Path) -> list[str]:
    with database(file) as connection:
        return [*connection.iterdump(), str(connection.execute("PRAGMA user_version").fetchone())]


def test_an_answer_is_stored_in_the_history_s_own_words(tmp_path: Path) -> None:
    chunk = StoredChunk(
        id="d1:1:0",
        document_id="d1",
        document="orchard.md",
        collection="default",
        ordinal=0,
        page=1,
        start=3,
        end=20,
        heading="Apples",
        context="",
        text="text is read again",
    )
    answer = Answer(
        question="When?",
        text="In 1921. [1]",
        outcome=Outcome.ANSWERED,
        strategy="fusion",
        reranker=None,
        llm="extractive",
        citations=(Citation(1, "orchard.md", "d1", 1, 3, 11, "In 1921."),),
        sentences=(AnswerSentence("In 1921.", Verdict.WEAK, 0.5, (1,), "no source says this"),),
        nearest=(Hit(1, chunk, 2.5, {"bm25": 2.5}),),
        evidence=(),
        relevance=0.9,
        timings_ms={"total": 1.239},
        flags=("gives instructions",),
        standalone_question="When was it?",
        instructions=AnswerInstructions("In German."),
    )
    conversations = Conversations(StateDatabase(tmp_path / STATE_FILE))
    one = conversations.create()
    number = conversations.begin_turn(one.id, "When?")
    conversations.end_turn(one.id, number, TurnState.ANSWERED, answer=answer_record(answer))
    with database(tmp_path / STATE_FILE) as connection:
        (stored,) = connection.execute("SELECT record FROM turns").fetchone()
    assert json.loads(stored) == {
        "format": 2,
        "question": "When?",
        "text": "In 1921. [1]",
        "abstained": False,
        "outcome": "answered",
        "answerability": None,
        "strategy": "fusion",
        "reranker": None,
        "llm": "extractive",
        "citations": [
            {
                "marker": 1,
                "document": "orchard.md",
                "document_id": "d1",
                "page": 1,
                "start": 3,
                "end": 11,
                "quote": "In 1921.",
                "lines": None,
            }
        ],
        "sentences": [
            {
                "text": "In 1921.",
                "verdict": "weak",
                "score": 0.5,
                "markers": [1],
                "reason": "no source says this",
            }
        ],
        "hits": [
            {
                "rank": 1,
                "chunk_id": "d1:1:0",
                "document": "orchard.md",
                "document_id": "d1",
                "collection": "default",
                "page": 1,
                "start": 3,
                "end": 20,
                "score": 2.5,
                "scores": {"bm25": 2.5},
            }
        ],
        "flags": ["gives instructions"],
        "standalone_question": "When was it?",
        "timings_ms": {"total": 1.24},
        "model_text": None,
        "evidence": [],
        "prompt_tokens": None,
        "completion_tokens": None,
        "instructions": {"collection": "In German.", "request": ""},
    }
    (turn,) = conversations.turns(one.id)
    assert turn.answer == answer_record(answer)
    assert turn.standalone == "When was it?"
    # A record of before there were instructions reads as one without.
    with database(tmp_path / STATE_FILE) as connection:
        older = {name: value for name, value in json.loads(stored).items() if name != "instructions"}
        connection.execute("UPDATE turns SET record = ?", (json.dumps(older),))
    (turn,) = conversations.turns(one.id)
    assert turn.answer
    assert turn.answer.instructions is None


def test_the_history_knows_nothing_of_the_contract() -> None:
    """A field of the contract that is renamed can then not change what is stored."""
    script = (
        "import pkgutil, importlib, sys, rag_app.history as room\n"
        "for one in pkgutil.iter_modules(room.__path__):\n"
        "    importlib.import_module(f'{room.__name__}.{one.name}')\n"
        "print([name for name in sys.modules if name.startswith('rag_app.contract')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_old_records_are_migrated_once(old_file: Path) -> None:
    with database(old_file) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)
    conversations, receipts = Conversations(StateDatabase(old_file)), Receipts(StateDatabase(old_file))
    assert [len(conversations.turns(one)) for one in (FIRST, SECOND)] == [4, 4]
    assert len(receipts.list()) == 8
    with database(old_file) as connection:
        turns = [text for (text,) in connection.execute("SELECT record FROM turns WHERE record NOT NULL")]
        stored = [text for (text,) in connection.execute("SELECT record FROM receipts")]
    assert [decode(AnswerRecord, text).text for text in turns]
    assert [decode(ReceiptRecord, text).nonce for text in stored]
    migrated = content(old_file)
    assert Conversations(StateDatabase(old_file)).list()
    assert content(old_file) == migrated


def test_answers_of_before_there_were_variants_are_shown(old_file: Path) -> None:
    conversations = Conversations(StateDatabase(old_file))
    assert {(turn.variant, turn.variants) for turn in conversations.turns(FIRST)} == {(1, 1)}
    assert conversations.begin_variant(FIRST, 2) == 2
    with database(old_file) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute("UPDATE turns SET shown = 1")  # of a question's answers one alone is shown


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    old_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(old_file)
    left = [3]

    def failing(fields: dict[str, Any]) -> dict[str, Any]:
        left[0] -= 1
        if not left[0]:
            raise sqlite3.OperationalError("database or disk is full")
        return fields

    with monkeypatch.context() as patch:
        patch.setattr(migrations, "_receipt", failing)
        with pytest.raises(DiskFull, match="No space left"):
            Conversations(StateDatabase(old_file)).list()
    assert content(old_file) == before
    assert len(Conversations(StateDatabase(old_file)).turns(FIRST)) == 4


@pytest.mark.parametrize("migrated_before", [False, True])
@pytest.mark.parametrize(
    "damage", ['{"format": 2, "question": "torn', "[1]", '{"format": 9}', '{"format": 2}']
)
def test_a_damaged_record_is_told_for_its_conversation_alone(
    old_file: Path, damage: str, migrated_before: bool
) -> None:
    if migrated_before:
        Conversations(StateDatabase(old_file)).list()
    names = ("record", "record") if migrated_before else ("answer", "fields")
    with database(old_file) as connection:
        connection.execute(
            f"UPDATE turns SET {names[0]} = ? WHERE conversation = ? AND number = 2", (damage, SECOND)
        )
        connection.execute(f"UPDATE receipts SET {names[1]} = ? WHERE id = ?", (damage, RECEIPT))
    conversations, receipts = Conversations(StateDatabase(old_file)), Receipts(StateDatabase(old_file))
    assert len(conversations.turns(FIRST)) == 4
    assert len(conversations.list()) == 2
    with pytest.raises(LibraryError, match=f"answer 2 of conversation {SECOND} cannot be read.*delete"):
        conversations.turns(SECOND)
    with pytest.raises(LibraryError, match=f"receipt {RECEIPT} cannot be read"):
        receipts.get(RECEIPT)
    assert len(receipts.list()) == 7
    conversations.delete(SECOND)
    assert [one.id for one in conversations.list()] == [FIRST]


def test_a_file_of_a_newer_version_is_refused(old_file: Path) -> None:
    with database(old_file) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(LibraryError, match=r"newer version of rag-app.*update rag-app"):
        Conversations(StateDatabase(old_file)).list()
