"""Periods and units of cells, and tables that parsers wrote as lines."""

import pytest

from ingestion.documents import Page
from ingestion.tables.cells import shown_cell
from ingestion.tables.periods import period_of
from ingestion.tables.reading import tables_of
from ingestion.tables.table import Table, without_note
from ingestion.tables.units import Unit, shown_amount, unit_in


def grid(table: Table) -> list[list[str]]:
    return [[row.label.text, *(cell.text if cell else "" for cell in row.cells)] for row in table.rows]


@pytest.mark.parametrize(
    ("head", "around", "period"),
    [
        ("Years Ended December 31, 2019", "", "year ended December 31, 2019"),
        ("Three Months Ended June 30, 2023", "", "three months ended June 30, 2023"),
        ("2019", "As of December 31,", "December 31, 2019"),
        ("2016 Foreign", "December 31,", "December 31, 2016"),
        ("Level 2", "September 30, 2022", "September 30, 2022"),
        ("Level 2", "September 30, 2022 and December 31, 2021", ""),
        ("FY 2019 Target", "", "FY 2019"),
        ("Q1 2023", "", "Q1 2023"),
        ("26 Weeks", "", "26 weeks"),
        ("2017 to 2018 % Change", "", "2017 to 2018"),
        ("% Change", "December 31, 2019", ""),
        ("", "Fiscal year 2015 versus 2014", "Fiscal year 2015 versus 2014"),
        ("October 31, 2019", "Period ended", "period ended October 31, 2019"),
        ("Inc/ (Dec)", "Six Months Ended June 30, 2023", ""),
        ("Next 12 Months", "", ""),
        ("Shares", "", ""),
    ],
)
def test_the_period_of_a_head(head: str, around: str, period: str) -> None:
    assert period_of(head, around) == period


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("(in millions)", Unit("million")),
        ("(Dollars in thousands, except per share data)", Unit("thousand", "except per share data")),
        ("(MILLIONS OF DOLLARS)", Unit("million")),
        ("Dollars and shares in millions, except per share data:", Unit("million", "except per share data:")),
        ("$ in billions", Unit("billion")),
        ("(000s)", Unit("thousand")),
        ("(presented as (gain) loss in millions):", Unit("million")),
        ("net of $7 million (of which $2 million is not cash)", Unit()),
        ("a million people", Unit()),
    ],
)
def test_the_unit_of_a_line(text: str, unit: Unit) -> None:
    assert unit_in(text).scale == unit.scale
    assert unit_in(text).exempt.rstrip(":") == unit.exempt.rstrip(":")


@pytest.mark.parametrize(
    ("value", "label", "unit", "shown"),
    [
        ("1,204", "Total assets", Unit("million"), "$1,204 million"),
        ("$ 1,204", "Total assets", Unit("million"), "$1,204 million"),
        ("(91", "Net loss", Unit("thousand"), "$(91) thousand"),
        ("3.15", "Earnings per share", Unit("million"), "$3.15"),
        ("829", "Weighted-average shares", Unit("million"), "829 million"),
        ("829", "Weighted-average shares", Unit("million", "except share and per share data"), "829"),
        ("41.2%", "Gross margin", Unit("million"), "41.2%"),
        ("2.6", "Weighted average remaining term (years)", Unit("million"), "2.6"),
        ("12.55", "Weighted average exercise price", Unit("thousand"), "12.55"),
        ("9.7", "Effective tax rate", Unit("million"), "9.7"),
        ("513", "3.000% Senior Notes", Unit("million"), "$513 million"),
        ("—", "Goodwill", Unit("million"), "—"),
        ("1,044", "Membership fees", Unit("million"), "$1,044 million"),
        ("7,520", "Revenues from franchised restaurants", Unit("million"), "$7,520 million"),
        ("7,520", "Number of restaurants with sales abroad", Unit("thousand"), "7,520 thousand"),
        ("2039", "Last year of expiration", Unit("million"), "2039"),
    ],
)
def test_an_amount_is_shown_with_its_unit(value: str, label: str, unit: Unit, shown: str) -> None:
    assert shown_amount(value, label, unit, "$") == shown


def test_notes_are_no_part_of_a_label() -> None:
    assert without_note("Return on assets (ROA) (1)") == "Return on assets (ROA)"
    assert without_note("Total: **") == "Total"


def test_lines_with_bars_are_a_table() -> None:
    text = "Costs (in thousands)\n | 2023 | 2022\nRunning costs\nRent | 80 | 75\nHeat | 12\n\nThe end."
    (table,) = tables_of([Page(3, text)])
    assert (table.page, table.title, table.unit) == (3, "Costs (in thousands)", "thousand")
    assert [column.period for column in table.columns] == ["2023", "2022"]
    assert grid(table) == [["Rent", "80", "75"], ["Heat", "12", ""]]
    assert table.rows[0].section == ("Running costs",)
    ((start, end),) = table.rows[0].cells[1].spans if table.rows[0].cells[1] else ((0, 0),)
    assert text[start:end] == "75"


def test_heads_may_have_several_lines() -> None:
    text = " |  | Years ended June 30, | \n | 2019 | 2018 | 2017\nRent | 80 | 75 | 70\nHeat | 12 | 11 | 9"
    (table,) = tables_of([Page(1, text)])
    assert [column.period for column in table.columns] == [
        "year ended June 30, 2019",
        "year ended June 30, 2018",
        "year ended June 30, 2017",
    ]
    assert grid(table) == [["Rent", "80", "75", "70"], ["Heat", "12", "11", "9"]]


def test_records_are_a_table() -> None:
    text = "Item: Rent; 2023: 80; Note: paid late\n\nItem: Heat; Note: by meter"
    (table,) = tables_of([Page(1, text)])
    assert (table.label_head, [column.head for column in table.columns]) == ("Item", ["2023", "Note"])
    assert grid(table) == [["Rent", "80", "paid late"], ["Heat", "", "by meter"]]


@pytest.mark.parametrize(
    "text", ["", "One line | of two cells", "Note: this is prose; and so is that.\nMore."]
)
def test_other_text_is_no_table(text: str) -> None:
    assert tables_of([Page(1, text)]) == ()


@pytest.mark.parametrize(
    ("head", "value", "shown"),
    [
        ("Stores Opened", "908", "908"),
        ("Number of employees", "21,000", "21,000"),
        ("Stores Opened", "$ 908", "$908 million"),  # what the openings cost
        ("Sales of stores closed", "12", "12 million"),
        ("Company-operated stores", "21,544.4", "21,544.4 million"),  # a line of the revenue
    ],
)
def test_places_and_people_are_not_counted_in_the_unit_of_amounts(head: str, value: str, shown: str) -> None:
    rows = "".join(f"\n{name} | {value}" for name in ("Ferries", "Buses", "Trams"))
    (table,) = tables_of([Page(1, f"The segment ($ in millions)\n | {head}{rows}")])
    assert shown_cell(table, table.rows[0], 0).removeprefix("$").lstrip() == shown.removeprefix("$")
