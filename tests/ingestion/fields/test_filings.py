"""Forms of the SEC: which form, of whom, for which period."""

import pytest

from ingestion.fields.filings import filing_of, filing_period, registrant
from tests.helpers.front_matter import form, front

YEAR = "For the fiscal year ended December 31, 2018"


@pytest.mark.parametrize(
    ("kind", "title", "covers"),
    [
        ("10-K", "Form 10-K", "year"),
        ("10-K/A", "Form 10-K/A", "year"),
        ("20-F", "Form 20-F", "year"),
        ("10-Q", "Form 10-Q", "quarter"),
        ("8-K", "Form 8-K", "event"),
        ("\n10-k", "Form 10-K", "year"),  # in two lines
    ],
)
def test_a_form_is_known_by_its_head(kind: str, title: str, covers: str) -> None:
    filing = filing_of(front(form(kind, YEAR)))
    assert filing is not None
    assert (filing.title, filing.covers) == (title, covers)


@pytest.mark.parametrize(
    "text",
    [
        "How to read a Form 10-K\nThe Securities and Exchange Commission asks companies for one.",
        "FORM 10-K\nAn order form of a shop.",
        form("W-4", ""),
    ],
)
def test_another_document_is_no_form(text: str) -> None:
    assert filing_of(front(text)) is None


@pytest.mark.parametrize(
    ("name", "later", "expected"),
    [
        ("Apple Inc.", "", "Apple Inc."),
        ("SQUARE, INC.", "We, Square, Inc. and its subsidiaries, sell", "Square, Inc."),
        ("SQUARE, INC.", "Square makes it easy", "Square, Inc."),  # word by word
        ("AMCOR PLC", "Amcor plc is", "Amcor plc"),
        ("THE AES CORPORATION", "The company AES and its plants", "The AES Corporation"),
        ("KROGER CO.", "", "KROGER CO."),  # nothing says how it is written
        (
            "THE GOLDMAN SACHS\nGROUP, INC.",
            "The Goldman Sachs Group, Inc. is",
            "The Goldman Sachs Group, Inc.",
        ),
        ("BOSTON PROPERTIES, INC.\nBOSTON PROPERTIES LIMITED PARTNERSHIP", "", "BOSTON PROPERTIES, INC."),
        ("____________\neBay Inc.\n____________", "", "eBay Inc."),
    ],
)
def test_who_files(name: str, later: str, expected: str) -> None:
    assert registrant(front(form("10-K", YEAR, name), later)) == expected


def test_a_head_without_the_label_of_the_name() -> None:
    head = form("10-K", YEAR, "MICROSOFT CORPORATION").replace(
        "(Exact name of registrant as specified in its charter)\n", ""
    )
    assert registrant(front(head, "Microsoft is")) == "Microsoft Corporation"
    assert registrant(front(head.replace("MICROSOFT CORPORATION", "Delaware"))) == ""


@pytest.mark.parametrize(
    ("kind", "ended", "name", "expected"),
    [
        ("10-K", YEAR, "a.pdf", "FY2018"),
        ("10-K", "For the Fiscal Year Ended\nJanuary 1, 2023", "a.pdf", "FY2022"),
        ("10-K", "For the fiscal year ended January 28, 2023", "a.pdf", "None"),
        ("10-K", "For the fiscal year ended January 28, 2023", "TARGET_2022_10K.pdf", "FY2022"),
        ("10-Q", "For the quarterly period ended June 30, 2023", "a.pdf", "2023-Q2"),
        ("10-Q", "For the quarterly period ended July 1, 2023", "a.pdf", "2023-07-01"),  # of which year?
        ("10-Q", "For the quarterly period ended July 1, 2023", "APPLE_2023Q3_10Q.pdf", "FY2023-Q3"),
        ("10-Q", "For the quarterly period ended June 30, 2023", "NETFLIX_2023Q2_10Q.pdf", "2023-Q2"),
        ("10-Q", "For the quarterly period ended December 31, 2022", "AMCOR_2023Q2_10Q.pdf", "FY2023-Q2"),
        ("10-Q", "For the quarterly period ended June 30, 2023", "scan_2009Q1.pdf", "2023-Q2"),
        (
            "8-K",
            "Date of Report (date of earliest event reported): May 20, 2022 (May 18, 2022)",
            "a.pdf",
            "2022-05-20",
        ),
        ("8-K", "January 4, 2023\nDate of Report (date of earliest event reported)", "a.pdf", "2023-01-04"),
        ("8-K", "Date of Report", "a.pdf", "None"),
    ],
)
def test_the_period_of_a_form(kind: str, ended: str, name: str, expected: str) -> None:
    found = front(form(kind, ended), name=name)
    filing = filing_of(found)
    assert filing is not None
    assert str(filing_period(found, filing)) == expected
