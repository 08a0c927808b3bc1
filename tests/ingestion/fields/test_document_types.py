"""Types of documents, each by what shows it."""

import pytest

from ingestion.fields.document_types import type_of, type_of_suffix, type_word
from ingestion.fields.front_matter import FrontMatter, FrontPage
from tests.helpers.front_matter import front

PROSE = "The pump moves water from the tank to the field, and it needs no attention while it runs."


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("OPM Annual Performance Report 2019", "annual report"),
        ("Geschäftsbericht 2022", "annual report"),
        ("Quarterly Report", "quarterly report"),
        ("Aviation Accident Final Report", "report"),
        ("Minutes of the Board Meeting", "minutes"),
        ("Protokoll der Mitgliederversammlung vom 12. März", "minutes"),
        ("Study Protocol", "protocol"),
        ("NIST Special Publication 800-30", "standard"),
        ("ACME 3000 User Guide", "manual"),
        ("Bedienungsanleitung", "manual"),
        ("Vereinssatzung", "bylaws"),
        ("The Bylaws of Acme", "bylaws"),
        ("Exclusive License Agreement", "contract"),
        ("Mietvertrag", "contract"),
        ("Lecture Notes on Logic", "notes"),
        ("Rechnung Nr. 7", "invoice"),
        ("A Master's Thesis", "thesis"),
        ("Reporting in Time", None),
        ("A reporter's day", None),
        ("General notes", None),
        ("The non-standard features", None),
        ("Standard for Pumps", "standard"),
    ],
)
def test_words_of_a_title(title: str, expected: str | None) -> None:
    assert type_word(title) == expected


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("Attention\nAbstract\nWe propose\n1 Introduction", "paper"),
        ("Acme Ltd\n3 March 2024\nDear Ms Smith,\nThank you.\nYours sincerely,\nJ. Doe", "letter"),
        ("Acme Ltd\nInvoice No. 4711\nTotal 300", "invoice"),
        ("A dissertation submitted for the degree of Doctor of Philosophy", "thesis"),
        ("Los apuntes han sido elaborados por varios autores.", "notes"),
        ("Abstract art is not easy.", None),
        ("Dear reader,\n" + PROSE, None),
        (PROSE, None),
    ],
)
def test_what_only_one_type_has(page: str, expected: str | None) -> None:
    assert type_of(front(page), "") == expected


def test_a_contract_has_parties() -> None:
    assert type_of(front("by and between Ada and Charles"), "Supply Agreement") == "contract"
    assert type_of(front(PROSE), "How to Write an Agreement") is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("genmc-manual.pdf", "manual"),
        ("NCT06158269_Prot_000.pdf", "protocol"),
        ("page.html", "web page"),
        ("tables.xlsx", "spreadsheet"),
        ("talk.pptx", "slides"),
        ("novel.epub", "book"),
        ("manually.pdf", None),
        ("paper.txt", None),
    ],
)
def test_names_of_files(name: str, expected: str | None) -> None:
    found = front(PROSE, name=name)
    assert (type_of_suffix(found) or type_of(found, "")) == expected


@pytest.mark.parametrize(
    ("width", "height", "words", "expected"),
    [(960, 540, 30, "slides"), (800, 600, 30, "slides"), (612, 792, 30, None), (960, 540, 300, None)],
)
def test_slides_have_the_shape_of_a_screen(width: int, height: int, words: int, expected: str | None) -> None:
    pages = tuple(FrontPage("water " * words, width, height) for _ in range(3))
    assert type_of(FrontMatter("talk.pdf", pages=pages), "") == expected
    assert type_of(FrontMatter("talk.pdf", pages=pages[:1]), "") is None
