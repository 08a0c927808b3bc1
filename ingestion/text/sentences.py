"""Sentences of a page, as character spans: the unit that chunks are built of and answers quote.

Pages mix prose, whose lines break anywhere, with table rows, headings and list items, whose lines are units.
No sentence library that keeps offsets tells these apart, so the rules are here.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

# Words whose full stop does not end a sentence. Lower case, without the stop.
_ABBREVIATIONS = frozenset(
    re.findall(
        r"\S+",
        """mr mrs ms dr prof sr jr st vs etc e.g i.e cf al fig figs eq eqs no nos vol pp approx inc ltd co
        corp u.s u.k jan feb mar apr jun jul aug sep sept oct nov dec dept est sec ch art ref refs resp
        abs bspw bzw ca evtl ff ggf inkl insb nr sog str tel u.a vgl z.b zzgl d.h e.v núm pág sra p.ex""",
    )
)
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*(?=\s+[\"'“‘(\[]*[A-Z0-9À-ÖØ-Þ•–-])|[。！？]")
# "z. B.", "e. V.": a small letter before another letter and its stop.
_SPACED = re.compile(r"\b[a-z]$")
_LETTER_NEXT = re.compile(r"\s{1,2}[A-Za-z]\.")
_LAST_WORD = re.compile(r"([\w.&]+)$")
_NUMBER = re.compile(r"^[($€£¥+\-–—]*\d[\d.,:%)]*$|^[-–—]$")
_LIST_ITEM = re.compile(r"\s*(?:[•▪◦●○‣·*]|[-–—]\s|\(?\d{1,3}[.)]\s|\(?[a-zA-Z][.)]\s)")
_PARAGRAPH_BREAK = re.compile(r"\n[ \t]*\n\s*|\f")

# A line shorter than this share of the page's long lines ends a unit.
_SHORT_LINE_SHARE = 0.6
# Rows of a table: at least this share of their words are numbers.
_NUMBER_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class SentenceSpan:
    """Characters `start` to `end` of a page. `paragraph` counts from 0 on its page."""

    start: int
    end: int
    paragraph: int


def sentence_spans(text: str) -> list[SentenceSpan]:
    """Return the spans of the sentences, rows and headings of `text`, in order and without overlap.

    Each span starts and ends on a character that is not white space; every such character of the
    text lies in exactly one span.
    """
    spans: list[SentenceSpan] = []
    for number, (start, end) in enumerate(_paragraphs(text)):
        cuts = sorted({start, end, *_sentence_cuts(text, start, end), *_line_cuts(text, start, end)})
        for left, right in pairwise(cuts):
            stripped = _strip(text, left, right)
            if stripped:
                spans.append(SentenceSpan(*stripped, paragraph=number))
    return spans


def _paragraphs(text: str) -> list[tuple[int, int]]:
    ends = [(match.start(), match.end()) for match in _PARAGRAPH_BREAK.finditer(text)]
    starts = [0, *(end for _, end in ends)]
    return list(zip(starts, [*(start for start, _ in ends), len(text)], strict=True))


def _sentence_cuts(text: str, start: int, end: int) -> list[int]:
    cuts = []
    for match in _SENTENCE_END.finditer(text, start, end):
        word = _LAST_WORD.search(text, max(start, match.start() - 20), match.start())
        if match.group()[0] == "." and word and _is_abbreviation(word.group(1)):
            continue
        if _SPACED.search(text, start, match.start()) and _LETTER_NEXT.match(text, match.end()):
            continue
        cuts.append(match.end())
    return cuts


def _is_abbreviation(word: str) -> bool:
    return word.lower() in _ABBREVIATIONS or (len(word) == 1 and word.isalpha() and word.isupper())


def _line_cuts(text: str, start: int, end: int) -> list[int]:
    """Line ends that end a unit: around table rows, before list items, after short lines."""
    lines: list[tuple[int, int]] = []
    position = start
    while position < end:
        stop = text.find("\n", position, end)
        stop = end if stop < 0 else stop
        lines.append((position, stop))
        position = stop + 1
    if len(lines) < 2:
        return []
    lengths = sorted(right - left for left, right in lines)
    long_line = lengths[int(0.9 * (len(lengths) - 1))]
    cuts = []
    for (left, right), (next_left, next_right) in pairwise(lines):
        line, following = text[left:right], text[next_left:next_right]
        if (
            right - left < _SHORT_LINE_SHARE * long_line
            or _is_row(line)
            or _is_row(following)
            or _LIST_ITEM.match(following)
        ):
            cuts.append(next_left)
    return cuts


def _is_row(line: str) -> bool:
    if " | " in line:  # as the parsers write a table's rows
        return True
    words = line.split()
    numbers = sum(bool(_NUMBER.match(word)) for word in words)
    return numbers >= 2 and numbers >= _NUMBER_SHARE * len(words)


def _strip(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None
