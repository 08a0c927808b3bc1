"""A part's share of a total, "What share of revenue came from the iPhone?", from two rows of one table."""

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from ingestion.tables.periods import asked_years
from ingestion.tables.table import Row, Table
from ingestion.text.stopwords import stopwords_of
from rag_app.answering.answers import Evidence
from rag_app.answering.evidence.question_terms import is_form
from rag_app.answering.quoting.computing.formulas import Line
from rag_app.answering.quoting.computing.report_cells import ReportCell, asked_column, report_rows
from rag_app.answering.quoting.lines import Quotation
from rag_app.answering.quoting.quotable_tables import label_of

_SHARE = r"(?:share|part|portion|proportion|percentage|percent|per cent|fraction)"
_IS_FROM = (
    r"(?:came|comes|come|was|were|is|are) (?:from|made up (?:of|by)|generated (?:by|in|from)|"
    r"earned (?:by|in|from)|attributable to|due to|represented by|in|by)|(?:consisted|consists) of|"
    r"was|were|is|are"
)
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"\bwhat {_SHARE} of (?P<whole>.+?) (?:did|do|does) (?P<part>.+?) (?:make up|account for|contribute|"
        r"represent|bring in|generate)\b",
        rf"\bwhat {_SHARE} of (?P<whole>.+?) (?:did|do|does) (?:.+? )?(?:come|stem|derive) from (?P<part>.+)",
        rf"\bwhat {_SHARE} of (?P<whole>.+?) (?:{_IS_FROM}) (?P<part>.+)",
        rf"\bwhat {_SHARE} did (?P<part>.+?) (?:make up|account for|contribute to|represent) "
        r"of (?P<whole>.+)",
        r"\b(?:what (?:is|was|are|were)|how much (?:is|was|are|were)) (?P<part>[^,;:]+?),?(?: expressed)? "
        rf"as an? {_SHARE} of (?P<whole>.+)",
    )
)
# What a part is called by: "the value of the maintenance revenue".
_VALUE_OF = re.compile(
    r"^(?:the )?(?:(?:total |fair |carrying )*(?:values?|amounts?|proportion|percentage|share)) of (?:the )?",
    re.IGNORECASE,
)
# A time, at the end of what is asked for or before it.
_TIME = re.compile(
    r"\s+(?:in|for|during|over|at|as of|of)\s+(?:the\s+)?(?:(?:first|second|third|fourth|last|full|three|six|"
    r"nine|twelve|fiscal|financial|quarter|year|q[1-4]|h[12]|fy|cy)\b|(?:fy|q[1-4])?\s?(?:19|20)\d\d|"
    r"end of).*$|(?<=the )(?:19|20)\d\d |^(?:19|20)\d\d |(?<=['’]s )(?:19|20)\d\d ",
    re.IGNORECASE,
)
_REVENUE = re.compile(r"\b(?:revenues?|sales|turnover|top line)\b", re.IGNORECASE)
_TOTALS = (Line.REVENUE, Line.NET_REVENUE)
# Of a part of the company, the total is another row.
_OF_A_PART = re.compile(r"\b(?:segments?|divisions?|business|unit|region)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_OWNER = re.compile(r"\b[\w&.-]+(?:['’]s|s['’](?=\s))")


@dataclass(frozen=True, slots=True)
class AskedShare:
    """A question's part and whole, without the time that it asks for.

    Attributes:
        part: The words that name it.
    """

    part: frozenset[str]
    whole: str


def asked_share(question: str) -> AskedShare | None:
    """Return the part and the whole that a question asks for; None for any other question."""
    asked = " ".join(question.split()).rstrip(" ?.!")
    match = next((found for form in _FORMS if (found := form.search(asked))), None)
    if match is None:
        return None
    part, whole = (_TIME.sub("", _VALUE_OF.sub("", match[name])).strip(" ,") for name in ("part", "whole"))
    own = _words(_OWNER.sub("", part)) or _words(part)
    own = own - _words(whole) or own  # of "revenue from Canada" as a share of revenue: "Canada"
    return AskedShare(frozenset(own), whole) if own and whole else None


def share(question: str, evidence: Sequence[Evidence]) -> list[Quotation]:
    """Return lines with the share that a question asks for; nothing where it asks for none.

    Args:
        evidence: Of the document that answers best, the best passage first.
    """
    asked = asked_share(question)
    if asked is None or _OF_A_PART.search(asked.whole) or len(asked_years(question)) > 1:
        return []
    for rows in _tables(evidence):
        parts = [one for one in rows if _has(label_of(one[2])[0], asked.part)]
        wholes = [one for one in rows if _is_whole(asked.whole, label_of(one[2])[0])]
        if not parts or not wholes:
            continue
        fewest = min(len(_words(label_of(row)[0])) for _, _, row in parts)
        nearest = [one for one in parts if len(_words(label_of(one[2])[0])) == fewest]
        of, total = _cell(question, nearest[0]), _cell(question, wholes[-1])
        if len(nearest) == 1 and of and total and _is_part(of, total):
            return _lines(of, total)
    return []


def _lines(of: ReportCell, total: ReportCell) -> list[Quotation]:
    percent = f"{100 * of.value / total.value:.1f}%"
    told = f"{of.label} as a share of {_lower(total.label)} · {of.period}"
    return [
        of.quotation(f"{told}: **{percent}** = {of.shown} ÷ {total.shown}"),
        *(one.quotation(f"{one.label} · {one.period}: {one.shown}") for one in (of, total)),
    ]


def _lower(label: str) -> str:
    """Return a label as it stands within a sentence."""
    return label.lower() if label.isupper() else f"{label[:1].lower()}{label[1:]}"


def _tables(evidence: Sequence[Evidence]) -> Iterator[list[tuple[Evidence, Table, Row]]]:
    """Yield the rows of each table."""
    tables: dict[tuple[int, int], list[tuple[Evidence, Table, Row]]] = {}
    for item, table, row in report_rows(evidence):
        tables.setdefault((item.hit.chunk.page, table.number), []).append((item, table, row))
    yield from tables.values()


def _cell(question: str, place: tuple[Evidence, Table, Row]) -> ReportCell | None:
    column = asked_column(question, place[1], place[2])
    return ReportCell(*place, column) if column is not None else None


def _is_part(of: ReportCell, total: ReportCell) -> bool:
    """Return whether a figure may be part of another: of the same time and unit, not larger."""
    same = (of.period, of.unit) == (total.period, total.unit)
    return same and "%" not in of.shown + total.shown and 0 < of.value < total.value


def _is_whole(whole: str, label: str) -> bool:
    if _REVENUE.search(whole):
        return any(line.labels(label) for line in _TOTALS)
    words = _words(_OWNER.sub("", whole))
    return label.casefold().startswith("total") and bool(words) and _has(label, words)


def _has(label: str, words: Set[str]) -> bool:
    """Return whether a label has all words, in some form."""
    held = _words(label)
    return all(any(is_form(one, word) for one in held) for word in words)


def _words(text: str) -> set[str]:
    """Return the words of content of a text; "e-commerce" is one word."""
    joined = re.sub(r"\b(\w)[-‐](?=\w)", r"\1", text.casefold())
    return {word for word in _WORD.findall(joined) if word not in stopwords_of("en") and word != "total"}
