"""Figures that are computed from rows of tables: ratios, margins, sums, growth; and where none is."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from ingestion.tables.table import Cell, Column, Row, Table
from rag_app.answering.answers import Evidence, PassageWindow, PromptContext
from rag_app.answering.quoting.composition import compose
from rag_app.answering.quoting.computing.computed import computed, growth, is_figure_itself
from rag_app.answering.quoting.computing.formulas import Line, changing_line, formulas_for
from tests.helpers.evidence import evidence

BALANCE = (
    ("Cash and cash equivalents", "300", "200"),
    ("Marketable securities — current", "50", "40"),
    ("Accounts receivable — net of allowances of $8 and $9", "150", "160"),
    ("Total current assets", "1,000", "900"),
    ("Total assets", "4,000", "3,000"),
    ("Total current liabilities", "500", "600"),
)
INCOME = (
    ("Net sales", "2,000", "1,600"),
    ("Membership fees", "100", "80"),
    ("Total revenue", "2,100", "1,680"),
    ("Cost of sales", "1,500", "1,280"),
    ("Net income", "210", "(20)"),
)
CASH_FLOWS = (
    ("Net cash provided by operating activities", "640.5", "500.0"),
    ("Purchases of property and equipment", "(140.2)", "(90.0)"),
)
SEGMENT = (("Revenue", "9", "8"), ("Operating income", "3", "2"))
OTHER = (("Total revenue", "7", "6"), ("Net income", "1", "1"))
YEARS = ("December 31, 2022", "December 31, 2021")


def page(
    number: int, rows: Sequence[tuple[str, ...]], heads: Sequence[str] = YEARS, unit: str = "million"
) -> Evidence:
    """Return evidence with a table: a passage that is the table's text."""
    lines, placed, at = [" ".join(heads)], [], len(" ".join(heads)) + 1
    for label, *values in rows:
        cells = []
        end = at + len(label)
        for value in values:
            cells.append(Cell(value, ((end + 1, end + 1 + len(value)),)))
            end += 1 + len(value)
        placed.append(Row(Cell(label, ((at, at + len(label)),)), (), tuple(cells)))
        lines.append(f"{label} {' '.join(values)}")
        at = end + 1
    text = "\n".join(lines)
    columns = tuple(Column(head, head) for head in heads)
    table = Table(number, 1, "", unit, "", "$", "", columns, tuple(placed), 0, len(text))
    item = evidence(number, text, document="report.pdf", page=number)
    chunk = replace(item.hit.chunk, document_id="report")
    return replace(item, hit=replace(item.hit, chunk=chunk), window=PassageWindow(text, 0, tables=(table,)))


def lines(question: str, *items: Evidence) -> list[str]:
    return [one.line for one in computed(question, items)]


def test_a_ratio_shows_how_it_is_computed_and_cites_each_row() -> None:
    found = computed("What was the current ratio at the end of 2022?", [page(3, BALANCE)])
    assert [one.line for one in found] == [
        "Current ratio · December 31, 2022: **2.00** = $1,000 million ÷ $500 million",
        "Total current assets · December 31, 2022: $1,000 million",
        "Total current liabilities · December 31, 2022: $500 million",
    ]
    assert [one.sentence.text for one in found[1:]] == [
        "Total current assets 1,000 900",
        "Total current liabilities 500 600",
    ]
    assert {one.evidence.number for one in found} == {3}


