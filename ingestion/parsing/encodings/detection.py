"""Finds the encoding of bytes without a byte order mark.

charset-normalizer and a table propose encodings. Each decoding of the bytes gets a cost: how rare its
characters are in the language that fits best, and how unusual their positions are (a capital within a word, a
sign between letters, two scripts in one word). The cheapest decoding wins if it is plausible and no other
comes near.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING

from ingestion.parsing.encodings.alphabets import CJK, LATIN, letter_cost
from ingestion.parsing.encodings.names import ENCODINGS
from ingestion.parsing.encodings.positions import PositionCosts, weigh

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

_SAMPLE_BYTES = 4_000  # of lines with non-ASCII bytes
_FIRST_BYTES = 800  # of the sample, to drop decodings that are far off
_FAR_OFF = 60.0
_NEAR = 15.0  # more than the words in ASCII can change
_CHUNK = 1 << 20
_WIDE = ("utf_16", "utf_32")

# How much cheaper the best decoding must be than the next one with another text: e³ times as likely.
LEAST_MARGIN = 3.0
_LEAST_MARGIN_COMMONEST = 2.0  # of Windows-1252, which most programs of most countries wrote
# The highest plausible mean cost of non-ASCII characters; correct decodings have 2 to 5, Chinese ones 5 to 8.
MOST = 6.0
_MOST_CJK = 9.0

_MOST_OF_LANGUAGE = 6.0  # the highest cost of a language that the words in ASCII make unlikely
_LEAST_LETTERS = 12
_NO_KANA = 6.0  # cost of a Japanese text with Chinese characters alone
_NO_TEXT = re.compile("[\ufffd\x80-\x9f]")


@dataclass(frozen=True, slots=True)
class DecodingCandidate:
    """One decoding of a sample.

    Attributes:
        encoding: By Python's name.
        text: The decoded sample.
        cost: The lower, the more plausible.
        mean: Cost a non-ASCII character, without the encoding's rarity.
        margin: How much more the next decoding must cost for this one to be certain.
        language: The language that fits best.
    """

    encoding: str
    text: str
    cost: float
    mean: float
    margin: float
    language: str

    @property
    def is_plausible(self) -> bool:
        """Whether the text may be correct."""
        return self.mean <= (_MOST_CJK if self.language in CJK else MOST)


@dataclass(frozen=True, slots=True)
class Guess:
    """The decodings of a file's bytes, cheapest first, without those that equal a cheaper one."""

    readings: tuple[DecodingCandidate, ...]

    @property
    def tried(self) -> tuple[str, ...]:
        """The encodings of the cheapest decodings."""
        return tuple(reading.encoding for reading in self.readings[:6])

    @property
    def best(self) -> DecodingCandidate | None:
        """The certain decoding; None without one."""
        if not self.readings or not self.readings[0].is_plausible:
            return None
        first, *others = self.readings
        return first if not others or others[0].cost - first.cost >= first.margin else None


def guess(data: bytes) -> Guess:
    """Judge the decodings of bytes of which some are not ASCII, or NUL."""
    sample = _Sample.of(data)
    candidates = _candidates(sample.lines, data)
    if len(sample.lines) > 2 * _FIRST_BYTES:
        beginning = sample.beginning()
        readings = sorted((_read(beginning, name) for name in candidates), key=attrgetter("cost"))
        candidates = [one.encoding for one in readings if one.cost - readings[0].cost < _FAR_OFF]
    return Guess(tuple(_ordered(sample, candidates)))


def compare(data: bytes, encodings: Sequence[str]) -> list[DecodingCandidate]:
    """Judge the decodings of `data` in these encodings, cheapest first."""
    return _ordered(_Sample.of(data), encodings)


def _ordered(sample: "_Sample", encodings: Sequence[str]) -> list[DecodingCandidate]:
    plain = replace(sample, words="")
    readings = sorted((_read(plain, name) for name in encodings), key=attrgetter("cost"))
    near = [reading for reading in readings if reading.cost - readings[0].cost < _NEAR]
    if any(reading.language in LATIN for reading in near):  # else no language has to be told
        again = [_read(sample, reading.encoding) for reading in near]
        readings = sorted([*again, *readings[len(near) :]], key=attrgetter("cost"))
    said: dict[str, DecodingCandidate] = {}
    for reading in readings:
        said.setdefault(_NO_TEXT.sub("", reading.text), reading)
    return list(said.values())


