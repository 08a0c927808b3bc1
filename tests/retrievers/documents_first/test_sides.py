"""Which documents a question names beside each other."""

from collections.abc import Callable, Iterator

import pytest

from ingestion.encoders import Encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from retrievers.documents_first.mentions import ScopeWords, mentions, unknown_names
from retrievers.documents_first.names import NamesOfLibraries
from retrievers.documents_first.prior import document_prior
from retrievers.documents_first.sides import sides_of
from retrievers.hits import Side

COMPANIES = ("NORTHWIND", "LAKEVIEW")
TEXTS = {
    **{
        f"{company}_{year}_10K.txt": f"{company.title()} Corporation\n\nFORM 10-K\n\nWe sell tools from a "
        f"manual and report net sales of {year} million. Nobody may block the board. Northwind rents a shop."
        for company in COMPANIES
        for year in (2021, 2022)
    },
    "LAKEVIEW_2022_8K.txt": "Lakeview Corporation\n\nFORM 8-K\n\nThe board met.",
    "BESTBUY_2022_10K.txt": "Best Buy Co., Inc.\n\nFORM 10-K\n\nWe sell phones and report a block of tools.",
    "BLOCK_2022_10K.txt": "Block, Inc.\n\nFORM 10-K\n\nWe sell readers for cards and report net sales.",
    "user-manual.txt": "The wombat board\n\nKeep the board dry. The users report a block.",
    "cross-encoders.txt": "Cross-encoders\n\nThey read question and passage together.",
    "bi-encoders.txt": "Bi-encoders\n\nThey read question and passage apart.",
    "scan7.txt": "Final report on the Latrobe accident\n\nThe pilot had 475 hours.",
    "scan8.txt": "Final report on the Soledad accident\n\nThe pilot had 435 hours.",
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("sides")
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    with Library.open(folder / "data", encoder) as library:
        assert all(one.status == "ok" for one in ingest(library, sorted(folder.glob("*.txt"))))
        yield library


Find = Callable[[str], tuple[Side, ...]]


@pytest.fixture
def find(shelf: Library) -> Find:
    scope = shelf.catalogue.scope()
    names = NamesOfLibraries().of(shelf, scope)
    words = ScopeWords(shelf, scope)
    return lambda question: sides_of(
        names,
        question,
        words,
        document_prior(names, question, ()),
        lambda asked: document_prior(names, asked, ()),
    )


def named(shelf: Library, sides: tuple[Side, ...]) -> list[tuple[str, set[str]]]:
    labels = {one.id: one.label.removesuffix(".txt") for one in shelf.catalogue.documents()}
    return [(side.name, {labels[one] for one in side.documents}) for side in sides]


NORTHWINDS = {"NORTHWIND_2021_10K", "NORTHWIND_2022_10K"}


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            "Compare the sales of Northwind and Best Buy.",
            [("Northwind", NORTHWINDS), ("Best Buy", {"BESTBUY_2022_10K"})],
        ),
        (
            "compare the sales of northwind and best buy",
            [("northwind", NORTHWINDS), ("best buy", {"BESTBUY_2022_10K"})],
        ),
        (
            "Vergleiche den Umsatz von Northwind und Best Buy im Jahr 2022.",
            [("Northwind", {"NORTHWIND_2022_10K"}), ("Best Buy", {"BESTBUY_2022_10K"})],
        ),
        (
            "How did Northwind's sales change between 2021 and 2022?",
            [("2021", {"NORTHWIND_2021_10K"}), ("2022", {"NORTHWIND_2022_10K"})],
        ),
        (
            "What does Lakeview's 10-K of 2022 say of the board, and what the 8-K?",
            [("10-K", {"LAKEVIEW_2022_10K"}), ("8-K", {"LAKEVIEW_2022_8K"})],
        ),
        (
            "Compare Northwind in FY2021 with Lakeview's 10-K in FY2022.",
            [("Northwind", {"NORTHWIND_2021_10K"}), ("Lakeview", {"LAKEVIEW_2022_10K"})],
        ),
        (
            "What were the sales of Northwind and of Lakeview in the 10-K of 2021 and 2022?",
            [
                ("Northwind 2021", {"NORTHWIND_2021_10K"}),
                ("Northwind 2022", {"NORTHWIND_2022_10K"}),
                ("Lakeview 2021", {"LAKEVIEW_2021_10K"}),
                ("Lakeview 2022", {"LAKEVIEW_2022_10K"}),
            ],
        ),
        (
            "How does a cross-encoder differ from a bi-encoder?",
            [("cross-encoder", {"cross-encoders"}), ("bi-encoder", {"bi-encoders"})],
        ),
        # Words of first lines that no other document has.
        (
            "Who had more hours, the pilot at Latrobe or the one at Soledad?",
            [("Latrobe", {"scan7"}), ("Soledad", {"scan8"})],
        ),
        # No document has this name.
        (
            "Compare the sales of Best Buy and Toyota.",
            [("Best Buy", {"BESTBUY_2022_10K"}), ("Toyota", set())],
        ),
    ],
)
def test_the_sides_of_a_question(
    shelf: Library, find: Find, question: str, expected: list[tuple[str, set[str]]]
) -> None:
    assert named(shelf, find(question)) == expected