@pytest.mark.parametrize(
    ("question", "first"),
    [
        (
            "What was the quick ratio in FY22?",
            "**1.00** = ($300 million + $50 million + $150 million) ÷ $500 million",
        ),
        ("How much working capital did it have in 2021?", "**$300 million** = $900 million − $600 million"),
        ("gross margin 2022", "**28.6%** = ($2,100 million − $1,500 million) ÷ $2,100 million"),
        (
            "What was the gross margin on net sales in 2022?",
            "**25.0%** = ($2,000 million − $1,500 million) ÷ $2,000 million",
        ),
        ("What was its net profit margin in 2021?", "**-1.2%** = $(20) million ÷ $1,680 million"),
        ("What free cash flow did it have in 2022?", "**$500.3 million** = $640.5 million − $140.2 million"),
        (
            "What is the FY2022 asset turnover: revenue / average total assets between FY2021 and FY2022?",
            "**0.60** = $2,100 million ÷ average of $4,000 million and $3,000 million",
        ),
        ("Days sales outstanding at the end of 2022?", "**26.1 days** = $150 million ÷ $2,100 million × 365"),
    ],
)  # fmt: skip
def test_figures_and_their_workings(question: str, first: str) -> None:
    found = lines(question, page(1, BALANCE), page(2, INCOME), page(3, CASH_FLOWS))
    assert (found[0].partition(": ")[2] if found else "") == first


def test_of_two_years_each_has_its_figure() -> None:
    found = lines("What was the current ratio in 2022, and in 2021?", page(1, BALANCE))
    assert [one.split("**")[1] for one in found] == ["2.00", "1.50"]


def test_without_a_year_the_latest_counts() -> None:
    assert lines("What is the current ratio?", page(1, BALANCE))[0].startswith(
        "Current ratio · December 31, 2022"
    )


@pytest.mark.parametrize(
    ("question", "items"),
    [
        ("Why did the gross margin of 2022 fall?", [page(1, INCOME)]),
        ("What was the current ratio in 2019?", [page(1, BALANCE)]),
        ("What was the current ratio in 2022?", [page(1, BALANCE[:-1])]),  # a line is missing
        # A segment's revenue: no net income stands below it.
        ("What was the operating margin in 2022?", [page(1, SEGMENT)]),
        # Two tables say different things of the same line.
        ("What was the gross margin in 2022?", [page(1, INCOME), page(2, OTHER)]),
        # Which of the two columns of 2022?
        ("What was the current ratio in 2022?", [page(1, BALANCE, ("March 31, 2022", "June 30, 2022"))]),
        ("What were the current ratio and the quick ratio in 2022?", [page(1, BALANCE)]),
    ],
)  # fmt: skip
def test_nothing_is_computed_where_it_is_not_sure(question: str, items: list[Evidence]) -> None:
    assert lines(question, *items) == []


def test_growth_is_the_change_between_two_years() -> None:
    def grown(question: str) -> list[str]:
        return [one.line for one in growth(question, [page(1, INCOME)])]

    shown = "Net sales · December 31, 2021: $1,600 million; December 31, 2022: $2,000 million: "
    assert grown("By how much did Amcor's net sales grow from 2021 to 2022?") == [
        f"{shown}**+25.0%** ($400 million)"
    ]
    assert grown("What is the FY2021 - FY2022 total revenue growth rate for Block?")[0].endswith(
        "**+25.0%** ($420 million)"
    )
    assert grown("Why did net sales grow from 2021 to 2022?") == []
    assert grown("By how much did comparable sales grow from 2021 to 2022?") == []
    assert grown("By how much did its sales of tools grow from 2021 to 2022?") == []
    assert grown("How much did its net sales grow from 2019 to 2022?") == []


def test_growth_is_not_that_of_a_segment() -> None:
    question = "By how much did its revenue grow from 2021 to 2022?"
    assert growth(question, [page(1, SEGMENT)]) == []
    (line,) = growth(question, [page(1, SEGMENT), page(2, INCOME)])
    assert line.evidence.number == 2


def test_growth_from_a_loss_has_a_sign() -> None:
    (line,) = growth(
        "How much did its net income rise in 2022 compared with the year before?", [page(1, INCOME)]
    )
    assert line.line.endswith("**+1,150.0%** ($230 million)")


