"""Joins a page's own text with the text recognised on it."""

from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from ingestion.documents import Page
from ingestion.parsing.geometry.added_lines import joined
from ingestion.parsing.geometry.places import Place
from ingestion.parsing.ocr.unread_text import PlacedLetter

ALIKE = 0.6  # difflib's ratio; recognition mistakes at most one letter in three
ROW = 4.0  # points; letters are indexed by rows of this height


def with_recognised(page: Page, recognised: Page, letters: Sequence[PlacedLetter]) -> Page:
    """The page with the recognised text above or below its own text, in the order in which they are seen.

    Args:
        page: As read from the file.
        recognised: The recognised text with the places of its words, from a drawing without the page's own
            visible text.
        letters: Of the page's own text.
    """
    found = _without_known(recognised, letters)
    if not found.text.strip() or found.layout is None:
        return page
    own = sorted((letter.place[1] + letter.place[3]) / 2 for letter in letters)
    seen = sorted((word[3] + word[5]) / 2 for word in found.layout.words)
    if own and seen and own[0] > seen[-1]:
        return replace(joined(found, page), label=page.label)
    return joined(page, found)


def _without_known(recognised: Page, letters: Sequence[PlacedLetter]) -> Page:
    """The recognised text without words that invisible letters of the page have in the same place."""
    hidden = [letter for letter in letters if not letter.visible]
    layout = recognised.layout
    if not hidden or layout is None:
        return recognised
    rows: dict[int, list[PlacedLetter]] = {}
    for letter in hidden:
        for row in range(int(letter.place[1] / ROW), int(letter.place[3] / ROW) + 1):
            rows.setdefault(row, []).append(letter)
    text: list[str] = []
    words: list[tuple[int, int, float, float, float, float]] = []
    length = before = 0
    for start, end, *sides in layout.words:
        gap = recognised.text[before:start]
        before = end
        word = recognised.text[start:end]
        left, top, right, bottom = sides
        if _is_known(word, (left, top, right, bottom), rows.get(int((top + bottom) / 2 / ROW), [])):
            continue
        gap = gap if text else ""
        words.append((length + len(gap), length + len(gap) + len(word), left, top, right, bottom))
        text += (gap, word)
        length += len(gap) + len(word)
    return Page(recognised.number, "".join(text), layout=replace(layout, words=tuple(words)))


def _is_known(word: str, place: Place, row: Sequence[PlacedLetter]) -> bool:
    left, top, right, bottom = place
    middle = (top + bottom) / 2
    under = [
        letter
        for letter in row
        if letter.place[1] <= middle <= letter.place[3]
        and left - 1 <= (letter.place[0] + letter.place[2]) / 2 <= right + 1
    ]
    there = "".join(letter.text for letter in sorted(under, key=lambda letter: letter.place[0]))
    return bool(there) and SequenceMatcher(None, word.casefold(), there.casefold()).ratio() >= ALIKE
