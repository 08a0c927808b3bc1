"""Whether an answer contains the gold answer, as a person who knows the gold answer would accept it.

Gold answers are written by people, who word them in their own way, so texts are not compared as they are:

- Figures are compared as values: $1,001,425 thousand contains 1,001,425 and 1.0 billion. All figures of the
  gold answer must be in the answer, but for those that the question has.
- Words are compared by their stems, without stopwords and the question's own words. LEAST_RECALL of the gold
  answer's words and figures must be in the answer.
- What the gold answer says in brackets is an explanation, which an answer need not have.
- An answer that begins with "no" does not contain a gold answer that begins with "yes".
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ingestion.text.languages import stem
from ingestion.text.numbers import Number, numbers
from ingestion.text.stopwords import is_stopword
from rag_app.evaluation.matching import AnswerPattern, PlainText, plain

# Of the gold answer's words and figures. Figures alone tell enough where all of them are there.
LEAST_RECALL = 0.6
LEAST_RECALL_WITH_FIGURES = 0.4
# A rounded figure differs by half a unit of its last digit, and by no more than this share.
_MOST_ROUNDED = 0.01
_EXACT = 1e-9
# Figures below this many digits are too common to be looked for in thousands or millions.
_LEAST_SCALED = 2

_MARKER = re.compile(r"\s*\[(\d+(?:\s*,\s*\d+)*)\]")
# "4." before a line is no figure of it.
_ENUMERATOR = re.compile(r"^\s*\(?\d{1,2}[.)](?=\s|$)", re.MULTILINE)
# "One of them" is no figure.
_NOT_COUNTED = "one"
_EMPHASIS = re.compile(r"\*\*")
_BRACKETS = re.compile(r"\([^()]*\)")
# $29,197M, FY2016, and identifiers, whose digits are no figures: ESP32, RV-8, O-360-D2A.
_MONEY = re.compile(r"(?<=\d)\s?([MBT])\b")
_MONEY_SCALES = {"M": " million", "B": " billion", "T": " trillion"}
_FISCAL = re.compile(r"\b(?:FY|CY)\s?'?(?=\d{2,4}\b)")
_IDENTIFIER = re.compile(r"\b[^\W\d_][\w]*(?:-\w+)*-?\d[\w-]*")
_PERCENT = re.compile(r"\s?(?:%|percent\b|per cent\b|Prozent\b)")
_YES_NO = {
    **dict.fromkeys(("yes", "ja", "sí", "si", "oui", "да", "sim", "sì"), True),
    **dict.fromkeys(("no", "nein", "non", "нет", "não", "nee", "nej"), False),
}


@dataclass(frozen=True, slots=True)
class GoldMatch:
    """How an answer compares with the gold answers; of several, with the one that it contains best.

    Attributes:
        contained: A person would find the gold answer in it.
        exact: It has the gold answer's text, regardless of case, white space and punctuation.
        recall: The share of the gold answer's words and figures in it.
    """

    contained: bool
    exact: bool
    recall: float


@dataclass(frozen=True, slots=True)
class _Figure:
    number: Number
    is_percent: bool

    @property
    def may_be_rounded(self) -> bool:
        return self.number.has_scale or self.is_percent or not self.number.text.isalnum()


@dataclass(frozen=True, slots=True)
class _Content:
    """The figures and the stems of a text."""

    figures: tuple[_Figure, ...]
    words: frozenset[str]


def match_gold(
    answer: str, gold: Sequence[str], question: str = "", markers: Collection[int] | None = None
) -> GoldMatch:
    """Return how an answer compares with gold answers, of which each is right.

    Args:
        markers: See `without_markers`.
    """
    text = without_markers(answer, markers)
    page, said, asked = PlainText.of(text), _content(_ENUMERATOR.sub("", text)), _content(question)
    found = [_match(one, text, page, said, asked) for one in gold]
    return max(
        found, key=lambda one: (one.contained, one.exact, one.recall), default=GoldMatch(False, False, 0)
    )


def without_markers(answer: str, markers: Collection[int] | None = None) -> str:
    """Return an answer's text without emphasis and the markers of its sources.

    Args:
        markers: The numbers of the sources; other numbers in brackets are text. None: all are markers.
    """

    def kept(match: re.Match[str]) -> str:
        known = markers is None or all(int(one) in markers for one in match[1].split(","))
        return "" if known else match[0]

    return _EMPHASIS.sub("", _MARKER.sub(kept, answer))


def _match(gold: str, text: str, page: PlainText, said: _Content, asked: _Content) -> GoldMatch:
    pattern = AnswerPattern.of(gold)
    # "No" stands in many sentences that do not answer with it.
    if pattern.text not in _YES_NO and not pattern.is_empty and pattern.is_in(page):
        return GoldMatch(True, True, 1.0)
    wanted = _wanted(gold, asked)
    figures = [any(_agree(one, other) for other in said.figures) for one in wanted.figures]
    words = [word in said.words for word in wanted.words]
    if not figures and not words:
        agrees = _says_yes(text) is not None and _says_yes(text) == _says_yes(gold)
        return GoldMatch(agrees, False, float(agrees))
    recall = sum((*figures, *words)) / len((*figures, *words))
    least = LEAST_RECALL_WITH_FIGURES if figures else LEAST_RECALL
    contradicts = {_says_yes(text), _says_yes(gold)} == {True, False}
    return GoldMatch(all(figures) and recall >= least and not contradicts, False, recall)


def _wanted(gold: str, asked: _Content) -> _Content:
    """Return what an answer must have of a gold answer: what the question and brackets do not have.

    Where nothing is left, as of an answer that chooses between two things of the question, all of it.
    """
    outside = _content(_BRACKETS.sub(" ", gold))
    figures = tuple(one for one in outside.figures if not any(_agree(one, other) for other in asked.figures))
    words = outside.words - asked.words
    if figures or words:
        return _Content(figures, words)
    return outside if outside.figures or outside.words else _content(gold)


def _content(text: str) -> _Content:
    bare = _FISCAL.sub("", _MONEY.sub(lambda match: _MONEY_SCALES[match[1]], text))
    without_identifiers = _IDENTIFIER.sub(" ", bare)
    figures = tuple(_figures(without_identifiers))
    scales = {word for one in figures for word in plain(one.number.text).split()}
    words = {stem(word, "en") for word in re.findall(r"[^\W_]+", plain(bare)) if not word.isdigit()}
    left_out = {stem(word, "en") for word in scales} | {stem(word, "en") for word in _YES_NO}
    return _Content(
        figures, frozenset(word for word in words - left_out if not is_stopword(word) and _is_word(word))
    )


def _is_word(word: str) -> bool:
    return len(word) > 1 or not word.isascii() or word.isdigit()


def _figures(text: str) -> list[_Figure]:
    found = []
    for number in numbers(text):
        if number.text.lower() == _NOT_COUNTED:
            continue
        is_percent = re.search(rf"(?<!\d){re.escape(number.text)}{_PERCENT.pattern}", text) is not None
        # "3 2016" may be two numbers; each is as good as the number with a space.
        found += [_Figure(one, is_percent) for one in (number, *number.parts)]
    return found


def _agree(one: _Figure, other: _Figure) -> bool:
    """Return whether two figures are the same value, one of them perhaps rounded or without its scale."""
    a, b = one.number, other.number
    if a.readings & b.readings:
        return True
    if not a.value or not b.value:
        return False
    scaled, bare = (a, b) if a.has_scale else (b, a)
    ratio, tolerance = scaled.value / bare.value, _tolerance(one, other)
    # A table's figures have their scale in its head.
    is_open = not bare.has_scale and scaled.has_scale and _digits(bare) >= _LEAST_SCALED
    return any(abs(ratio / scale - 1) <= tolerance for scale in ((1.0, 1e3, 1e6, 1e9) if is_open else (1.0,)))


def _tolerance(one: _Figure, other: _Figure) -> float:
    """Return the share by which the figure with fewer digits may differ from the other."""
    coarse, fine = sorted((one, other), key=lambda figure: len(figure.number.digits))
    digits = coarse.number.digits
    if not coarse.may_be_rounded or len(digits) == len(fine.number.digits):
        return _EXACT
    return min(_MOST_ROUNDED, 0.5 * 10.0 ** -(len(digits) - 1) / float(f"{digits[0]}.{digits[1:] or 0}"))


def _digits(number: Number) -> int:
    return sum(map(str.isdigit, number.text))


def _says_yes(text: str) -> bool | None:
    """Return whether a text begins with yes or no; None where it begins otherwise."""
    first = re.match(r"\W*([^\W\d_]+)", text)
    return _YES_NO.get(first[1].casefold()) if first else None
