"""The search in conversations, on a real file."""

from dataclasses import replace
from pathlib import Path

import pytest

from rag_app.history.conversation_search import folded
from rag_app.history.conversations import Conversations
from rag_app.history.database import STATE_FILE, StateDatabase
from rag_app.history.records import AnswerRecord
from rag_app.history.turns import TurnState

_RECORD = AnswerRecord(
    question="",
    text="",
    abstained=False,
    strategy="bm25",
    reranker=None,
    llm="extractive",
    citations=(),
    sentences=(),
    hits=(),
    flags=("a flag that nobody searches",),
    standalone_question=None,
    timings_ms={},
)
# Titles with a question and its answer.
_TALKS = {
    "Balance": ("What were the assets?", "The Bilanzsumme was 1,001,425 [1]."),
    "Müller": ("Wer war es?", "Karl Müller aus Zürich, nicht Café-Besitzer Łukasz."),
    "Mueller": ("Und dieser?", "Ein anderer, aus Straßburg."),
    "Blue": ("Does it?", "100% of_it, don’t worry."),
}


@pytest.fixture
def conversations(tmp_path: Path) -> Conversations:
    found = Conversations(StateDatabase(tmp_path / STATE_FILE))
    for title, (question, answer) in reversed(_TALKS.items()):
        identity = found.create(title).id
        found.begin_turn(identity, question)
        found.end_turn(identity, 1, TurnState.ANSWERED, answer=replace(_RECORD, text=answer))
    return found


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        ("  ", list(_TALKS)),
        ("balance", ["Balance"]),
        ("ASSETS", ["Balance"]),
        ("summe", ["Balance"]),
        ("assets balance", ["Balance"]),  # each somewhere in it
        ("assets zürich", []),
        ("Müller", ["Müller", "Mueller"]),
        ("muller", ["Müller"]),
        ("mueller", ["Müller", "Mueller"]),
        ("zurich", ["Müller"]),
        ("ZUERICH", ["Müller"]),
        ("Mu\u0308ller", ["Müller"]),  # as some keyboards and file names have it
        ("cafe lukasz", ["Müller"]),
        ("strassburg", ["Mueller"]),
        ("blu", ["Blue"]),
        ("does", ["Blue"]),
        ("don't", ["Blue"]),
        ("100% of_it", ["Blue"]),
        ("100_", []),
        ('"of_it, don', ["Blue"]),
        ('"worry don"', []),
        ("„karl müller“", ["Müller"]),
        ("flag", []),
    ],
)
def test_words_are_found_in_titles_questions_and_answers(
    conversations: Conversations, words: str, titles: list[str]
) -> None:
    assert {one.title for one in conversations.list(search=words)} == set(titles)


def test_a_match_shows_its_words_in_the_text_around_them(conversations: Conversations) -> None:
    (one,) = conversations.list(search="BALANCE bilanz")
    assert one.match
    assert one.match.title_spans == ((0, 7),)
    assert (one.match.number, one.match.text) == (1, "The Bilanzsumme was 1,001,425 [1].")
    assert [one.match.text[start:end] for start, end in one.match.spans] == ["Bilanz"]
    talk = conversations.create("Long")
    conversations.begin_turn(talk.id, "tree " * 50 + "the Größe\nof ZÜRICH " + "pear " * 50)
    (one,) = conversations.list(search="zuerich groesse")
    assert one.match
    assert one.match.text.startswith("…tree tree")
    assert one.match.text.endswith("pear…")
    assert len(one.match.text) <= 122
    assert [one.match.text[start:end] for start, end in one.match.spans] == ["Größe", "ZÜRICH"]


def test_the_title_alone_and_other_answers_are_found(conversations: Conversations) -> None:
    (one,) = conversations.list(search="blue")
    assert one.match
    assert (one.match.number, one.match.text) == (None, "")
    conversations.begin_variant(one.id, 1)
    conversations.end_turn(
        one.id, 1, TurnState.STOPPED, variant=2, partial=replace(_RECORD, text="A walnut, perhaps")
    )
    for words in ("walnut", "worry"):
        assert [found.title for found in conversations.list(search=words)] == ["Blue"]
    assert conversations.list(search="walnut", limit=1, offset=1) == []


@pytest.mark.parametrize("text", ["ŒUVRE Æther İzmir ΣΊΣΥΦΟΣ", "ﬁn – ½ ℌ 한국", "ÄÖÜ äöü ß"])
@pytest.mark.parametrize("spelled", [False, True])
def test_text_is_compared_as_its_letters_are(text: str, spelled: bool) -> None:
    assert folded(text, spelled=spelled) == "".join(folded(letter, spelled=spelled) for letter in text)
