"""Splits text into words: by a regular expression in scripts with spaces, into bigrams in scripts without.

A token is a run of letters and digits and of the characters that hold words together (hyphens, apostrophes,
the marks inside numbers). `pieces` splits it into words.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from ingestion.text.languages import decimal_mark, normalise, splits_at_apostrophe

# Scripts written without spaces, less their digits, and Korean, whose words carry their particles.
_HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANA = "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"
_THAI_LAO = "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecf\u0edc-\u0edf"
_KHMER_BURMESE = "\u1780-\u17d3\u17d7\u17dc\u17dd\u1000-\u103f\u1050-\u108f\ua9e0-\ua9ef\uaa60-\uaa7f"
_HANGUL = "\u1100-\u11ff\uac00-\ud7a3"
_UNSPACED = _HAN + _KANA + _THAI_LAO + _KHMER_BURMESE + _HANGUL

# Inside a word and without a look of their own: soft hyphen, zero-width, direction, joiners, BOM.
_INVISIBLE = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
_APOSTROPHES = "'’ʼ＇"
_HYPHENS = "-\u2010\u2011\ufe63\uff0d"
_GROUPING = "'’\u00a0\u2009\u202f"

# Bounds against hostile text: a longer run is cut. Ordinary words reach neither.
_LETTERS = 64
_MARKS = 8
_RUNS = 32
_MOST_PARTS = 8
# Runs of letters and digits in one word; of more it is a code, which nobody asks for by its parts.
_MOST_RUNS = 4


@dataclass(frozen=True, slots=True)
class Piece:
    """A normalised word, not yet stemmed, and where it lies. `exact`: no stemming (numbers, bigrams)."""

    text: str
    start: int
    end: int
    exact: bool = False


@cache
def token_pattern() -> re.Pattern[str]:
    """Return the pattern of tokens; group 1 is a run of an unspaced script."""
    within = f"{_marks()}{_INVISIBLE}"
    letters = rf"[^\W_{_UNSPACED}]"
    # Indic words change between letters and marks at every step.
    word = rf"{letters}{{1,{_LETTERS}}}(?:[{within}]{{1,{_MARKS}}}{letters}{{0,{_LETTERS}}}){{0,{_RUNS}}}"
    joiner = (
        rf"(?<=\d)[.,{_GROUPING}](?=\d)"
        rf"|[{_APOSTROPHES}&]"
        rf"|[{_HYPHENS}](?:[ \t]*\r?\n[ \t]*)?"
        r"|(?<=\u00ad)[ \t]*\r?\n[ \t]*"
        r"|(?<![^\W_][^\W_])(?<=[^\W\d_])\.(?=[^\W\d_](?![^\W_]))"
    )
    unspaced = rf"[{_UNSPACED}][{_UNSPACED}{within}]*"
    return re.compile(rf"({unspaced})|{word}(?:(?:{joiner}){word}){{0,{_MOST_PARTS - 1}}}")


def pieces(token: str, language: str) -> Iterator[Piece]:
    """Yield the words of a token: its parts, and the whole where people also write it as one word.

    They do with digits (10-K, COVID-19), with single letters (e-mail) and at the end of a line. "U.S." is
    only a whole. Joining every hyphenated word found less: long-term is two words.
    """
    parts = list(_parts(token, language))
    letters = [part.text for part in parts]
    single = [len(text) == 1 for text in letters]
    initials = "." in token and len(parts) > 1 and all(single)
    if not initials:
        for part in parts:
            yield part
            yield from _runs(token[part.start : part.end], part.start, language)
    figures = any(map(str.isdigit, token)) and not all(text[0].isdigit() for text in letters)
    in_one = figures or any(single) or "\n" in token
    if initials or (in_one and len(parts) > 1 and _JOINING.search(token)):
        yield Piece("".join(letters), 0, len(token))


def _parts(token: str, language: str) -> Iterator[Piece]:
    for match in _BETWEEN_HYPHENS.finditer(token):
        text, start = match.group(), match.start()
        if _NUMBER.match(text):
            yield from _numbers(text, start, language)
        elif splits_at_apostrophe(language) or text[0].isdigit():  # the 1990's
            for word in _BETWEEN_APOSTROPHES.finditer(text):
                yield from _word(word.group(), start + word.start(), language)
        else:
            yield from _word(text, start, language)


def _runs(text: str, start: int, language: str) -> Iterator[Piece]:
    """Yield the letters and the digits of a word that has both, such as FY2022, 2023Q2 or 1990s."""
    runs = list(_LETTERS_OR_DIGITS.finditer(text))
    if 1 < len(runs) <= _MOST_RUNS and "".join(run.group() for run in runs) == text:
        for run in runs:
            if len(run.group()) > 1:  # of single ones every passage has some
                part = normalise(run.group(), language)
                yield Piece(part, start + run.start(), start + run.end(), exact=part[0].isdigit())


def _word(text: str, start: int, language: str) -> Iterator[Piece]:
    normal = normalise(text, language)
    if normal:
        yield Piece(normal, start, start + len(text), exact=normal[0].isdigit())


def _numbers(text: str, start: int, language: str) -> Iterator[Piece]:
    """Yield 66608 for 66,608 (or 66.608, where the comma is the decimal mark) and 1.2 for 1,2 there."""
    decimal = decimal_mark(language)
    match = number_pattern(decimal).fullmatch(text)
    if match:
        whole = re.sub(r"\D", "", match[1])
        number = f"{whole}.{match[3]}" if match[3] else whole
        yield Piece(normalise(number + match[4], language), start, start + len(text), exact=True)
        return
    for part in _BETWEEN_NUMBERS.finditer(text):
        yield from _word(part.group(), start + part.start(), language)


@cache
def number_pattern(decimal: str) -> re.Pattern[str]:
    """The pattern of a number and what follows it, with `decimal` as the decimal mark."""
    thousands = "." if decimal == "," else ","
    # Where the comma is decimal, 12.5 can only be a fraction: its group is no group of three.
    fraction = r"[.,]" if decimal == "," else r"\."
    whole = rf"\d{{1,3}}([{thousands}{_GROUPING}])\d{{3}}(?:\2\d{{3}})*|\d+"
    return re.compile(rf"({whole})(?:{fraction}(\d+))?(\D*)")


def grams(run: str) -> Iterator[Piece]:
    """Yield the overlapping pairs of characters of an unspaced run, and each character that may be a word.

    A character is a letter with its vowels and tones. Single kana are no words, unless the run is one kana.
    """
    found = ((_character(match.group()), *match.span()) for match in _cluster_pattern().finditer(run))
    clusters = [cluster for cluster in found if cluster[0]]
    for number, (text, start, end) in enumerate(clusters):
        if len(clusters) == 1 or not _KANA_ONLY.fullmatch(text):
            yield Piece(text, start, end, exact=True)
        if number + 1 < len(clusters):
            (following, _, last) = clusters[number + 1]
            yield Piece(text + following, start, last, exact=True)


@lru_cache(maxsize=2**14)
def _character(cluster: str) -> str:
    return normalise(cluster, "und")


@cache
def _cluster_pattern() -> re.Pattern[str]:
    # U+17D2 and U+1039 hang the next consonant under this one; U+FF9E and U+FF9F voice a narrow kana.
    tail = rf"[{_marks()}{_INVISIBLE}\uff9e\uff9f]{{0,{_MARKS}}}"
    # Thai and Lao write some vowels before the consonant, some behind it.
    before, behind = r"[\u0e40-\u0e44\u0ec0-\u0ec4]?", r"[\u0e30\u0e32\u0e33\u0e45\u0eb0\u0eb2\u0eb3]?"
    letter = rf"{before}[^{_INVISIBLE}]{tail}(?:(?<=[\u17d2\u1039]).{tail}){{0,2}}{behind}"
    syllable = r"[\u1100-\u115f]{1,3}[\u1160-\u11a7]{0,3}[\u11a8-\u11ff]{0,3}"
    return re.compile(rf"{syllable}|{letter}", re.DOTALL)


@cache
def _marks() -> str:
    """Return the combining marks as the inside of a character class; `\\w` leaves them out."""
    codes = [code for code in (*range(0x300, 0x1F000), *range(0xE0100, 0xE01F0)) if _is_mark(code)]
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


def _is_mark(code: int) -> bool:
    return unicodedata.category(chr(code)) in ("Mn", "Mc")


_JOINING = re.compile(rf"[{_HYPHENS}&.\n]")
_BETWEEN_HYPHENS = re.compile(rf"(?:[^{_HYPHENS}&.\s]|(?<=\d)[.\u00a0\u2009\u202f](?=\d))+")
_BETWEEN_APOSTROPHES = re.compile(rf"[^{_APOSTROPHES}]+")
_KANA_ONLY = re.compile(rf"[{_KANA}\u3099\u309a]+")
_LETTERS_OR_DIGITS = re.compile(r"\d+|[^\W\d_]+")
_BETWEEN_NUMBERS = re.compile(rf"[^,{_GROUPING}]+")
_NUMBER = re.compile(rf"\d+[.,{_GROUPING}]\d")
