"""One line for each side of a question: from hand-made evidence, and from a library of reports."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ingestion.encoders import Encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from rag_app.answering.answers import Answer, AskOptions, Evidence, Outcome, PromptContext
from rag_app.answering.chain import AnswerChain, AnswerSettings
from rag_app.answering.extractive_answerer import ExtractiveAnswerer
from rag_app.answering.quoting.absences import nothing_found
from rag_app.answering.quoting.composition import answer_lines, compose
from rag_app.answering.quoting.lines import Absence, Quotation
from retrievers.hits import Side
from retrievers.reader import BuiltinReader
from tests.helpers.evidence import evidence

SALES = evidence(1, "Net sales of tools fell by 5% in 2022.", document="northwind.txt")
LESS = evidence(2, "The board met. Sales fell slightly.", document="northwind.txt")
OTHER = evidence(3, "Lakeview sold seeds for 12 million in 2022.", document="lakeview.txt")


def side(name: str, *items: Evidence) -> Side:
    documents = frozenset(item.hit.chunk.document_id for item in items)
    return Side(name, f"What were the sales of {name}?", "What were the sales?", documents)


def packed(*sides: Side, items: tuple[Evidence, ...] = (SALES, LESS, OTHER)) -> PromptContext:
    question = f"Compare the sales of {' and '.join(one.name for one in sides)}."
    return PromptContext(items, 1.0, question=question, sides=sides)


def lines(context: PromptContext) -> list[str]:
    return [one.line for one in answer_lines(context)]


def test_each_side_has_one_line_that_begins_with_its_name() -> None:
    context = packed(side("Northwind", SALES, LESS), side("Lakeview", OTHER))
    assert lines(context) == [
        "Northwind: Net sales of tools fell by 5% in 2022.",
        "Lakeview sold seeds for 12 million in 2022.",
    ]
    assert [one.evidence.number for one in compose(context)] == [1, 3]


def test_the_lines_are_in_the_order_of_the_question() -> None:
    context = packed(side("lakeview", OTHER), side("northwind", SALES, LESS))
    assert [line.split()[0] for line in lines(context)] == ["Lakeview", "Northwind:"]


def test_a_cell_stands_behind_the_name_of_its_side() -> None:
    table = evidence(
        4, "Years ended 2022 2021\nNet sales 120 110\nTotal assets 70 60", document="lakeview.txt"
    )
    context = packed(side("Northwind", SALES), side("Lakeview", table), items=(SALES, table))
    assert lines(context)[1].startswith("Lakeview · Net sales")


def test_a_side_is_told_by_the_value_that_is_compared() -> None:
    told = evidence(
        5, "The pilot of Lakeview landed there. The flight time was 475 hours.", document="lakeview.txt"
    )
    told = replace(
        told,
        sentences=tuple(replace(one, score=0.51 - 0.01 * place) for place, one in enumerate(told.sentences)),
    )
    context = packed(side("Northwind", SALES), side("Lakeview", told), items=(SALES, told))
    question = "Who has more flight time, the pilot of Northwind or of Lakeview?"
    assert lines(replace(context, question=question))[1] == "Lakeview: The flight time was 475 hours."


def test_a_side_that_does_not_answer_says_so() -> None:
    context = packed(side("Northwind", SALES, LESS), side("Lakeview", OTHER))
    context = replace(context, lacking=frozenset({"Lakeview"}))
    first, second = answer_lines(context)
    assert isinstance(first, Quotation)
    assert second == Absence("Lakeview: nothing about this was found in lakeview.txt.")
    assert compose(context) == [first]


def test_a_name_that_no_document_has() -> None:
    context = replace(packed(side("Northwind", SALES), side("Toyota")), lacking=frozenset({"Toyota"}))
    assert lines(context)[1] == "Toyota: nothing about this was found in your documents."


def test_where_no_side_answers_the_whole_question_is_asked() -> None:
    context = packed(side("Northwind", SALES, LESS), side("Lakeview", OTHER))
    context = replace(context, lacking=frozenset({"Northwind", "Lakeview"}))
    assert all(isinstance(one, Quotation) for one in answer_lines(context))


@pytest.mark.parametrize(
    ("language", "documents", "expected"),
    [
        ("en", ["a.pdf", "b.pdf"], "X: nothing about this was found in a.pdf, b.pdf."),
        ("en", ["a.pdf", "b.pdf", "c.pdf"], "X: nothing about this was found in your documents."),
        ("de", ["a.pdf"], "X: Dazu wurde in a.pdf nichts gefunden."),
        ("de", [], "X: Dazu wurde in Ihren Dokumenten nichts gefunden."),
        ("xx", [], "X: nothing about this was found in your documents."),
    ],
)
def test_that_nothing_was_found(language: str, documents: list[str], expected: str) -> None:
    assert nothing_found(language, "X", documents) == expected


REPORTS = {
    "NORTHWIND_2021.txt": (
        "Northwind is a maker of garden tools.\n\nNet sales of Northwind were 61 million in 2021."
    ),
    "NORTHWIND_2022.txt": (
        "Northwind is a maker of garden tools.\n\nNet sales of Northwind were 57 million in 2022.\n\n"
        "The factory in Torrin has 212 employees."
    ),
    "LAKEVIEW_2022.txt": (
        "Lakeview is a seller of seeds.\n\nNet sales of Lakeview were 12 million in 2022.\n\n"
        "The auditor of Lakeview is Mair and Partners."
    ),
    "Satzung_Musikverein.txt": (
        "Satzung des Musikvereins\n\nDer Beitrag beträgt 24 Euro im Jahr. Die Mitgliederversammlung wird mit "
        "einer Frist von vier Wochen einberufen."
    ),
    "Satzung_Sportverein.txt": (
        "Satzung des Sportvereins\n\nMitglied wird, wer einen schriftlichen Antrag stellt. Die Einladung zur "
        "Mitgliederversammlung erfolgt zwei Wochen vorher."
    ),
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("reports")
    for name, text in REPORTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    with Library.open(folder / "data", encoder) as library:
        assert all(one.status == "ok" for one in ingest(library, sorted(folder.glob("*.txt"))))
        yield library


@pytest.fixture(scope="module")
def reader() -> BuiltinReader:
    return BuiltinReader()


def asked(library: Library, reader: BuiltinReader, question: str) -> Answer:
    answer = (
        AnswerChain(
            library,
            AskOptions(),
            answerer=ExtractiveAnswerer(library.encoder),
            reranker=None,
            settings=AnswerSettings(None, 0.2),
            reader=reader,
        )
        .runnable()
        .invoke(question)
    )
    assert isinstance(answer, Answer)
    return answer


def told(answer: Answer) -> list[str]:
    """Return an answer's paragraphs, without bold and markers, then the documents that it cites."""
    paragraphs = [part.rpartition(" [")[0] or part for part in answer.text.replace("**", "").split("\n\n")]
    return [*paragraphs, *(one.document for one in answer.citations)]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            "Compare the net sales of Northwind in 2022 and of Lakeview in 2022.",
            [
                "Northwind: Net sales of Northwind were 57 million in 2022.",
                "Lakeview: Net sales of Lakeview were 12 million in 2022.",
                "NORTHWIND_2022.txt",
                "LAKEVIEW_2022.txt",
            ],
        ),
        (
            "How high were Northwind's net sales in 2021 and in 2022?",
            [
                "2021: Net sales of Northwind were 61 million in 2021.",
                "2022: Net sales of Northwind were 57 million in 2022.",
                "NORTHWIND_2021.txt",
                "NORTHWIND_2022.txt",
            ],
        ),
        (
            "Wann wird zur Mitgliederversammlung im Musikverein und im Sportverein eingeladen?",
            [
                "Musikverein: Die Mitgliederversammlung wird mit einer Frist von vier Wochen einberufen.",
                "Sportverein: Die Einladung zur Mitgliederversammlung erfolgt zwei Wochen vorher.",
                "Satzung_Musikverein.txt",
                "Satzung_Sportverein.txt",
            ],
        ),
        (
            "Wie hoch ist der Beitrag beim Musikverein und beim Sportverein?",
            [
                "Musikverein: Der Beitrag beträgt 24 Euro im Jahr.",
                "Sportverein: Dazu wurde in Satzung_Sportverein.txt nichts gefunden.",
                "Satzung_Musikverein.txt",
            ],
        ),
        (
            "Who is the auditor of Lakeview and of Northwind?",
            [
                "Lakeview: The auditor of Lakeview is Mair and Partners.",
                "Northwind: nothing about this was found in NORTHWIND_2021.txt, NORTHWIND_2022.txt.",
                "LAKEVIEW_2022.txt",
            ],
        ),
        (
            "Compare the net sales of Lakeview and Toyota.",
            [
                "Lakeview: Net sales of Lakeview were 12 million in 2022.",
                "Toyota: nothing about this was found in your documents.",
                "LAKEVIEW_2022.txt",
            ],
        ),
    ],
)
def test_an_answer_has_a_line_for_each_side(
    shelf: Library, reader: BuiltinReader, question: str, expected: list[str]
) -> None:
    answer = asked(shelf, reader, question)
    assert answer.outcome is Outcome.ANSWERED
    assert told(answer) == expected


def test_sides_that_say_nothing_are_refused(shelf: Library, reader: BuiltinReader) -> None:
    answer = asked(shelf, reader, "Which kernel scheduler do Northwind and Lakeview use?")
    assert answer.outcome is Outcome.RELATED
