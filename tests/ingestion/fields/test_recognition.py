"""All fields of a document: what is recognised, and that nothing is where nothing is said."""

import random
import time

import pytest

from ingestion.fields.front_matter import FrontMatter, FrontPage
from ingestion.fields.recognition import recognise
from ingestion.fields.values import FIELD_NAMES, FieldValues, checked_field
from tests.helpers.front_matter import form, front

PROSE = "The pump moves water from the tank to the field, and it needs no attention while it runs."
CASES = {
    "annual report": (
        front(form("10-K", "For the fiscal year ended May 31, 2019", "Acme Corporation")),
        FieldValues("Form 10-K", "Acme Corporation", "FY2019", "annual report"),
    ),
    "earnings release": (
        front(
            "Acme Reports Second Quarter 2023 Results\nRome - Acme, Inc. today announced for the "
            "second quarter ended June 30, 2023"
        ),
        FieldValues("Acme Reports Second Quarter 2023 Results", "Acme, Inc.", "2023-Q2", "earnings release"),
    ),
    "contract": (
        front(
            "SUPPLY AGREEMENT\nThis agreement is made as of March 3, 2018, by and between Acme Inc. "
            "and Xyz Ltd."
        ),
        FieldValues("SUPPLY AGREEMENT", "Acme Inc. and Xyz Ltd.", "2018-03-03", "contract"),
    ),
    "paper": (
        front("Pumps at Night\nAda Lovelace1\n1University of Oxford\nAbstract\nPumps hum.\nKeywords\npumps"),
        FieldValues("Pumps at Night", "", "", "paper"),  # its author's university did not issue it
    ),
    "slides": (front("Pumps", name="pumps.pptx", title="Pumps"), FieldValues("Pumps", "", "", "slides")),
    "nothing": (front(PROSE, name="scan0007.pdf"), FieldValues()),
    "no page": (FrontMatter("scan0007.pdf"), FieldValues()),
}


@pytest.mark.parametrize("case", CASES)
def test_all_fields_of_a_document(case: str) -> None:
    found, expected = CASES[case]
    assert recognise(found) == expected


@pytest.mark.parametrize("case", CASES)
def test_what_is_recognised_could_be_written_by_a_person(case: str) -> None:
    values = recognise(CASES[case][0])
    assert [checked_field(name, values.of(name)) for name in FIELD_NAMES] == [
        values.of(name) for name in FIELD_NAMES
    ]


@pytest.mark.parametrize(
    "text",
    [
        "(" * 6_000,
        "A " * 3_000,
        "Acme Inc, " * 600,
        "1" * 6_000,
        "a-" * 3_000,
        "Date: " * 1_000,
        ":" * 6_000,
        "for the year ended " * 300,
        "\n".join("Q1" for _ in range(3_000)),
        "— " * 3_000,
        "May 1 " * 1_000,
    ],
)
def test_hostile_texts_take_no_more_time_than_others(text: str) -> None:
    head = "SECURITIES AND EXCHANGE COMMISSION\nFORM 10-K\n"
    for pages in (
        (text,),
        (head + text,),
        ("Acme reports results of 2023 -- " + text,),
        ("Agreement between " + text,),
    ):
        begun = time.process_time()
        recognise(FrontMatter("x.pdf", text[:300], pages=tuple(map(FrontPage, pages))))
        assert time.process_time() - begun < 5  # milliseconds; an exponential pattern takes hours


def test_no_text_raises() -> None:
    chance = random.Random(7)
    letters = "aA1 .,:;-—()§\n“”©&'’é中\u202e/@*"
    for _ in range(200):
        text = "".join(chance.choices(letters, k=chance.randint(0, 400)))
        recognise(front(text, name=f"{text[:20]}.pdf", title=text[:60], author=text[:30], date=text[:9]))
