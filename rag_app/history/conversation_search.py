"""The search in conversations: by their titles, and by the text of questions and answers.

It reads every conversation: a person has thousands at most. An index of words would miss parts of words, and
hold text of deleted conversations.
"""

import re
import sqlite3
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

Spans = tuple[tuple[int, int], ...]

# A phrase in quotation marks, or a word.
_TERM = re.compile(r'["“”„]([^"“”„]*)["“”„]|(\S+)')
_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "ae", "Ö": "oe", "Ü": "ue"})
# Letters that Unicode takes for letters of their own, and marks that keyboards do not have.
_PLAIN = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "’": "'", "‘": "'"}
    | dict.fromkeys("‐‑‒–—−", "-")
)
# Characters of an excerpt, and of it before the first word found.
_EXCERPT, _BEFORE = 120, 30
_PIECES = """
    SELECT conversation, number, question, CASE WHEN json_valid(coalesce(record, partial))
        THEN json_extract(coalesce(record, partial), '$.text') END AS answer
    FROM turns ORDER BY conversation, number, shown DESC, variant
"""


@dataclass(frozen=True, slots=True)
class ConversationMatch:
    """Where a conversation has the words that were searched for.

    Attributes:
        title_spans: The characters of the title that are among them, as start and end.
        number: The number of the question that `text` is of, or whose answer; None: the title alone has them.
        text: An excerpt, on one line; "" for the title alone.
        spans: The characters of `text` that are among the words.
    """

    title_spans: Spans
    number: int | None = None
    text: str = ""
    spans: Spans = ()


@dataclass(frozen=True, slots=True)
class SearchTerm:
    """A word or phrase, as it is compared: in plain letters, and with its umlauts spelled out."""

    plain: str
    spelled: str

    def is_in(self, plain: str, spelled: str) -> bool:
        return self.plain in plain or self.spelled in spelled


def search_terms(words: str) -> list[SearchTerm]:
    """Return the words of a search, with "words in quotation marks" as one phrase."""
    # A quotation mark that is left begins a phrase which is still being typed.
    found = (" ".join((phrase or word.strip('"“”„')).split()) for phrase, word in _TERM.findall(words))
    return [SearchTerm(folded(term), folded(term, spelled=True)) for term in found if folded(term)]


def folded(text: str, *, spelled: bool = False) -> str:
    """Return text in small letters without accents; `spelled`: with ä, ö and ü as ae, oe and ue."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", (text.translate(_SPELLED_OUT) if spelled else text).casefold())
    return "".join(part for part in parts if not unicodedata.combining(part)).casefold().translate(_PLAIN)


def find_matches(connection: sqlite3.Connection, terms: Sequence[SearchTerm]) -> dict[str, ConversationMatch]:
    """Return by their ids the conversations that have every term, in any of their texts."""
    titles = dict(connection.execute("SELECT id, title FROM conversations").fetchall())
    found: dict[str, ConversationMatch] = {}
    for identity, turns in groupby(connection.execute(_PIECES), key=itemgetter("conversation")):
        if match := _match(titles.pop(identity, ""), _texts(turns), terms):
            found[identity] = match
    for identity, title in titles.items():  # of those without a question
        if match := _match(title, iter(()), terms):
            found[identity] = match
    return found


def _texts(turns: Iterator[sqlite3.Row]) -> Iterator[tuple[int, str]]:
    asked = 0
    for turn in turns:
        if turn["number"] != asked:
            asked = turn["number"]
            yield asked, turn["question"]
        if turn["answer"]:
            yield asked, turn["answer"]


def _match(
    title: str, texts: Iterator[tuple[int, str]], terms: Sequence[SearchTerm]
) -> ConversationMatch | None:
    missing = set(terms) - _terms_in(title, terms)
    best: tuple[int, str] | None = None
    most = 0
    for number, text in texts:
        has = _terms_in(text, terms)
        missing -= has
        if len(has) > most:
            best, most = (number, text), len(has)
    if missing:
        return None
    if best is None:
        return ConversationMatch(_spans(title, terms))
    number, text = best
    return ConversationMatch(_spans(title, terms), number, *_excerpt(text, terms))


def _terms_in(text: str, terms: Sequence[SearchTerm]) -> set[SearchTerm]:
    line = " ".join(text.split())
    plain, spelled = folded(line), folded(line, spelled=True)
    return {term for term in terms if term.is_in(plain, spelled)}


def _excerpt(text: str, terms: Sequence[SearchTerm]) -> tuple[str, Spans]:
    """Return the part of a text, on one line, that has the most words, and their places in it."""
    line = " ".join(text.split())
    spans = _spans(line, terms)
    first = max((start for start, _ in spans), key=lambda start: _words_from(line, spans, start))
    begin = first - _BEFORE if first > _BEFORE else 0
    if begin:
        begin = line.find(" ", begin, first) + 1 or begin
    end = len(line)
    if end > begin + _EXCERPT:
        end = max(
            line.rfind(" ", begin, begin + _EXCERPT), min(stop for start, stop in spans if start == first)
        )
    before, after = "…" if begin else "", "…" if end < len(line) else ""
    shift = len(before) - begin
    inside = tuple((start + shift, stop + shift) for start, stop in spans if start >= begin and stop <= end)
    return f"{before}{line[begin:end]}{after}", inside


def _words_from(line: str, spans: Spans, first: int) -> int:
    """Return how many different words an excerpt has whose first one begins at a place."""
    end = first + _EXCERPT - _BEFORE
    return len({folded(line[start:stop]) for start, stop in spans if start >= first and stop <= end})


def _spans(text: str, terms: Sequence[SearchTerm]) -> Spans:
    """Return the characters of a text that are of the terms, sorted, overlapping ones joined."""
    found: set[tuple[int, int]] = set()
    for spelled in (False, True):
        letters = [folded(letter, spelled=spelled) for letter in text]
        places = [place for place, letter in enumerate(letters) for _ in letter]
        line = "".join(letters)
        for term in {term.spelled if spelled else term.plain for term in terms}:
            found.update(
                (places[one.start()], places[one.end() - 1] + 1) for one in re.finditer(re.escape(term), line)
            )
    joined: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)
