"""Rows of tables whose label a question names: "Free cash flow" in "What was the free cash flow?"."""

import re
from collections.abc import Sequence

from ingestion.tables.cells import period_of_cell, row_at
from ingestion.tables.periods import PERIOD_YEAR, asked_years
from ingestion.tables.table import Row, Table, without_note
from ingestion.text.stopwords import stopwords_of
from rag_app.answering.answers import PassageWindow
from rag_app.answering.questions.answer_types import AnswerType
from rag_app.answering.quoting.quotable_tables import label_of
from rag_app.answering.quoting.rows import parse_row
from rag_app.answering.quoting.statements import Statement, StatementKind

# A label of one word, such as "Total", is in many questions that mean something else.
_LEAST_WORDS = 2
# Of a label's words that a question in the glossary's words has: other words stand there too.
_MOSTLY = 0.6
# Added to the number of words where the question itself has all of a label's.
IN_FULL = 100
# The same, where it has all words of a label's first part.
_IN_PART = 50
_LEAST_YEARS = 2
_KINDS = frozenset({AnswerType.FIGURE, AnswerType.HOW_MANY})


def named_words(
    question: str, forms: Sequence[str], asked: AnswerType, window: PassageWindow, one: Statement
) -> int:
    """Return how well a question names a row: by words and IN_FULL, or by the glossary's; 0 for not at all.

    Args:
        question: As it was asked.
        forms: The same in the glossary's words, of which a label may say more.
        asked: The type of answer.
        window: What stands around the statement.
        one: The statement; of another kind than a row it counts 0.
    """
    if one.kind is not StatementKind.ROW or asked not in _KINDS:
        return 0
    placed = row_at(window.tables, window.start + one.start, window.start + one.end)
    if placed is not None and not _has_year(question, *placed):
        return 0
    parsed = parse_row(one.text)
    label = label_of(placed[1])[0] if placed is not None else parsed.label if parsed is not None else ""
    label = re.sub(r"\([^)]*\)", " ", without_note(label))
    own, words = content_words(question), content_words(label)
    # "Adjusted EBITDA, EBIT and net income": a row of several figures, each in a column of its own.
    for named, rank in ((words, IN_FULL), (content_words(label.split(",")[0]), _IN_PART)):
        if len(named) >= _LEAST_WORDS and named <= own:
            return rank + len(named)
    if len(words) < _LEAST_WORDS:
        return 0
    for form in forms:
        named = words & content_words(form)
        if len(named) > _LEAST_WORDS and len(named) >= _MOSTLY * len(words) and named - own:
            return len(named)
    return 0


def has_years(question: str, window: PassageWindow, one: Statement) -> bool:
    """Return whether a statement is a row with a cell for each of the years, two or more, that are asked for.

    Such a row answers however the question asks: "Did it rise from 2021 to 2022?".
    """
    years = asked_years(question)
    if one.kind is not StatementKind.ROW or len(years) < _LEAST_YEARS:
        return False
    placed = row_at(window.tables, window.start + one.start, window.start + one.end)
    return placed is not None and years <= _years_of(*placed)


def _years_of(table: Table, row: Row) -> set[str]:
    columns = [column for column, cell in enumerate(row.cells) if cell is not None]
    return {year for column in columns for year in PERIOD_YEAR.findall(period_of_cell(table, row, column))}


def _has_year(question: str, table: Table, row: Row) -> bool:
    """Return whether a row has a cell of a year that the question names; so it is where it names none."""
    years = asked_years(question)
    periods = [period_of_cell(table, row, column) for column in range(len(row.cells))]
    known = {year for period in periods for year in PERIOD_YEAR.findall(period)}
    return not years or not known or bool(years & known)


def content_words(text: str) -> frozenset[str]:
    """Return a text's content words, without the s of a plural."""
    found = re.findall(r"[^\W\d_]{2,}", text.casefold())
    return frozenset(word.removesuffix("s") for word in found if word not in stopwords_of("en"))