@pytest.mark.parametrize(
    ("line", "label"),
    [
        (Line.REVENUE, "Total net revenue"),
        (Line.REVENUE, "Sales and other operating revenues"),
        (Line.CAPITAL_SPENDING, "Payments for acquisition of property, plant and equipment"),
        (Line.CAPITAL_SPENDING, "Additions to property and equipment"),
        (Line.OPERATING_CASH, "Net cash provided by (used in) operating activities"),
        (Line.OPERATING_CASH, "Net cash provided by continuing operating activities"),
        (Line.RECEIVABLES, "Receivables, less allowances of $800 and $692"),
        (Line.FIXED_ASSETS, "Property, plant and equipment — net"),
        (Line.NET_INCOME, "Net income (loss) attributable to The AES Corporation"),
    ],
)
def test_lines_as_reports_label_them(line: Line, label: str) -> None:
    assert line.labels(label)


@pytest.mark.parametrize(
    ("line", "label"),
    [
        (Line.REVENUE, "iPhone net sales"),
        (Line.REVENUE, "Cost of revenue"),
        (Line.REVENUE, "Deferred revenue"),
        (Line.CURRENT_ASSETS, "Total non-current assets"),
        (Line.SECURITIES, "Long-term investments"),
        (Line.OPERATING_INCOME, "Other operating income"),
        (Line.CAPITAL_SPENDING, "Proceeds from sale of property and equipment"),
    ],
)
def test_other_lines(line: Line, label: str) -> None:
    assert not line.labels(label)


def test_figures_and_lines_that_a_question_names() -> None:
    assert [one.name for one in formulas_for("FCF of 2020")] == ["Free cash flow"]
    assert formulas_for("What is a ratio?") == []
    assert is_figure_itself("What was the free cash flow?", "Free cash flow")
    assert not is_figure_itself("What was the free cash flow?", "Net cash provided by operating activities")
    assert changing_line("How much did BXP's top line grow?") is Line.REVENUE
    assert changing_line("How much did iPhone revenue grow?") is None


def test_an_answer_gives_the_computed_figure_with_its_rows() -> None:
    question = "What was the current ratio at December 31, 2022?"
    found = compose(PromptContext((page(1, BALANCE), page(2, INCOME)), 1.0, question=question))
    assert found[0].plain == "Current ratio · December 31, 2022: 2.00 = $1,000 million ÷ $500 million"


def test_a_figure_that_a_report_has_is_not_computed() -> None:
    rows = (*CASH_FLOWS, ("Free cash flow", "499.0", "410.0"))
    question = "What was the free cash flow in 2022?"
    found = compose(PromptContext((page(1, rows),), 1.0, question=question))
    assert found[0].line == "Free cash flow · December 31, 2022: **$499.0 million**"


SPENT = (
    ("Depreciation", "90", "80"),
    ("Payments for acquisition of property", "(140.2)", "(90.0)"),
    ("Repurchases of common stock", "(55)", "(45)"),
    ("Research and development expenses", "31", "29"),
)


@pytest.mark.parametrize(
    ("question", "line"),
    [
        (
            "How much did it sink into capex in 2021?",
            "Payments for acquisition of property · December 31, 2021: **$90.0 million**",
        ),
        (
            "What were the share buybacks in 2022?",
            "Repurchases of common stock · December 31, 2022: **$55 million**",
        ),
        (
            "How much was put into R&D?",
            "Research and development expenses · December 31, 2022: **$31 million**",
        ),
    ],
)
def test_a_line_that_is_called_otherwise_is_stated_as_it_is(question: str, line: str) -> None:
    assert lines(question, page(2, SPENT)) == [line]


@pytest.mark.parametrize(
    "question",
    [
        "How much capex is planned for next year?",
        "Did capex exceed depreciation?",
        "What was capex as a percentage of sales?",
        "What was the capex of the southern segment in 2022?",
        "What was the capex in 2019?",
    ],
)
def test_another_figure_than_the_line_is_not_stated(question: str) -> None:
    assert lines(question, page(2, SPENT)) == []


def test_what_a_figure_is_made_of_does_not_stand_for_it() -> None:
    first, *_ = lines("What is the free cash flow, cash from operations less capex?", page(4, CASH_FLOWS))
    assert first.startswith("Free cash flow · December 31, 2022: **$500.3 million**")
