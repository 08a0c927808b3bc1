"""Periods in all ways of writing them, and which of them cannot be."""

import pytest

from ingestion.fields.periods import (
    PERIOD_FORMS,
    calendar_quarter,
    parse_period,
    quarter_of,
    spoken_period,
    year_ending,
)
from ingestion.text.dates import dates


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2019", "2019"),
        ("FY2019", "FY2019"),
        ("fy 19", "FY2019"),
        ("Fiscal Year 2019", "FY2019"),
        ("Geschäftsjahr 2019", "FY2019"),
        ("2023-Q2", "2023-Q2"),
        ("Q2 2023", "2023-Q2"),
        ("2Q23", "2023-Q2"),
        ("2023 Q2", "2023-Q2"),
        ("second quarter 2023", "2023-Q2"),
        ("Q2 FY2023", "FY2023-Q2"),
        ("FY23 Q2", "FY2023-Q2"),
        ("second quarter of fiscal year 2023", "FY2023-Q2"),
        ("H1 2024", "2024-H1"),
        ("2012-09", "2012-09"),
        ("September 2012", "2012-09"),
        ("2019-06-12", "2019-06-12"),
        ("June 12, 2019", "2019-06-12"),
        ("12. März 2020", "2020-03-12"),
        ("11/28/2007", "2007-11-28"),
    ],
)
def test_one_form_for_each_period(text: str, expected: str) -> None:
    assert str(parse_period(text)) == expected
    assert str(parse_period(expected)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2023-13",
        "2023-02-30",
        "2023-Q5",
        "2023-H3",
        "FY2023-05",
        "0999",
        "2300",
        "Q2",
        "May",
        "3/5/1987",  # 3 May or 5 March
        "2023 and 2024",
    ],
)
def test_what_is_no_period(text: str) -> None:
    assert parse_period(text) is None


def test_the_forms_that_people_are_told_are_forms() -> None:
    for form in PERIOD_FORMS.split(", "):
        assert str(parse_period(form)) == form


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Acme Reports Third Quarter and Year-to-Date Results for Fiscal 2023", "FY2023-Q3"),
        ("ACME REPORTS SECOND QUARTER 2023 RESULTS", "2023-Q2"),
        ("Acme Reports Fiscal 2023 Third Quarter Results", "FY2023-Q3"),
        ("Acme Reports Q4 and Full-Year 2022 Results", "2022-Q4"),
        ("Acme reports fiscal 2023 results and an outlook for fiscal 2024", "FY2023"),
        ("In the second quarter we sold 10.5% more than in 2022", "None"),
        ("Q1 25 participants", "None"),
        ("Ten years of Acme", "None"),
    ],
)
def test_the_period_that_a_sentence_names(text: str, expected: str) -> None:
    assert str(spoken_period(text)) == expected


@pytest.mark.parametrize(
    ("day", "quarter", "nearest"),
    [
        ("June 30, 2023", "2023-Q2", "2023-Q2"),
        ("July 1, 2023", "None", "2023-Q2"),  # a company's quarter of whole weeks
        ("January 1, 2023", "None", "2022-Q4"),
        ("July 29, 2023", "None", "2023-Q3"),
    ],
)
def test_the_quarter_that_ends_on_a_day(day: str, quarter: str, nearest: str) -> None:
    (date,) = dates(day)
    assert (str(quarter_of(date)), str(calendar_quarter(date))) == (quarter, nearest)


@pytest.mark.parametrize(
    ("day", "said", "expected"),
    [
        ("December 31, 2016", "", "FY2016"),
        ("May 31, 2019", "", "FY2019"),
        ("January 1, 2023", "", "FY2022"),
        ("January 28, 2023", "", "None"),  # fiscal 2022 of some companies, fiscal 2023 of others
        ("January 28, 2023", "In fiscal 2022, as in fiscal 2021, we grew. Fiscal 2022 was long.", "FY2022"),
        ("January 31, 2023", "fiscal 2023", "FY2023"),
        ("January 31, 2023", "fiscal 2023 and fiscal 2022", "None"),
    ],
)
def test_the_fiscal_year_that_ends_on_a_day(day: str, said: str, expected: str) -> None:
    (date,) = dates(day)
    assert str(year_ending(date, said)) == expected