@dataclass(frozen=True, slots=True)
class _Sample:
    """The part of a file that is judged.

    Attributes:
        lines: The first lines with non-ASCII bytes.
        start: The beginning, for encodings of two or four bytes a character.
        words: The file's first words without non-ASCII characters.
        is_cut: Whether `lines` are only a part of the file.
    """

    lines: bytes
    start: bytes
    words: str
    is_cut: bool

    @classmethod
    def of(cls, data: bytes) -> "_Sample":
        start = data[:_SAMPLE_BYTES]
        lines = start if b"\0" in data[:_CHUNK] else b"".join(_lines(data))
        return cls(lines, start, _skeleton(data), len(lines) < len(data))

    def beginning(self) -> "_Sample":
        lines = self.lines[: self.lines.rfind(b"\n", 0, _FIRST_BYTES) + 1] or self.lines[:_FIRST_BYTES]
        return _Sample(lines, self.start[:_FIRST_BYTES], "", is_cut=True)

    def bytes_for(self, encoding: str) -> bytes:
        return self.start if encoding.startswith(_WIDE) else self.lines


def _candidates(sample: bytes, data: bytes) -> list[str]:
    wide = [name for name in ("utf_32_le", "utf_32_be") if len(data) % 4 == 0 and b"\0\0" in sample]
    wide += [name for name in ("utf_16_le", "utf_16_be") if len(data) % 2 == 0]
    if b"\0" in sample:
        return wide
    if b"\x1b$" in sample:
        return ["iso2022_kr" if b"\x1b$)C" in sample else "iso2022_jp_2"]
    from charset_normalizer import from_bytes

    # Encodings outside the table have no language to check them with.
    found = [match.encoding for match in from_bytes(sample) if match.encoding in ENCODINGS]
    # UTF-8 stays a candidate because a few of its bytes may be damaged.
    usual = [name for name in ENCODINGS if not name.startswith((*_WIDE, "iso2022"))]
    return list(dict.fromkeys([*found, *usual, *wide]))


def _lines(data: bytes) -> Iterator[bytes]:
    """Yield the first lines with non-ASCII bytes, without HTML tags."""
    size = 0
    for match in _BEYOND.finditer(data):
        line = _TAG.sub(b" ", match.group())[: _SAMPLE_BYTES - size]
        yield line
        size += len(line)
        if size >= _SAMPLE_BYTES:
            return


_TAG = re.compile(rb"<[A-Za-z/!][^<>]{0,500}>")  # its words are of no language
# A line is bounded: a file may be one line.
_BEYOND = re.compile(rb"[^\r\n]{0,500}?[\x80-\xff\x1b][^\r\n]{0,2000}[\r\n]*")


def _read(sample: _Sample, name: str) -> DecodingCandidate:
    encoding = ENCODINGS[name]
    text = sample.bytes_for(name).decode(name, "replace")
    if sample.is_cut:
        text = text.rstrip("\ufffd")
    weighed = weigh(text)
    latin = any(language in LATIN for language in encoding.languages) and weighed.letters
    prior = _languages(sample.words) if latin else {}
    best, spoken = min((_spoken(weighed, text, language, prior), language) for language in encoding.languages)
    cost = weighed.standing + best
    # Without words that tell the language, a rare encoding needs a larger margin.
    margin = LEAST_MARGIN if encoding.rarity else _LEAST_MARGIN_COMMONEST
    margin += encoding.rarity if latin and not prior else 0.0
    return DecodingCandidate(name, text, cost + encoding.rarity, cost / max(1, weighed.count), margin, spoken)


def _spoken(weighed: PositionCosts, text: str, language: str, prior: dict[str, float]) -> float:
    """The cost of the letters if the text is in this language."""
    cost = sum(letter_cost(letter, language) * number for letter, number in weighed.letters.items())
    if prior and language in LATIN:
        cost += prior.get(language, _MOST_OF_LANGUAGE)
    if language == "ja" and weighed.letters and not _KANA.search(text):
        cost += _NO_KANA
    return cost


_KANA = re.compile("[\u3041-\u30ff]")


def _skeleton(data: bytes) -> str:
    """The ASCII words at the beginning, which most decodings share."""
    beginning = _TAG.sub(b" ", data[:_SKELETON_BYTES].replace(b"\0", b""))
    return b" ".join(_ASCII_WORD.findall(beginning)).decode("ascii").lower()


_SKELETON_BYTES = 6_000
_ASCII_WORD = re.compile(rb"[A-Za-z]+")


@lru_cache(maxsize=64)
def _languages(skeleton: str) -> dict[str, float]:
    """The cost of each language by the ASCII words; empty for few letters."""
    if sum(map(str.isalpha, skeleton)) < _LEAST_LETTERS:
        return {}
    ranked = _identifier().rank(skeleton)
    return {
        language: min(_MOST_OF_LANGUAGE, -math.log(max(probability, 1e-9)))
        for language, probability in ranked
    }


@cache
def _identifier() -> "LanguageIdentifier":
    from ingestion.text.language_detection import load_identifier  # half a second

    return load_identifier(LATIN.__contains__)
