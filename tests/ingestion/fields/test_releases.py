"""Press releases: their headline, who speaks, and the quarter that the results are of."""

import pytest

from ingestion.fields.releases import release_of, release_period, releasing_organisation
from tests.helpers.front_matter import front

WIRE = (
    "{headline}\n{city}, May 25, 2023 (GLOBE NEWSWIRE) -- {company} (“Acme” or the “Company”) (Nasdaq: ACM) "
    "today announced its results for the quarter ended {ended}."
)


def wire(headline: str, ended: str = "June 30, 2023", company: str = "Acme Wholesale Corporation") -> str:
    return WIRE.format(headline=headline, ended=ended, company=company, city="ISSAQUAH, Wash.")


@pytest.mark.parametrize(
    ("headline", "ended", "expected"),
    [
        ("Acme Reports Second Quarter 2023 Results", "June 30, 2023", "2023-Q2"),
        ("Acme Reports Second Quarter 2023 Results", "December 31, 2022", "FY2023-Q2"),  # by its end
        ("Acme Announces Second Quarter Fiscal 2023 Results", "July 29, 2023", "FY2023-Q2"),
        (
            "Acme Wholesale Reports Third Quarter\nand Year-to-Date Operating Results for Fiscal 2023",
            "May 7, 2023",
            "FY2023-Q3",
        ),
        ("ACME REPORTS Q4 AND FULL-YEAR 2022 RESULTS", "December 31, 2022", "2022-Q4"),
        ("Acme reports fiscal 2023 results and provides outlook for fiscal 2024", "June 30, 2023", "FY2023"),
        (
            "Acme Reports Second Quarter Results",
            "July 29, 2023 of the second quarter of fiscal 2024",
            "FY2024-Q2",
        ),
    ],
)
def test_results(headline: str, ended: str, expected: str) -> None:
    found = front(wire(headline, ended))
    release = release_of(found)
    assert release is not None
    assert release.is_earnings
    assert release.title == " ".join(headline.split())
    assert str(release_period(found, release)) == expected
    assert releasing_organisation(found, release) == "Acme Wholesale Corporation"


def test_a_release_about_something_else_says_that_it_is_one() -> None:
    found = front(
        "NEWS RELEASE\nAcme Announces a New Chief Executive\nParis, May 2, 2023 – Acme SA has named"
    )
    release = release_of(found)
    assert release is not None
    assert not release.is_earnings
    assert releasing_organisation(found, release) == "Acme"
    assert release_of(front("Acme Announces a New Chief Executive\nShe begins in May.")) is None


@pytest.mark.parametrize(
    "text",
    [
        "The committee reports on results of 2023.\nIt met twice.",  # a sentence
        "Annual Report 2023\nAcme Corporation",
        "An algorithm that reports the results of a search in time that grows with neither\nIntroduction",
        "",
    ],
)
def test_other_documents_are_none(text: str) -> None:
    assert release_of(front(text)) is None


def test_a_date_between_two_dashes_is_no_part_of_the_name() -> None:
    found = front(
        "Acme Reports First-Quarter 2023 Results\nNEW YORK - April 25, 2023 - Acme, Inc. (NYSE: ACM) today"
    )
    release = release_of(found)
    assert release is not None
    assert releasing_organisation(found, release) == "Acme, Inc."
