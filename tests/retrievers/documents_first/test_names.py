"""What names a document, and how a question is matched with it."""

import pytest

from ingestion.documents import Status
from ingestion.fields.values import DocumentFields, FieldValues
from ingestion.storage.catalogue.records import Document
from retrievers.documents_first.names import DocumentNames, NamedDocument, Naming, stems_of

OPENINGS = {
    "BOSTONPROPERTIES_2015_10K": "Boston Properties, Inc. Trading symbol BXP",
    "BOSTONPROPERTIES_2016_10K": "Boston Properties, Inc. Trading symbol BXP",
    "MGMRESORTS_2020_10K": "MGM Resorts International. Trading symbol MGM",
    "BESTBUY_2024Q2_10Q": "A retailer of consumer electronics",
    "UnitTestDesign": "A paper on testing with covering arrays",
    "scan0007": "Rotator cuff tendinopathy: a protocol of a trial of platelet-rich plasma",
}


def document(name: str, opening: str) -> NamedDocument:
    words = {word.casefold() for word in name.split("_")}
    years = frozenset(word[:4] for word in words if word[:2] == "20")
    names = frozenset(word for word in words if not word.isdigit())
    return NamedDocument(name, name, names, stems_of(opening), years)


NAMES = DocumentNames([document(*item) for item in OPENINGS.items()])


def best(question: str) -> tuple[Naming, set[str]]:
    """Return the naming, and the documents that the question's words name best."""
    naming = NAMES.naming(question)
    scores = naming.names + naming.openings + naming.years
    top = scores.max()
    return naming, {
        one.id for one, score in zip(NAMES.documents, scores, strict=True) if score == top and score > 0
    }


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many buildings does Boston Properties let in 2015?", {"BOSTONPROPERTIES_2015_10K"}),
        ("How many buildings does Boston Properties let?", {n for n in OPENINGS if n.startswith("BOSTON")}),
        ("BXP's FFO in FY16", {"BOSTONPROPERTIES_2016_10K"}),
        ("What did MGM’s hotels earn?", {"MGMRESORTS_2020_10K"}),
        ("bestbuy stores", {"BESTBUY_2024Q2_10Q"}),
        ("How many stores does Best Buy have?", {"BESTBUY_2024Q2_10Q"}),
        ("Which hotel did best?", set()),  # a word, not a name
        ("unit test design: which arrays?", {"UnitTestDesign"}),
        ("Who may take part in the rotator cuff trial?", {"scan0007"}),
        ("What is threat shifting?", set()),
        ("", set()),
    ],
)
def test_a_question_names_documents(question: str, expected: set[str]) -> None:
    assert best(question)[1] == expected


def test_years() -> None:
    naming, _ = best("How did the rent of Boston Properties grow from 2015 to 2016?")
    by_name = {one.id: place for place, one in enumerate(NAMES.documents)}
    earlier, later = by_name["BOSTONPROPERTIES_2015_10K"], by_name["BOSTONPROPERTIES_2016_10K"]
    assert (naming.years[earlier], naming.years[later]) == (0.5, 1.0)
    assert (naming.other_years[earlier], naming.other_years[by_name["MGMRESORTS_2020_10K"]]) == (0, 1)
    assert naming.other_years[by_name["scan0007"]] == 0  # no year of its own


def test_the_words_that_name_a_document() -> None:
    question = "In FY2016, how much rent did Boston Properties’ buildings earn?"
    naming, _ = best(question)
    place = [one.id for one in NAMES.documents].index("BOSTONPROPERTIES_2016_10K")
    assert sorted(question[a:b] for a, b in naming.words[place]) == ["Boston", "FY2016", "Properties"]


def test_nothing_to_name() -> None:
    naming = DocumentNames([]).naming("Boston Properties 2016")
    assert naming.names.shape == naming.years.shape == (0,)
    assert not naming.words


def stored(name: str) -> Document:
    """A document as the catalogue has it; only its name says what it is."""
    return Document(
        id=name, collection="default", collection_id=1, name=name, path=f"upload:{name}", title=None,
        sha256="0", bytes=1, status=Status.OK, error=None, pages=1, pages_failed=0, chunks=1, version=1,
        chunker=1, language="en", added="2026-01-01T00:00:00+00:00",
    )  # fmt: skip


def named(name: str, recognised: FieldValues, **edits: str) -> NamedDocument:
    fields = DocumentFields(recognised, dict(edits))  # type: ignore[arg-type]
    return NamedDocument.of(stored(name), fields, frozenset(), frozenset())


def test_what_a_person_wrote_is_a_name_and_what_is_recognised_an_opening() -> None:
    recognised = FieldValues("Blood of Patients", "Institute of Blood Diseases", "2023-03-15", "protocol")
    found = named("scan0007.pdf", recognised)
    assert found.names == {"scan0007"}
    assert stems_of("blood patients institute diseases") <= found.opening
    assert found.years == frozenset()  # the day of a protocol says little of what it is about
    found = named("scan0007.pdf", recognised, organisation="The Acme Company", title="MyScan")
    assert found.names == {"scan0007", "acme", "myscan", "my", "scan"}


def test_years_of_reports_and_of_edits() -> None:
    report = FieldValues("Form 10-K", "Acme", "FY2019", "annual report")
    assert named("scan0007.pdf", report).years == {"2019"}
    assert named("ACME_2018_10K.pdf", report).years == {"2018"}
    assert named("ACME_2018_10K.pdf", report, period="FY2020-Q2").years == {"2020"}
    assert named("ACME_2018_10K.pdf", report, period="").years == {"2018"}
    assert named("scan0007.pdf", report, period="").years == frozenset()
