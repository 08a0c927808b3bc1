"""Abbreviations as documents explain them, in both directions."""

from collections.abc import Iterator

import pytest

from ingestion.encoders import Encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from retrievers.documents_first.abbreviations import abbreviations, definitions, long_form
from retrievers.glossary import Meaning

TRIAL = (
    "Injections of platelet-rich plasma (PRP) were compared with betamethasone. PRP was given once.\n\n"
    "Pain was scored by the American Shoulder and Elbow Society (“ASES”), and by ECOG (Eastern Cooperative "
    "Oncology Group). Costs are in thousands (in TEUR)."
)
REPORT = "We are a potentially responsible party (PRP) at nine sites. PRP groups share the costs."


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("abbreviations")
    (folder / "trial.txt").write_text(TRIAL, encoding="utf-8")
    (folder / "report.txt").write_text(REPORT, encoding="utf-8")
    with Library.open(folder / "data", encoder) as library:
        assert all(one.status == "ok" for one in ingest(library, sorted(folder.glob("*.txt"))))
        yield library


@pytest.mark.parametrize(
    ("short", "before", "expected"),
    [
        ("PRP", "Injections of platelet-rich plasma", "platelet-rich plasma"),
        ("FX", "the impact of foreign exchange", "foreign exchange"),
        (
            "FDIC",
            "insured by the Federal Deposit Insurance Corporation",
            "Federal Deposit Insurance Corporation",
        ),
        ("GAAP", "principles generally accepted in the U.S.", ""),  # letters within words
        ("USA", "United States of America Amcor Finance", ""),  # words that no letter begins
        ("MRD", "maintenance therapy under residual disease", ""),
        ("CEO", "our CEO", ""),
        ("IT", "information", ""),
        ("ABC", "", ""),
    ],
)
def test_the_long_form_in_front_of_an_abbreviation(short: str, before: str, expected: str) -> None:
    assert long_form(short, before) == expected


def test_definitions_of_a_text() -> None:
    assert list(definitions(TRIAL, "PRP")) == ["platelet-rich plasma"]
    assert list(definitions(TRIAL, "ASES")) == ["American Shoulder and Elbow Society"]
    assert list(definitions(TRIAL, "ECOG")) == ["Eastern Cooperative Oncology Group"]
    assert list(definitions(TRIAL, "TEUR")) == []
    assert list(definitions(TRIAL, "RP")) == []


def asked(
    library: Library, question: str, *documents: str, known: tuple[Meaning, ...] = ()
) -> dict[str, str]:
    found = abbreviations(library, question, library.catalogue.scope((), documents), known)
    assert all(question[one.start : one.end] == one.term for one in found)
    return {one.term: one.also[0] for one in found}


def test_of_a_question(shelf: Library) -> None:
    assert asked(shelf, "Who has an ECOG of 3?") == {"ECOG": "eastern cooperative oncology group"}
    assert asked(shelf, "How is the PRP made?", "trial.txt") == {"PRP": "platelet-rich plasma"}
    assert asked(shelf, "How is the PRP made?", "report.txt") == {"PRP": "potentially responsible party"}
    assert asked(shelf, "Who gets the platelet-rich plasma?") == {"platelet-rich plasma": "PRP"}
    assert asked(shelf, "Which potentially responsible party pays?") == {
        "potentially responsible party": "PRP"
    }
    assert asked(shelf, "Who gave the injections, and what did they cost in TEUR?") == {}
    assert asked(shelf, "") == {}


def test_known_terms_are_left_alone(shelf: Library) -> None:
    known = (Meaning("PRP", ("something else",), 0, 3),)
    assert asked(shelf, "PRP: how is it made?", "trial.txt", known=known) == {}
