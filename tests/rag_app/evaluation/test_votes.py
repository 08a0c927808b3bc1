"""Votes and judgements of stretches, in a file of a former version as well."""

import json
import sqlite3
from pathlib import Path

import pytest

from ingestion.errors import InvalidInput
from ingestion.library import Library
from rag_app.evaluation.judgements import Judgement, Judgements, export, judged_dataset, read
from rag_app.evaluation.votes import Contender, Tally, Vote, Votes, tally
from rag_app.history.conversations import Conversations
from rag_app.history.database import STATE_FILE, StateDatabase

FUSION, BM25, COLBERT = Contender("fusion"), Contender("bm25"), Contender("colbert", "big")


@pytest.fixture
def state(tmp_path: Path) -> StateDatabase:
    return StateDatabase(tmp_path / STATE_FILE)


def test_a_vote_counts_once_however_the_columns_stood(state: StateDatabase) -> None:
    votes = Votes(state)
    votes.add(Vote("why?", (FUSION, BM25), (0,), blind=False))
    votes.add(Vote(" why? ", (BM25, FUSION), (0,), blind=True))
    assert votes.all() == [Vote("why?", (BM25, FUSION), (0,), blind=True)]
    votes.add(Vote("how?", (FUSION, BM25, COLBERT), (0, 2), blind=True))
    assert {vote.question: vote.preferred for vote in votes.all()} == {"why?": (0,), "how?": (1, 2)}
    assert votes.remove() == 2
    assert votes.all() == []


@pytest.mark.parametrize(
    ("contenders", "preferred"), [((FUSION,), (0,)), ((FUSION, FUSION), ()), ((FUSION, BM25), (2,))]
)
def test_a_vote_that_makes_no_sense_is_refused(
    state: StateDatabase, contenders: tuple[Contender, ...], preferred: tuple[int, ...]
) -> None:
    with pytest.raises(InvalidInput):
        Votes(state).add(Vote("why?", contenders, preferred, blind=False))
    assert Votes(state).all() == []


def test_pairs_are_won_lost_and_even() -> None:
    votes = [
        Vote("1", (BM25, FUSION), (1,), blind=True),
        Vote("2", (BM25, FUSION), (0, 1), blind=True),
        Vote("3", (BM25, COLBERT, FUSION), (1,), blind=True),
        Vote("4", (BM25, FUSION), (), blind=True),
    ]
    assert tally(votes) == [Tally(COLBERT, 2, 0, 0), Tally(FUSION, 1, 1, 3), Tally(BM25, 0, 2, 3)]
    assert tally([]) == []


def test_judgements_of_a_former_version_are_of_whole_pages(tmp_path: Path) -> None:
    file = tmp_path / STATE_FILE
    with sqlite3.connect(file) as connection:
        connection.execute(
            "CREATE TABLE judgements (question TEXT NOT NULL, sha256 TEXT NOT NULL, page INTEGER NOT NULL, "
            "document TEXT NOT NULL, grade INTEGER NOT NULL, judged TEXT NOT NULL, "
            "PRIMARY KEY (question, sha256, page)) STRICT, WITHOUT ROWID"
        )
        connection.execute("INSERT INTO judgements VALUES ('why?', 'abc', 3, 'a.pdf', 2, '2026-01-01')")
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    assert Judgements(StateDatabase(file)).all() == [Judgement("why?", "abc", 3, "a.pdf", 2)]
    assert Votes(StateDatabase(file)).all() == []
    assert Conversations(StateDatabase(file)).list() == []


def test_a_page_is_as_good_as_its_best_stretch(stocked: Library, tmp_path: Path) -> None:
    judgements = Judgements(StateDatabase(stocked.folder / STATE_FILE))
    (document,) = [one for one in stocked.catalogue.documents() if one.name == "orchard.md"]
    stretches = [
        Judgement("who?", document.sha256, 1, document.name, 0, 5, 20),
        Judgement("who?", document.sha256, 1, document.name, 2, 20, 40),
        Judgement("who?", document.sha256, 1, document.name, 0),
    ]
    judgements.add(stretches)
    judgements.add([Judgement("where?", document.sha256, 1, document.name, 1)])
    assert judgements.of(" who? ") == sorted(stretches, key=lambda one: one.start)
    dataset, _ = judged_dataset(judgements, stocked)
    assert dataset.qrels["who?"] == {"orchard.md#page=1": 2}

    folder = tmp_path / "judged"
    assert export(judgements.all(), folder) == 2
    qrels = (folder / "qrels" / "test.tsv").read_text("utf-8").splitlines()[1:]
    assert sorted(line.split("\t")[2] for line in qrels) == ["1", "2"]
    assert read(folder, []) == judgements.all()
    line = {"question": "q", "evidence": [{"document": "a", "sha256": "b", "page": 1, "start": 9, "end": 3}]}
    (folder / "questions.jsonl").write_text(json.dumps(line), "utf-8")
    with pytest.raises(InvalidInput, match="no characters 9 to 3"):
        read(folder, [])
