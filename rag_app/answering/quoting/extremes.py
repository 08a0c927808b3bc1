"""The row of a table that has the most, or the least, of what a question asks for.

"Who got the most votes against?" is answered by one row of the column "Votes Against". Nothing is said of a
table whose column is not certain, or whose rows are not of one kind.
"""

import re
from collections.abc import Sequence

from ingestion.tables.cells import row_at, value_of
from ingestion.tables.periods import PERIOD_YEAR, asked_years
from ingestion.tables.table import Row, Table
from rag_app.answering.answers import PassageWindow
from rag_app.answering.quoting.asked_rows import content_words
from rag_app.answering.quoting.quotable_tables import label_of, names_columns
from rag_app.answering.quoting.statements import Statement, StatementKind

_MOST = re.compile(
    r"(?<!at )\b(?:the|had|has|have|got|received|with) (?:most|highest|largest|greatest|biggest|longest)\s+"
    r"(?!recent|important|likely|common|of\b)(?P<measure>[\w'’-]+)",
    re.IGNORECASE,
)
_LEAST = re.compile(
    r"(?<!at )\b(?:the|had|has|have|got|received|with) (?:fewest|least|lowest|smallest|shortest)\s+"
    r"(?!recent|important|likely|common|of\b)(?P<measure>[\w'’-]+)",
    re.IGNORECASE,
)
# A sum over other rows, or a figure made of them.
_SUM = re.compile(r"\b(?:sub)?totals?\b|\baverage\b|\bnet\b|\ball\b|\boverall\b|\bother\b", re.IGNORECASE)
_LEAST_ROWS = 3


def is_extreme(question: str, window: PassageWindow, one: Statement) -> bool:
    """Return whether a statement is the row with the most or the least, where a question asks for that."""
    most, least = _MOST.search(question), _LEAST.search(question)
    asked = most or least
    if asked is None or (most and least) or one.kind is not StatementKind.ROW:
        return False
    placed = row_at(window.tables, window.start + one.start, window.start + one.end)
    if placed is None or not names_columns(placed[0]):
        return False
    table, row = placed
    column = _column(question, table, row, asked["measure"])
    return column is not None and _extreme(table, row, column, sign=1.0 if most else -1.0) is row


def _column(question: str, table: Table, row: Row, measure: str) -> int | None:
    """Return the one column whose figures are asked for; None where it is not certain."""
    said, years = _words(question), asked_years(question)
    named: list[int] = []
    dated: list[int] = []
    for place, column in enumerate(table.columns):
        words = _words(PERIOD_YEAR.sub(" ", column.head))
        if words and words <= said:
            named.append(place)
        if years & set(PERIOD_YEAR.findall(f"{column.head} {column.period}")):
            dated.append(place)
    found = [place for place in named if place in dated] or named or dated
    if len(found) != 1:
        return None
    about = " ".join((table.columns[found[0]].head, table.title, table.label_head, *row.section))
    return found[0] if content_words(measure) & content_words(about) else None


def _extreme(table: Table, of: Row, column: int, *, sign: float) -> Row | None:
    """Return the row with the most (`sign` 1) or the least (-1) among those beside a row; None for a draw."""
    beside = [
        (sign * value, row)
        for row in table.rows
        if row.section == of.section
        and not _SUM.search(label_of(row)[0])
        and any(map(str.isalpha, label_of(row)[0]))
        and (value := value_of(row, column)) is not None
    ]
    if len(beside) < _LEAST_ROWS:
        return None
    best = max(value for value, _ in beside)
    winners: Sequence[Row] = [row for value, row in beside if value == best]
    return winners[0] if len(winners) == 1 else None


def _words(text: str) -> set[str]:
    """Return all words, without the s of a plural: "For" and "Against" tell columns apart."""
    return {word.removesuffix("s") for word in re.findall(r"[^\W\d_]+", text.casefold())}
