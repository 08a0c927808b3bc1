"""Puts right-to-left text, such as Arabic and Hebrew, in reading order.

PDFium guesses how a file stores such text, and sometimes wrongly: "HR-204" becomes "-204HR", words come out
reversed, "لا" as "ال". Only the places of the glyphs are certain. So a row is read from the page, left to
right as it is seen, and turned into the order in which people read and type it (see `bidi`). Word boundaries
come from PDFium, which knows the fonts' spaces.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple, Protocol

from ingestion.parsing.geometry.places import union
from ingestion.parsing.reading_order.bidi import Letter, SeenGlyph, resolve_directions
from ingestion.parsing.reading_order.lines import Glyph, Glyphs

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_PRESENTATION = re.compile("[\ufb1d-\ufdff\ufe70-\ufefc]+")
_BRACKETS = str.maketrans("()[]{}<>«»‹›", ")(][}{><»«›‹")
_OPENING, _CLOSING = "([{", ")]}"
_SEAM = 3  # characters on each side of a change of direction
_LAM = "\u0644"
_ALEFS = "\u0622\u0623\u0625\u0627"
# Of a glyph's height: a gap below the first is no space, a gap above the second always is one; between them
# PDFium's words decide. Joined letters stand up to 0.2 apart in files that do not give their widths.
_GAPS, _JOINED_GAPS = (0.12, 0.19), (0.06, 0.28)
CELL_GAP = 1.2  # more than in justified lines, which are frequent in right-to-left scripts


class Origins(Glyphs, Protocol):
    """Glyphs that also know the place of the pen."""

    def origin(self, offset: int) -> float:
        """The place on the line from which the glyph is drawn; the same for all letters of a ligature."""


class Cell(NamedTuple):
    """A part of a row without a wide gap, in reading order, and its box."""

    letters: list[Letter]
    left: float
    bottom: float
    right: float
    top: float


def has_right_to_left(text: str) -> bool:
    return _RIGHT_TO_LEFT.search(text) is not None


def with_ordinary_letters(text: str) -> str:
    """Replace presentation forms, the shapes of letters within a word, by plain letters."""
    return _PRESENTATION.sub(lambda match: unicodedata.normalize("NFKC", match.group()), text)


def is_mostly_right_to_left(text: str) -> bool:
    """Whether more of the letters are of scripts that run to the left."""
    found = len(_RIGHT_TO_LEFT.findall(text))
    return found > 0 and 2 * found > sum(map(str.isalpha, text))


class RightToLeft:
    """Puts the stretches of one page in reading order.

    Args:
        raw: The page's text from PDFium.
        glyphs: Where its characters stand.
    """

    def __init__(self, raw: str, glyphs: Origins) -> None:
        self._raw = raw
        self._glyphs = glyphs

    def cells(self, spans: Iterable[tuple[int, int]], *, leftwards: bool) -> list[Cell]:
        """The cells of a row in reading order; most rows are one cell.

        Args:
            spans: Offsets in the raw text of the parts of the row.
            leftwards: Whether the page runs to the left.
        """
        seen = sorted(self._seen(spans), key=lambda glyph: glyph.left + glyph.right)
        cells = [self._cell(glyphs, leftwards=leftwards) for glyphs in _cut(seen)]
        return cells[::-1] if leftwards else cells

    def _cell(self, seen: list[SeenGlyph], *, leftwards: bool) -> Cell:
        text = "".join(glyph.text for glyph in seen)
        to_left = has_right_to_left(text) and (leftwards or is_mostly_right_to_left(text))
        spaced = self._with_spaces(seen)
        resolve_directions(spaced, leftwards=to_left)
        letters = [
            Letter(plain, offset)
            for character, offset in self._ordered(spaced, leftwards=to_left)
            for plain in _plain(character)
        ]
        boxes = ((glyph.left, glyph.bottom, glyph.right, glyph.top) for glyph in seen)
        return Cell(letters, *union(boxes))

    def _seen(self, spans: Iterable[tuple[int, int]]) -> list[SeenGlyph]:
        found: list[SeenGlyph] = []
        marks: list[tuple[Letter, float]] = []
        word = 0
        for start, end in spans:
            word += 1
            pen: float | None = None
            for offset in range(start, end):
                character = self._raw[offset]
                if character == "\0":
                    continue
                if character.isspace():
                    word += 1
                    pen = None
                    continue
                letter = Letter(character, offset)
                place = self._glyphs.origin(offset)
                box = self._glyphs.box(offset)
                if unicodedata.category(character) == "Mn":
                    marks.append((letter, place if box is None else (box.left + box.right) / 2))
                elif found and pen == place and found[-1].word == word:
                    found[-1].letters.append(letter)  # of a ligature
                    if box is not None:
                        found[-1].left = min(found[-1].left, box.left)
                        found[-1].right = max(found[-1].right, box.right)
                else:
                    where = box or self._point(place, found)
                    found.append(SeenGlyph([letter], *where, word))
                pen = place
        self._order_ligatures(found)
        for letter, place in marks:
            if found:
                nearest = min(found, key=lambda glyph: _distance(glyph, place))
                nearest.letters.append(letter)
        return found

    @staticmethod
    def _point(place: float, found: list[SeenGlyph]) -> Glyph:
        """A box without area for a glyph that has none."""
        bottom = found[-1].bottom if found else 0.0
        return Glyph(place, bottom, place, bottom)

    def _order_ligatures(self, found: list[SeenGlyph]) -> None:
        """Put lam before alef, and turn other ligatures if PDFium split lam-alef the wrong way round."""
        joined = [glyph for glyph in found if len(glyph.letters) > 1 and has_right_to_left(glyph.text)]
        turned = any(glyph.text[0] in _ALEFS and glyph.text[-1] == _LAM for glyph in joined)
        for glyph in joined:
            first, last = glyph.text[0], glyph.text[-1]
            is_lam_alef = len(glyph.letters) == 2 and (first == _LAM) != (last == _LAM)
            if (last == _LAM and first in _ALEFS) if is_lam_alef else turned:
                glyph.letters.reverse()

    def _with_spaces(self, seen: list[SeenGlyph]) -> list[SeenGlyph]:
        apart = [one.word != two.word for one, two in pairwise(seen)]
        spaced = [_is_spaced(one, two) for one, two in pairwise(seen)]
        if 2 * sum(spaced) < sum(apart):
            spaced = apart  # the font does not say how wide its glyphs are
        found = seen[:1]
        for glyph, is_spaced in zip(seen[1:], spaced, strict=True):
            if is_spaced:
                one = found[-1]
                space = Letter(" ", self._space(one, glyph))
                found.append(SeenGlyph([space], one.right, one.bottom, glyph.left, one.bottom, 0))
            found.append(glyph)
        return found

    def _space(self, one: SeenGlyph, two: SeenGlyph) -> int:
        """The offset of a space beside one of two words; without one, that of the first word's letter."""
        for glyph in (one, two):
            for step in (1, -1):
                offset = glyph.letters[0].offset
                while 0 <= offset < len(self._raw) and not self._raw[offset].isspace():
                    offset += step
                if 0 <= offset < len(self._raw) and self._raw[offset] in " \xa0":
                    return offset
        return one.letters[0].offset

    def _ordered(self, seen: list[SeenGlyph], *, leftwards: bool) -> list[Letter]:
        runs: list[tuple[bool, list[SeenGlyph]]] = []  # whether it runs to the left, from left to right
        for glyph in seen:
            to_left = glyph.kind == "R"
            if runs and runs[-1][0] == to_left:
                runs[-1][1].append(glyph)
            else:
                runs.append((to_left, [glyph]))
        letters: list[Letter] = []
        turned: list[Letter] = []  # the same with the brackets in right-to-left runs mirrored
        seams: list[int] = []  # where the direction changes
        for to_left, glyphs in reversed(runs) if leftwards else runs:
            part = [letter for glyph in (reversed(glyphs) if to_left else glyphs) for letter in glyph.letters]
            seams.append(len(letters))
            letters += part
            turned += [Letter(c.translate(_BRACKETS), offset) for c, offset in part] if to_left else part
        return max(
            (_bracketed(found, seams) for found in (letters, turned)),
            key=lambda found: _balance(_text(found)),
        )


