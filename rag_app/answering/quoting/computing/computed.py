"""Lines of an answer with a figure that is computed from rows of tables, each of which is cited.

A figure is computed only where every line that it needs is found in one document, in one column of the time
that is asked for. Otherwise nothing is said, and the rows are quoted like any others.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from ingestion.tables.cells import unit_of_cell, value_of
from ingestion.tables.periods import asked_years, with_year
from ingestion.tables.table import Row, Table
from rag_app.answering.answers import Evidence
from rag_app.answering.quoting.computing.formulas import (
    Form,
    Formula,
    Line,
    Term,
    changing_line,
    formulas_for,
)
from rag_app.answering.quoting.computing.report_cells import ReportCell, asked_column, report_rows
from rag_app.answering.quoting.lines import Quotation
from rag_app.answering.quoting.quotable_tables import label_of

_DAYS = 365
# Of two tables, one may have thousands and the other billions with two digits.
_ROUNDED = 0.01
_AVERAGE = re.compile(r"\baverage\b", re.IGNORECASE)
# What asks for a reason, for a change of the figure or for a plan is not answered by the figure.
_ASKS_MORE = re.compile(
    r"^\W*(?:why|how come|do|does|did|is|are|was|were)\b|\b(?:plan|expect|guid|forecast|budget|outlook|drove|"
    r"driver|reason|explain|grow|grew|growth|shr[aiu]nk|rise|rose|drop|fell|fall|increase|decrease|change|improv)\w*",
    re.IGNORECASE,
)
_GROWS = re.compile(
    r"\b(?:grow|grew|growth|rise|rose|increase|decrease|decline|drop|fell|fall|shr[aiu]nk|change)[sd]?\b",
    re.IGNORECASE,
)
_HOW_MUCH = re.compile(
    r"\bhow (?:much|far|fast|strongly)\b|\brate\b|\bper ?cent|%|\bchange in\b|\bgrowth\b", re.IGNORECASE
)
_YEAR_BEFORE = re.compile(
    r"\b(?:year|period)[- ](?:over[- ]year|on[- ]year|before|earlier)\b|\byoy\b|"
    r"\b(?:prior|previous|preceding) year\b|\bover the (?:fiscal )?year\b",
    re.IGNORECASE,
)


def computed(question: str, evidence: Sequence[Evidence]) -> list[Quotation]:
    """Return lines with the figure that a question names, computed from evidence of one document.

    Args:
        evidence: Of the document that answers best, the best passage first.
    """
    if _ASKS_MORE.search(question):
        return []
    rows = list(report_rows(evidence))
    years = sorted(asked_years(question), reverse=True)
    if len(years) > 1 and _AVERAGE.search(question):  # "between 2021 and 2022"
        question, years = with_year(question, years[0]), years[:1]
    for formula in formulas_for(question):
        if len(years) < 2:
            found = _found(question, formula, rows)
            lines = _lines(question, formula, found) if found else []
        else:  # of each year the figure alone
            asked = [with_year(question, year) for year in years]
            every = [_lines(one, formula, found) for one in asked if (found := _found(one, formula, rows))]
            lines = [some[0] for some in every if some] if len(every) == len(years) else []
        if lines:
            return lines
    return []


def is_figure_itself(question: str, label: str) -> bool:
    """Return whether a row's label is that of the figure that a question names: nothing is to be computed."""
    return any(re.search(one.asked, label, re.IGNORECASE) for one in formulas_for(question))


def growth(question: str, evidence: Sequence[Evidence]) -> list[Quotation]:
    """Return a line with the change of a company's figure between two years; nothing where none is asked for.

    Args:
        evidence: Of the document that answers best, the best passage first.
    """
    years = sorted(map(int, asked_years(question)))
    line = changing_line(question) if _GROWS.search(question) and _HOW_MUCH.search(question) else None
    if line is None or not years or (len(years) == 1 and not _YEAR_BEFORE.search(question)):
        return []
    last = years[-1]
    first = years[0] if len(years) > 1 else last - 1
    every = list(report_rows(evidence))
    whole = _of_a_company(every)
    rows: dict[tuple[int, int], tuple[Evidence, Table, Row]] = {}
    for item, table, row in every:
        place, label = (item.hit.chunk.page, table.number), label_of(row)[0]
        if not line.labels(label) or (line.is_of_income and place not in whole):
            continue
        if place not in rows or _rank(question, label) > _rank(question, label_of(rows[place][2])[0]):
            rows[place] = item, table, row
    for item, table, row in rows.values():
        columns = [asked_column(with_year(question, str(year)), table, row) for year in (first, last)]
        before, after = (ReportCell(item, table, row, one) if one is not None else None for one in columns)
        if before and after and before.value and (before.year, after.year) == (first, last):
            share = f"{100 * (after.value - before.value) / abs(before.value):+,.1f}%".replace("-", "−")
            amount = _shown(Form.AMOUNT, after.value - before.value, after)
            told = f"{before.period}: {before.shown}; {after.period}: {after.shown}"
            return [after.quotation(f"{after.label} · {told}: **{share}** ({amount})")]
    return []


