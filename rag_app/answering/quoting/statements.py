"""Statements of a passage: whole sentences, list items, rows of tables and other lines, to be quoted.

A passage's lines break anywhere, and a chunk or a page may end within a sentence. A statement is joined over
all of these, and reads as one line; its characters are those on the page.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ingestion.text.sentences import sentence_spans
from rag_app.answering.answers import Evidence, PassageWindow
from rag_app.answering.quoting.quotable_tables import edges, is_row
from rag_app.answering.quoting.rows import Row, is_of_figures, parse_row


class StatementKind(Enum):
    SENTENCE = "sentence"
    ITEM = "item"
    ROW = "row"
    LINE = "line"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement at characters `start` to `end` of a window's text.

    Attributes:
        text: As it is read, on one line, with what stands on the page before or after.
        lead, tail: Its characters on the page before, and on the page after.
    """

    start: int
    end: int
    kind: StatementKind
    text: str
    lead: str = ""
    tail: str = ""


# A line that begins a list's item.
ITEM = re.compile(
    r"\s*(?:[•▪◦●○‣·*\ue000-\uf8ff➢►✓✔■□]|[-–—+]\s|o\s(?=\w)|\(?\d{1,3}[.)]\s|\(?[a-zA-Z][.)]\s|"
    r"\([ivxl]+\)\s|"
    r"[ivxl]+[.)]\s|\d{1,2}(?:\.\d{1,2})+\.?\s|§\s?\d+|(?:step|schritt|paso)\s+\d+\b)",
    re.IGNORECASE,
)
BULLET = re.compile(r"^[•▪◦●○‣·*\ue000-\uf8ff➢►✓✔■□\s]+(?=\S)|^[-–—+]\s+|^o\s+(?=\w)")
_BULLET_LINE = re.compile(r"\n(?=\s*[•▪◦●○‣\ue000-\uf8ff➢►✓✔■□]\s*\S)")
# "3." at the beginning of a line.
_NUMBER_LINE = re.compile(r"^[ \t]*(?P<open>\(?)(?P<number>\d{1,2})(?P<close>[.)])\s", re.MULTILINE)
# Where a form's next field begins a line.
_FIELD_LINE = re.compile(r"(?<![,;(-])\n(?=[A-Z][^.:!?\n]{1,45}:[ \t]+\S)")
# Where a line follows one that ends with a formula: "k = 60".
_FORMULA_LINE = re.compile(r"[=≤≥≈][ \t]*[\d.,/()]{1,12}[ \t]*\n(?=[A-Z][a-z]*\b)")
_NUMBER_ALONE = re.compile(
    r"\(?(?:\d{1,2}(?:\.\d{1,2})*[.)]|[a-zA-Z][.)])|(?:section|article|step|art\.|§)\s*\d+(?:\.\d+)*\.?",
    re.IGNORECASE,
)
_ENDS = re.compile(r"[.!?…。！？:;][\"'”’»)\]*_]*$")
# Such a word at the end of a line is not the last of a sentence.
_OPEN = re.compile(
    r"(?:[,&/(–—-]|\b(?:a|an|the|of|to|in|on|at|by|for|from|with|and|or|nor|but|that|which|who|as|is|"
    r"are|was|were|be|"
    r"been|has|have|had|not|than|its|their|our|your|his|her|this|these|those|into|per|under|over|"
    r"between|der|die|das|"
    r"des|dem|den|approximately|nearly|roughly|including|und|oder|von|zu|mit|für|im|ein|eine|de|la|le|les|et|ou|du|el|los|las|y|o|en|del|con|por))$",
    re.IGNORECASE,
)
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_HYPHENATED = re.compile(r"(\w{2,})[-‐\u00ad]\s*\n\s*([a-zß-öø-ÿ]\w*)")
_INNER_HYPHEN = re.compile(r"\b([^\W\d_]{2,})-([a-zß-öø-ÿ]{2,})\b")


def window_of(evidence: Evidence) -> PassageWindow:
    """Return what stands around a passage; the passage alone where that is not known."""
    chunk = evidence.hit.chunk
    return evidence.window or PassageWindow(chunk.text, chunk.start)


def statements(window: PassageWindow) -> list[Statement]:
    """Return a window's statements in order."""
    text, found = window.text, list[tuple[int, int]]()
    certain = sorted({*edges(window), *_numbered(text)})
    for start, end in _units(text, certain):
        if start not in certain and found and _goes_on(text, found[-1], (start, end)):
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    words = frozenset(re.findall(r"[^\W\d_]+", text.casefold()))
    last = len(found) - 1
    rows = [parse_row(readable(text[start:end])) for start, end in found]
    return [
        _statement(
            text[start:end],
            start,
            words,
            _is_in_table(rows, place) or is_row(window, start, end),
            _before(text[start:end], window.before) if place == 0 else "",
            _after(text[start:end], window.after) if place == last else "",
        )
        for place, (start, end) in enumerate(found)
    ]


