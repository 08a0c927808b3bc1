"""Titles: stated and borne out, or printed."""

import pytest

from ingestion.fields.titles import title_of
from tests.helpers.front_matter import front

PROSE = "The pump moves water from the tank to the field, and it needs no attention while it runs."


@pytest.mark.parametrize(
    ("stated", "page", "expected"),
    [
        ("Guide to Pumps", "GUIDE TO PUMPS\nChapter 1", "Guide to Pumps"),
        ("Pump drawings from last year", "Guide to Pumps\n" + PROSE, "Guide to Pumps"),  # of another file
        ("How to keep a pump", "1\n2\n3", "How to keep a pump"),  # the page shows no title
        ("0000874761-17-000003", "1\n2\n3", ""),
        ("ADBE 10K FY16 - FINAL", "1\n2\n3", ""),
        ("scan_0007", "1\n2\n3", ""),
        ("Sheet1", "1\n2\n3", ""),
        ("Exhibit 99.1 - 6.30.2023", "1\n2\n3", ""),
        ("Pumps", "1\n2\n3", ""),  # one word that nothing bears out
    ],
)
def test_the_title_that_a_file_states(stated: str, page: str, expected: str) -> None:
    assert title_of(front(page, title=stated)) == expected


def test_the_name_of_the_file_is_no_title() -> None:
    assert title_of(front("1\n2", title="my big scan", name="my_big_scan.pdf")) == ""


def test_other_formats_state_titles_that_their_pages_need_not_have() -> None:
    assert title_of(front(PROSE, title="Pumps", name="draft 3.docx")) == "Pumps"


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (
            "ACME 3000\nACME 3000-B\nUser Manual\nRevision 2.6.\nSeptember 2025\nwww.acme.com\n1",
            "ACME 3000 ACME 3000-B User Manual",
        ),
        ("Exhibit 10.1\nSUPPLY AGREEMENT\nThis Agreement is made", "SUPPLY AGREEMENT"),
        (
            "Page 1 of 5\nNational Safety Board\nAccident Final Report\nLocation: Latrobe, PA Number: N1",
            "Accident Final Report",
        ),
        ("I Accident Final Report\n" + PROSE, "Accident Final Report"),  # a rule, as recognition reads it
        ("Vereinssatzung\nSatzung des Makerspace e. V.\n§ 1 Name", "Satzung des Makerspace e. V."),
        ("The Bylaws of\nAcme Institute\nARTICLE I — NAME 4", "The Bylaws of Acme Institute"),
        (
            "Version October 10, 2023\nComparison between Plasma and\nCorticosteroids\nIRB number: 5269\n1",
            "Comparison between Plasma and Corticosteroids",
        ),
        (
            "Phase II study of a drug combined with another,\na third and a fourth in patients\n"
            "(Study Protocol)\nLast updated: Mar 15th 2023\n" + PROSE * 3,
            "Phase II study of a drug combined with another, a third and a fourth in patients (Study "
            "Protocol)",
        ),
        ("TOPIC 2: PROCESSES AND THREADS.\n" + PROSE, "TOPIC 2: PROCESSES AND THREADS"),
        (
            "Protocol Title: A Study of Drug X in Adults with Moderate to Severe\nAsthma\nSponsor: Acme",
            "A Study of Drug X in Adults with Moderate to Severe Asthma",
        ),
        ("1. Introduction\n" + PROSE, ""),  # a heading within a document
        (PROSE + "\n" + PROSE, ""),
        ("12 March 2020\n1433\n" + PROSE, ""),
        ("", ""),
    ],
)
def test_the_title_that_a_page_shows(page: str, expected: str) -> None:
    assert title_of(front(page)) == expected


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("Attention Is All You Need\nAshish Vaswani∗\nGoogle Brain\nAbstract", "Attention Is All You Need"),
        (
            "Residual Learning for Image\nRecognition\nKaiming He, Xiangyu Zhang and Jian Sun\nAbstract",
            "Residual Learning for Image Recognition",
        ),
        ("Residual Learning for Image\nRecognition\nAbstract", ""),  # where it ends is not told
    ],
)
def test_the_title_of_a_paper_stands_above_its_authors(page: str, expected: str) -> None:
    assert title_of(front(page), is_paper=True) == expected
