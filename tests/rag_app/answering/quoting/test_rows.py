"""Rows of tables as they stand in the text of a page, read with the heads above them."""

import pytest

from rag_app.answering.quoting.rows import is_head, parse_row, read_table, shown_value

BALANCE = """ORCHARD, INC.
CONSOLIDATED BALANCE SHEETS
(In thousands, except share and per share data)
December 31,
2018 2017
Assets
Current assets:
Cash and cash equivalents $ 583,173 $ 696,474
Other current assets 164,966 86,454
"""
QUARTERS = """Consolidated Statements of Income
(dollars in millions, except per share data)
12 Weeks Ended 36 Weeks Ended
May 7, 2023 May 8, 2022 May 7, 2023 May 8, 2022
REVENUE
Net sales $ 52,604 $ 51,612 $ 160,280 $ 151,966
"""
WITH_SHARES = """(In thousands, except per share data)
13 Weeks Ended
July 29, July 30,
2023 2022
(Unaudited) (Unaudited)
Net sales $ 2,529,809 100.0% $ 2,297,113 100.0%
"""
ONE_BELOW_ANOTHER = """Three Months Ended Change
June 30,
2023
June 30,
2022 Q2'23 vs. Q2'22
(in thousands, except percentages)
"""


def cells(above: str, line: str) -> dict[str, str]:
    row = parse_row(line)
    assert row is not None
    table = read_table(above, row)
    return {
        head: shown_value(row.values[place], table, row.label)
        for head, place in zip(table.columns, table.used, strict=True)
    }


def test_a_cell_has_its_period_currency_and_unit() -> None:
    assert cells(BALANCE, "Total current assets 2,111,905 1,778,294") == {
        "December 31, 2018": "$2,111,905 thousand",
        "December 31, 2017": "$1,778,294 thousand",
    }


def test_each_group_of_columns_keeps_its_span() -> None:
    assert cells(QUARTERS, "Total revenue 53,648 52,596 163,351 154,863") == {
        "12 weeks ended May 7, 2023": "$53,648 million",
        "12 weeks ended May 8, 2022": "$52,596 million",
        "36 weeks ended May 7, 2023": "$163,351 million",
        "36 weeks ended May 8, 2022": "$154,863 million",
    }


def test_shares_of_the_total_are_left_out() -> None:
    assert list(cells(WITH_SHARES, "Gross profit 993,612 39.3% 928,164 40.4%").values()) == [
        "$993,612 thousand",
        "$928,164 thousand",
    ]


def test_a_figure_per_share_has_no_unit() -> None:
    assert next(iter(cells(QUARTERS, "Diluted $ 2.93 $ 3.04 $ 9.30 $ 8.94").values())) == "$2.93"


def test_heads_on_lines_of_their_own_name_the_first_columns() -> None:
    assert list(cells(ONE_BELOW_ANOTHER, "Marketing $ 627,168 $ 574,960 $ 52,208 9 %")) == [
        "three months ended June 30, 2023",
        "three months ended June 30, 2022",
    ]


def test_columns_that_do_not_agree_are_not_named() -> None:
    assert cells(BALANCE, "Total current assets 2,111,905 1,778,294 12") == {}


def test_a_table_of_the_parsers_has_its_first_line_as_heads() -> None:
    row = parse_row("Pump A | 12 bar | 3 kW")
    assert row is not None
    table = read_table("Model | Pressure | Power\nPump B | 9 bar | 2 kW\n", row)
    assert table.columns == ("Pressure", "Power")


@pytest.mark.parametrize(
    ("line", "label", "values"),
    [
        ("Net loss $ (38,453) $ (62,813)", "Net loss", ("$ (38,453)", "$ (62,813)")),
        ("Build-to-suit lease asset 149,000 —", "Build-to-suit lease asset", ("149,000", "—")),
        ("U.S. -0.1% 1.8% 4.9%", "U.S.", ("-0.1%", "1.8%", "4.9%")),
        ("Long-term debt (Note 12) 899,695 358,572", "Long-term debt (Note 12)", ("899,695", "358,572")),
    ],
)
def test_a_row_is_a_label_with_values(line: str, label: str, values: tuple[str, ...]) -> None:
    row = parse_row(line)
    assert row is not None
    assert (row.label, row.values) == (label, values)


@pytest.mark.parametrize(
    "line",
    [
        "The company was founded in 1921",
        "See page 7",
        "Controls and Procedures 19",
        "December 31, 2018 2017",
        "1.2 3.4",
        "A sentence that ends here.",
    ],
)
def test_prose_and_heads_are_no_rows(line: str) -> None:
    assert parse_row(line) is None


@pytest.mark.parametrize(
    "line", ["2018 2017 2016", "Year Ended December 31,", "(in millions)", "13 Weeks Ended 26 Weeks Ended"]
)
def test_dates_and_units_are_heads(line: str) -> None:
    assert is_head(line)


def test_a_short_label_has_the_line_above_with_a_colon() -> None:
    row = parse_row("Basic $ 6.05 $ 5.73")
    assert row is not None
    assert (
        read_table(WITH_SHARES + "Net income per common share:\n", row).section
        == "Net income per common share"
    )


def test_a_line_of_words_names_the_columns() -> None:
    above = "Name Votes For Votes Against Abstentions Broker Non-Votes\nAda Orlo 1,200 30 4 70\n"
    assert cells(above, "Ben Mair 1,100 90 2 70") == {
        "Votes For": "1,100",
        "Votes Against": "90",
        "Abstentions": "2",
        "Broker Non-Votes": "70",
    }


def test_columns_with_equal_heads_are_not_named() -> None:
    assert cells("Sales Rents\n2022 2022\n", "Noninterest expense 305 19,178") == {}


def test_a_date_in_a_label_is_no_value() -> None:
    row = parse_row("Balances as of April 30, 2023 $ 3,975 $ 38,120")
    assert row is not None
    assert (row.label, row.values) == ("Balances as of April 30, 2023", ("$ 3,975", "$ 38,120"))