def _found(
    question: str, formula: Formula, rows: Sequence[tuple[Evidence, Table, Row]]
) -> dict[Line, ReportCell]:
    """Return the cell of each of a formula's lines, from the table that has most of them; else nothing."""
    cells: dict[tuple[int, int], dict[Line, ReportCell]] = {}
    for item, table, row in rows:
        label = label_of(row)[0]
        of_table = cells.setdefault((item.hit.chunk.page, table.number), {})
        for term in formula.terms:
            known = of_table.get(term.line)
            if not term.line.labels(label) or (
                known and _rank(question, known.label) >= _rank(question, label)
            ):
                continue
            column = asked_column(question, table, row)
            if column is not None:
                of_table[term.line] = ReportCell(item, table, row, column)
    whole = _of_a_company(rows)
    found: dict[Line, ReportCell] = {}
    for place, of_table in sorted(cells.items(), key=lambda one: -len(one[1])):
        if formula.is_of_one_table and len(of_table) < len(formula.terms):
            continue
        sure = {line: cell for line, cell in of_table.items() if place in whole or not line.is_of_income}
        if any(_contradict(cell, sure.get(line)) for line, cell in found.items()):
            return {}
        found = {**sure, **found}
    needed = {term.line for term in formula.terms if not term.is_optional}
    years = {one.year for one in found.values()}
    return found if needed <= found.keys() and len(years) == 1 and 0 not in years else {}


def _of_a_company(rows: Sequence[tuple[Evidence, Table, Row]]) -> set[tuple[int, int]]:
    """Return the pages and numbers of tables whose income is the company's.

    A segment has revenue too; a table that has net income, for several periods, is of the whole.
    """
    return {
        (item.hit.chunk.page, table.number)
        for item, table, row in rows
        if Line.NET_INCOME.labels(label_of(row)[0]) and len(table.columns) > 1
    }


def _contradict(one: ReportCell, other: ReportCell | None) -> bool:
    """Return whether two tables give different amounts for a line; rounding aside."""
    return other is not None and abs(one.value - other.value) > _ROUNDED * max(
        abs(one.value), abs(other.value)
    )


def _rank(question: str, label: str) -> tuple[bool, bool]:
    """Return how well a label of a line fits: "net sales" where the question has these words; a total."""
    return label.casefold() in question.casefold(), label.casefold().startswith("total")


def _lines(question: str, formula: Formula, found: dict[Line, ReportCell]) -> list[Quotation]:
    terms = [term for term in formula.terms if term.line in found]
    averages = bool(_AVERAGE.search(question))
    before = {term.line: _before(found[term.line]) for term in terms if term.is_averaged and averages}
    if None in before.values():
        return []

    def value(term: Term) -> float:
        cell = found[term.line]
        own = abs(cell.value) if term.is_spent else cell.value
        former = before.get(term.line)
        return term.sign * ((own + former.value) / 2 if former else own)

    above, below = ([term for term in side if term.line in found] for side in (formula.above, formula.below))
    divisor = sum(map(value, below)) if below else 1.0
    if not divisor:
        return []
    first = found[terms[0].line]
    if len(terms) == 1 and formula.form is Form.AMOUNT:  # nothing is computed: the line is called otherwise
        return [first.quotation(f"{first.label} · {first.period}: **{_bare(first.shown)}**")]
    shown = _shown(formula.form, sum(map(value, above)) / divisor, first)
    sums = [
        _sum([(term, found[term.line], before.get(term.line)) for term in side]) for side in (above, below)
    ]
    is_sum = [formula.form is not Form.AMOUNT and (" + " in one or " − " in one) for one in sums]
    working = " ÷ ".join(f"({one})" if many else one for one, many in zip(sums, is_sum, strict=True) if one)
    working += f" × {_DAYS}" if formula.form is Form.DAYS else ""
    lines = [first.quotation(f"{formula.name} · {first.period}: **{shown}** = {working}")]
    for line in dict.fromkeys(term.line for term in terms):
        cells = (found[line], before.get(line))
        lines += [one.quotation(f"{one.label} · {one.period}: {one.shown}") for one in cells if one]
    return lines


def _before(cell: ReportCell) -> ReportCell | None:
    """Return the cell of the year before in the same row; None without one."""
    for column in range(len(cell.row.cells)):
        other = replace(cell, column=column)
        if value_of(cell.row, column) is not None and other.year == cell.year - 1:
            return other
    return None


def _sum(terms: Sequence[tuple[Term, ReportCell, ReportCell | None]]) -> str:
    """Return a sum as it is computed: "$2,398 million + $280 million"."""
    text = ""
    for term, cell, former in terms:
        own = _bare(cell.shown) if term.is_spent else cell.shown
        own = f"average of {own} and {former.shown}" if former else own
        text += (" + " if term.sign > 0 else " − ") + own
    return text.removeprefix(" + ")


def _bare(amount: str) -> str:
    """Return an amount that is spent without the brackets that make it negative."""
    return amount.strip("()").replace("$(", "$").replace(")", "")


def _shown(form: Form, value: float, like: ReportCell) -> str:
    if form is Form.PERCENT:
        return f"{100 * value:.1f}%"
    if form is Form.RATIO:
        return f"{value:.2f}"
    if form is Form.DAYS:
        return f"{_DAYS * value:.1f} days"
    unit = unit_of_cell(like.table, like.row, like.column)
    digits = re.search(r"\d\.(\d+)", like.shown)
    amount = f"{abs(value) / like.scale:,.{len(digits[1]) if digits else 0}f}"
    sign = "−" if value < 0 else ""
    return f"{sign}{like.table.currency}{amount}{f' {unit}' if unit else ''}"