def _text(letters: Iterable[Letter]) -> str:
    return "".join(letter.character for letter in letters)


def _is_spaced(one: SeenGlyph, two: SeenGlyph) -> bool:
    joined = all(unicodedata.bidirectional(glyph.text[0]) == "AL" for glyph in (one, two))
    least, sure = _JOINED_GAPS if joined else _GAPS
    gap = (two.left - one.right) / max(one.height, two.height, 1e-6)
    return gap > sure or (gap > least and one.word != two.word)


def _bracketed(letters: list[Letter], seams: list[int]) -> list[Letter]:
    """Mirror brackets beside a change of direction if that gives them a partner: PDFium mirrors some."""
    letters = list(letters)
    for seam in seams:
        for place in range(max(0, seam - _SEAM), min(len(letters), seam + _SEAM)):
            character, offset = letters[place]
            if character not in _OPENING + _CLOSING:
                continue
            before = _balance(_text(letters))
            letters[place] = Letter(character.translate(_BRACKETS), offset)
            if _balance(_text(letters)) <= before:
                letters[place] = Letter(character, offset)
    return letters


def _cut(seen: list[SeenGlyph]) -> Iterator[list[SeenGlyph]]:
    """A row's glyphs from left to right, cut at wide gaps."""
    cell: list[SeenGlyph] = []
    right = 0.0
    for glyph in seen:
        if cell and glyph.left - right > CELL_GAP * max(glyph.height, cell[-1].height):
            yield cell
            cell = []
        right = max(right, glyph.right) if cell else glyph.right
        cell.append(glyph)
    if cell:
        yield cell


def _plain(character: str) -> str:
    """The character as it is typed, also for a hyphen at a line end."""
    return "-" if character == "\ufffe" else with_ordinary_letters(character)


def _distance(glyph: SeenGlyph, place: float) -> float:
    return max(0.0, glyph.left - place, place - glyph.right) + 0.01 * abs(
        (glyph.left + glyph.right) / 2 - place
    )


def _balance(text: str) -> int:
    """The number of brackets in `text` with a partner."""
    depth = pairs = 0
    for character in text:
        if character in _OPENING:
            depth += 1
        elif character in _CLOSING and depth:
            depth -= 1
            pairs += 1
    return pairs
