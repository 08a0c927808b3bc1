"""Rows of tables whose label a question names: "Free cash flow" in "What was the free cash flow?"."""

import re
from collections.abc import Sequence

from ingestion.tables.cells import period_of_cell, row_at
from ingestion.tables.periods import MONTH_DAY, PERIOD_YEAR, asked_years
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
# "How much payment volume did …?": the label may say more, "Gross payment volume (GPV)".
_HOW_MUCH = re.compile(
    r"\bhow (?:much|many) (?P<thing>(?:[\w'’&.-]+ ){1,5}?)"
    r"(?:did|do|does|was|were|is|are|has|have|had|will|would|can|could)\b",
    re.IGNORECASE,
)
_DATE, _UNTOLD, _YEAR = "date", "untold", "year"


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


# A length of time, as questions and as the heads of columns call it.
LENGTHS = (
    (
        "quarter",
        _words(r"\bquarter|\b(?:three months|q[1-4]|[1-4]q|1[2346] weeks|thirteen)\b"),
        _words(r"\bquarter|\b(?:q[1-4]|three months|1[2346] weeks|thirteen|twelve weeks|sixteen)\b"),
    ),
    (
        "half",
        _words(r"\b(?:six months|first half|second half|h[12]|2[4678] weeks)\b"),
        _words(r"\b(?:six months|h[12]|2[4678] weeks|twenty-six)\b"),
    ),
    (
        "nine months",
        _words(r"\b(?:nine months|3[69] weeks|40 weeks)\b"),
        _words(r"\b(?:nine months|3[69] weeks|40 weeks|thirty-nine)\b"),
    ),
    (
        _YEAR,
        _words(r"\byear\b|\bannual|\b(?:fiscal|fy\s?\d+)\b"),
        _words(r"\b(?:years?|twelve months|5[23] weeks|fy\W?\d+|fiscal)\b"),
    ),
)
_STRETCH = _words(r"\b(?:year (?:to|ended|ending)|full[- ]year|during|over|throughout)\b")
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
    return _of_label(question, label) or _of_label_in_part(question, forms, label)


def _of_label(question: str, label: str) -> int:
    """Return the number of a label's words and IN_FULL where the question has them all; else 0."""
    own, words = content_words(question), content_words(label)
    # "Adjusted EBITDA, EBIT and net income": a row of several figures, each in a column of its own.
    for named, rank in ((words, IN_FULL), (content_words(label.split(",", maxsplit=1)[0]), _IN_PART)):
        if len(named) >= _LEAST_WORDS and named <= own:
            return rank + len(named)
    return 0


def _of_label_in_part(question: str, forms: Sequence[str], label: str) -> int:
    """Return how many of a label's words a question has, itself or in the glossary's, if it has most."""
    own, words = content_words(question), content_words(label)
    if len(words) < _LEAST_WORDS:
        return 0
    thing = content_words(found["thing"]) if (found := _HOW_MUCH.search(question)) else frozenset()
    if len(thing) >= _LEAST_WORDS and thing <= words and len(thing) >= _MOSTLY * len(words):
        return len(thing)
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


def label_and_title(question: str, window: PassageWindow, one: Statement) -> tuple[str, bool]:
    """Return a row's label, and whether the question names the table or the section that it stands in.

    "Subscribers" below "Latin America" is another row than "Subscribers" below "Europe". "" for no row.
    """
    placed = None
    if one.kind is StatementKind.ROW:
        placed = row_at(window.tables, window.start + one.start, window.start + one.end)
    if placed is None:
        return "", False
    table, row = placed
    own = content_words(question)
    above = [content_words(re.sub(r"\([^)]*\)", " ", text)) for text in (table.title, *row.section)]
    return without_note(label_of(row)[0]).casefold(), any(words and words <= own for words in above)


def fits_time(question: str, window: PassageWindow, one: Statement) -> int:
    """Return 1 for a row with a cell of the length of time that a question asks for, -1 for one without.

    0 where the question or the row does not tell: a column that is only called "2018" may be of any length.
    A date counts as another length for a question that tells of a stretch of time, "in the first quarter",
    but not for one that only names a year.
    """
    if one.kind is not StatementKind.ROW:
        return 0
    length = next((length for length, asked, _ in LENGTHS if asked.search(question)), "")
    placed = row_at(window.tables, window.start + one.start, window.start + one.end) if length else None
    if placed is None:
        return 0
    lengths = {_length_of(period) for period in _periods_of(question, *placed)}
    if length in lengths:
        return 1
    if not lengths or _UNTOLD in lengths:
        return 0
    is_date = lengths == {_DATE}
    return -1 if not is_date or length != _YEAR or _STRETCH.search(question) else 0


def _periods_of(question: str, table: Table, row: Row) -> list[str]:
    """Return the periods of a row's cells; of those of the years that a question names, if there are any."""
    columns = [column for column, cell in enumerate(row.cells) if cell is not None]
    periods = [period_of_cell(table, row, column) for column in columns]
    years = asked_years(question)
    return [one for one in periods if years & set(PERIOD_YEAR.findall(one))] or periods


def _length_of(period: str) -> str:
    found = next((length for length, _, head in LENGTHS if head.search(period)), "")
    return found or (_DATE if MONTH_DAY.search(period) else _UNTOLD)


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
