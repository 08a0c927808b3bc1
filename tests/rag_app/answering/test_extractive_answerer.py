"""What is quoted: the line with the identifier that was asked for, the answer below a question."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.encoders import Encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from rag_app.answering.answers import Answer, AskOptions, Outcome
from rag_app.answering.chain import AnswerChain, AnswerSettings
from rag_app.answering.extractive_answerer import ExtractiveAnswerer

ACTIONS = ("grease the rail", "change the lamp", "wash the tray", "ring the warden")
CODES = [f"KX-{number:04d}" for number in range(300, 330)]
FAQ = (
    ("How do I bleed the radiator?", "Turn the brass screw until water comes."),
    ("Where is the water meter?", "Under the cellar stairs."),
    ("When is the courtyard locked?", "At ten in the evening."),
    ("How much is a visitor's pass?", "Twelve crowns."),
    ("Who sweeps the chimney?", "Mr Orlo, each spring."),
    ("May I hang out the washing?", "Only behind the garages."),
)


@pytest.fixture(scope="module")
def manual(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("manual")
    lines = [f"{code}: the lift halts; {ACTIONS[n % 4]}, note {n}." for n, code in enumerate(CODES)]
    (folder / "codes.txt").write_text("\n\n".join(lines), "utf-8")
    (folder / "house.txt").write_text("\n\n".join(f"{q}\n{a}" for q, a in FAQ), "utf-8")
    (folder / "bill.txt").write_text(
        "Bill AB 12 34\n\nDated 3 March 2024. The sum is 1 234 567 crowns.", "utf-8"
    )
    with Library.open(folder / "library", encoder) as library:
        assert {result.status for result in ingest(library, [folder])} == {"ok"}
        yield library


def asked(library: Library, question: str, strategy: str = "fusion") -> Answer:
    chain = AnswerChain(
        library,
        AskOptions(strategy=strategy),
        answerer=ExtractiveAnswerer(library.encoder),
        reranker=None,
        settings=AnswerSettings(None, 0.1),
    ).runnable()
    answer = chain.invoke(question)
    assert isinstance(answer, Answer)
    return answer


@pytest.mark.parametrize("strategy", ["fusion", "bm25", "hybrid", "cascade", "cls"])
@pytest.mark.parametrize("place", [1, 14, 29])
def test_the_line_of_the_code_is_quoted_first(manual: Library, strategy: str, place: int) -> None:
    answer = asked(manual, f"What should I do on {CODES[place]}?", strategy)
    assert answer.citations[0].quote == f"{CODES[place]}: the lift halts; {ACTIONS[place % 4]}, note {place}."
    assert not any(code in answer.text for code in CODES if code != CODES[place])


def test_an_unknown_code_is_refused_with_its_neighbours(manual: Library) -> None:
    answer = asked(manual, "What should I do on KX-0330?")
    assert answer.abstained
    assert answer.outcome is Outcome.RELATED
    assert answer.text.startswith("KX-0330 is in none of your documents; the nearest are KX-03")


def test_one_of_two_codes_is_answered_and_the_other_flagged(manual: Library) -> None:
    answer = asked(manual, "What should I do on KX-0305 and ZZ-9876?")
    assert not answer.abstained
    assert "KX-0305" in answer.text
    assert "ZZ-9876 is in none of your documents" in answer.flags


@pytest.mark.parametrize("code", ["AB 12 34", "AB1234", "AB-12-34"])
def test_a_code_is_found_in_another_spelling(manual: Library, code: str) -> None:
    answer = asked(manual, f"What is the sum of bill {code}?")
    assert "1 234 567 crowns" in answer.text


@pytest.mark.parametrize(("question", "reply"), FAQ)
def test_the_answer_is_quoted_and_not_the_question(manual: Library, question: str, reply: str) -> None:
    answer = asked(manual, question)
    assert [citation.quote for citation in answer.citations] == [reply]


@pytest.mark.parametrize(
    "message",
    [
        "Hi there, I hope you are well. Quick question: where is the water meter? Thanks in advance!",
        "Sorry to bother you, but could you tell me where is the water meter?",
        "We moved in last week and like the flat very much. My sister helps us. Where is the water meter?",
        "Bonjour, désolé de vous déranger. Where is the water meter? Merci d'avance !",
    ],
)
def test_what_stands_around_a_question_changes_nothing(manual: Library, message: str) -> None:
    plain, polite = asked(manual, "Where is the water meter?"), asked(manual, message)
    assert polite.text == plain.text
    assert [hit.chunk.id for hit in polite.nearest] == [hit.chunk.id for hit in plain.nearest]
    assert polite.relevance == pytest.approx(plain.relevance, abs=0.02)


def test_a_question_at_the_end_of_a_passage_is_answered_by_the_next(library: Library, tmp_path: Path) -> None:
    filler = " ".join(f"The {n}th hook is painted green and holds a coat." for n in range(100))
    text = f"{filler[:600]}\n\nWhat is the word for the cupboard?\f\nMarzipan. {filler[:600]}"
    (tmp_path / "hooks.txt").write_text(text, "utf-8")
    assert [result.status for result in ingest(library, [tmp_path / "hooks.txt"])] == ["ok"]
    assert "Marzipan" in asked(library, "What is the word for the cupboard?").text
