"""The period of any document: what dates it, and what only stands in it."""

import pytest

from ingestion.fields.dating import period_of
from tests.helpers.front_matter import front

PROSE = "The pump was built in 1998 and moved in 2003, and on 4 May 2005 it was painted green for the fair."


@pytest.mark.parametrize(
    ("page", "title", "expected"),
    [
        (PROSE, "Annual Performance Report Fiscal Year 2019", "FY2019"),
        (PROSE, "2019 Report", "2019"),
        (PROSE, "Minutes of the meeting of 12 March 2020", "2020-03-12"),
        (PROSE, "Roads from 2019 to 2021", "None"),
        ("Annual Report\nFiscal Year 2019\n" + PROSE, "Annual Report", "FY2019"),
        ("User Manual\nDocument revision 2.6.\nSeptember 2025\n" + PROSE, "", "2025-09"),
        ("Last updated: Mar 15th 2023\n" + PROSE, "", "2023-03-15"),
        ("V1 4/6/2023\n" + PROSE, "", "2023"),  # 4 June or 6 April
        ("This Agreement is entered into as of June 12, 2019 by and between\n" + PROSE, "", "2019-06-12"),
        ("Date & Time: 11/28/2007, 1433 EST Registration: N103JT\n" + PROSE, "", "2007-11-28"),
        ("Satzung\nStand: 12.03.2019\n" + PROSE, "", "2019-03-12"),
        ("OPM.GOV FEBRUARY 2020\n" + PROSE, "", "2020-02"),
        ("May 2, 2020\nJune 3, 2021\n" + PROSE, "", "None"),  # which?
        (PROSE, "", "None"),
        ("", "", "None"),
    ],
)
def test_what_dates_a_document(page: str, title: str, expected: str) -> None:
    assert str(period_of(front(page), title)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("report 2019.pdf", "2019"),
        ("minutes_2020-03-12.pdf", "2020-03-12"),
        ("results-2023Q2.pdf", "2023-Q2"),
        ("2019 to 2020.pdf", "None"),
        ("ntsb-20080109X00035.pdf", "None"),
        ("NCT06150378.pdf", "None"),
    ],
)
def test_the_name_of_the_file(name: str, expected: str) -> None:
    assert str(period_of(front(PROSE, name=name), "")) == expected


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"subject": "JuliaCon 2019 Proceedings"}, "2019"),
        ({"date": "2021-05-04T10:00:00Z"}, "2021-05-04"),
        ({"date": "1998"}, "1998"),
        ({"date": "soon"}, "None"),
    ],
)
def test_what_the_file_states(properties: dict[str, str], expected: str) -> None:
    assert str(period_of(front(PROSE, **properties), "")) == expected