def readable(text: str, words: frozenset[str] = frozenset()) -> str:
    """Return a text on one line, with words joined that a line's end divides.

    Args:
        words: Words near it, in lower case; a word that is hyphenated there but not here is joined.
    """

    def joined(match: re.Match[str]) -> str:
        whole = (match[1] + match[2]).casefold()
        return match[1] + match[2] if whole in words else match[0]

    divided = _HYPHENATED.sub(
        lambda match: (
            f"{match[1]}-{match[2]}"
            if f"{match[1]}-{match[2]}".casefold() in text.casefold().replace(match[0].casefold(), "")
            else match[1] + match[2]
        ),
        text,
    )
    return " ".join(_INNER_HYPHEN.sub(joined, divided).replace("\u00ad", "").split())


def is_open(text: str) -> bool:
    """Return whether a text stops within a sentence."""
    return not _ENDS.search(text) and _OPEN.search(text.rstrip('"”’»)')) is not None


def _units(text: str, certain: Sequence[int]) -> list[tuple[int, int]]:
    """Return the spans of sentences and lines, cut before bullets and at places that are certain."""
    found = []
    for span in sentence_spans(text):
        starts = {span.start, *(place for place in certain if span.start < place < span.end)}
        for line in (_BULLET_LINE, _FIELD_LINE, _FORMULA_LINE):
            breaks = line.finditer(text, span.start, span.end)
            starts |= {match.end() for match in breaks if not is_open(text[span.start : match.start()])}
        places = sorted(starts)
        for start, end in zip(places, [*places[1:], span.end], strict=True):
            whole = text[start:end]
            found.append((start + len(whole) - len(whole.lstrip()), start + len(whole.rstrip())))
    return [(start, end) for start, end in found if start < end]


def _numbered(text: str) -> set[int]:
    """Return where items of a numbered list begin: lines that begin with one number and the next."""
    marks = list(_NUMBER_LINE.finditer(text))
    return {
        mark.start("open")
        for one, next_ in itertools.pairwise(marks)
        if int(next_["number"]) == int(one["number"]) + 1
        and (one["open"], one["close"]) == (next_["open"], next_["close"])
        for mark in (one, next_)
    }


def _goes_on(text: str, before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Return whether a sentence goes on in the next unit: after a short line, or an abbreviation."""
    first, second = text[before[0] : before[1]], text[after[0] : after[1]]
    if _NUMBER_ALONE.fullmatch(first):
        return "\n" not in text[before[1] : after[0]] and not _NUMBER_ALONE.fullmatch(second)
    if _ENDS.search(first) or ITEM.match(second):
        return False
    last, following = first.rsplit("\n", 1)[-1], second.split("\n", 1)[0]
    if parse_row(last) is not None or parse_row(following) is not None or " | " in last:
        return False
    is_paragraph = _PARAGRAPH.search(text, before[1], after[0]) is not None
    if second[0].islower():
        return len(last.split()) > 2 or not is_paragraph
    return not is_paragraph and _OPEN.search(first) is not None


def _is_in_table(rows: Sequence[Row | None], place: int) -> bool:
    """Return whether a statement is a row: "Bill 12 34" is one only between other rows."""
    row = rows[place]
    if row is None:
        return False
    beside = rows[max(0, place - 1) : place + 2]
    return not row.places or is_of_figures(row) or sum(one is not None for one in beside) > 1


def _statement(raw: str, start: int, words: frozenset[str], is_row: bool, lead: str, tail: str) -> Statement:
    text = readable(f"{lead}\n{raw}\n{tail}".strip(), words)
    if is_row:
        kind = StatementKind.ROW
    elif ITEM.match(raw):
        kind = StatementKind.ITEM
    elif _ENDS.search(text) and not text.endswith((":", ";")):
        kind = StatementKind.SENTENCE
    else:
        kind = StatementKind.LINE
    return Statement(start, start + len(raw), kind, text, lead, tail)


def _before(text: str, page_before: str) -> str:
    """Return the beginning of a page's first sentence, on the page before; mostly nothing."""
    if not page_before or not text[0].islower():
        return ""
    begun = _last(page_before)
    return begun if begun and not _ENDS.search(begun) and parse_row(begun) is None else ""


def _after(text: str, page_after: str) -> str:
    """Return the end of a page's last sentence, on the page after; mostly nothing."""
    if not page_after or _ENDS.search(text) or parse_row(readable(text)) is not None:
        return ""
    spans = sentence_spans(page_after)
    rest = page_after[spans[0].start : spans[0].end] if spans else ""
    goes_on = rest and not ITEM.match(rest) and (rest[0].islower() or is_open(text))
    return rest if goes_on and _ENDS.search(rest) else ""


def _last(text: str) -> str:
    spans = sentence_spans(text)
    return text[spans[-1].start : spans[-1].end] if spans else ""


def inside(found: Sequence[Statement], start: int, end: int) -> list[int]:
    """Return the places of the statements that overlap characters `start` to `end`."""
    return [place for place, one in enumerate(found) if one.start < end and start < one.end]