@pytest.mark.parametrize(
    "question",
    [
        "What were the sales of Northwind?",  # several documents, named alike
        "What were the sales of Northwind in 2022?",
        "How did Northwind's sales change from 2022 to 2023?",  # one year has a document
        "What do the manual and the report say of tools?",  # words of files' names that are none themselves
        "Who may block the board and the sale of tools?",
        "What did Northwind say about Lakeview?",
        "Who had more hours, the pilot or the board?",
        "What are Best Buy's net sales and total assets?",
        "",
    ],
)
def test_a_question_that_names_one_or_none_has_no_sides(find: Find, question: str) -> None:
    assert find(question) == ()


def test_what_is_asked_of_a_side(find: Find) -> None:
    northwind, best_buy = find("Compare the sales of Northwind and Best Buy.")
    assert northwind.question == "What was the sales of Northwind."
    assert best_buy.question == "What was the sales of Best Buy."
    assert northwind.within == best_buy.within == "What was the sales."


def test_the_files_of_a_series_without_a_name(
    tmp_path_factory: pytest.TempPathFactory, encoder: Encoder
) -> None:
    folder = tmp_path_factory.mktemp("series")
    for year in (2020, 2021, 2022):
        (folder / f"annual-report-{year}.txt").write_text(f"We sold {year} tools.", encoding="utf-8")
    (folder / "minutes-2021.txt").write_text("The board met.", encoding="utf-8")
    with Library.open(folder / "data", encoder) as library:
        assert all(one.status == "ok" for one in ingest(library, sorted(folder.glob("*.txt"))))
        scope = library.catalogue.scope()
        names = NamesOfLibraries().of(library, scope)
        question = "How many tools were sold, in the annual report of 2020 and of 2021?"
        prior = document_prior(names, question, ())
        found = sides_of(names, question, ScopeWords(library, scope), prior, lambda _: prior)
        assert named(library, found) == [
            ("2020", {"annual-report-2020"}),
            ("2021", {"annual-report-2021"}),
        ]


def test_names_are_no_common_words(shelf: Library) -> None:
    scope = shelf.catalogue.scope()
    names, words = NamesOfLibraries().of(shelf, scope), ScopeWords(shelf, scope)

    def found(question: str) -> list[str]:
        return [question[one.start : one.end] for one in mentions(names, question, words)]

    assert found("What did Block sell?") == ["Block"]
    assert found("What did the block say?") == []  # written in many documents
    assert found("Where is the user manual?") == ["user manual"]
    assert found("Where is the manual?") == []
    assert found("Was steht im Block?") == []  # German writes every noun with a capital
    assert found("In May, who met at Northwind?") == ["Northwind"]


def test_names_that_no_document_has(shelf: Library) -> None:
    words = ScopeWords(shelf, shelf.catalogue.scope())

    def found(question: str) -> list[str]:
        start = question.index("Northwind")
        spans = unknown_names(question, [(start, start + len("Northwind"))], words)
        return [question[slice(*one)] for one in spans]

    assert found("Compare Northwind and General Motors in May 2022.") == ["General Motors"]
    assert found("Compare Northwind, Toyota and Honda.") == ["Toyota", "Honda"]
    assert found("Compare Northwind and Northwnd.") == []  # a typing error
    assert found("Compare Northwind and Lakeview.") == []
    assert found("Does Northwind sell to Toyota?") == []  # beside no other name
    assert found("Vergleiche den Gewinn von Northwind und Toyota.") == []  # as every noun is written
