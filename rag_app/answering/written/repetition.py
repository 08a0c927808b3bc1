"""Repetition in a text that a model writes: recognised while it comes, and cut away.

A text repeats itself where its last words are the words before them again. It is compared word by word at
every distance, once exactly and once with all numbers alike. How much may be repeated depends on what it is:
a phrase or sentence little, rows of a table, lists, verses and code much more, because they rightly repeat
words.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

# Words, the signs of scripts without spaces, numbers, and runs of one other character; longer ones are split.
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0eff]|\d{1,120}|[^\W\d_]{1,120}|(?:(?![\s\w])(.)|(_))"
    r"(?:\1|\2){0,119}|[^\S\n]+|\n\s*"
)
# The greatest distance of a repetition, in words.
_FARTHEST = 300
# In tokens, about: how much of a phrase, a sentence or a line may be repeated.
_MOST = 28
_MOST_WITH_NUMBERS = 34
# The same, where the repeated part is long: a paragraph.
_LONG, _MOST_OF_LONG = 36, 36
# The same, of several lines; of parts without words, of tables and code; of these with changing numbers.
_LINES, _MOST_OF_LINES = 3, 80
_MOST_OF_ROWS, _MOST_OF_NUMBERED_ROWS = 120, 240
# Fewer words with changing numbers are no phrase.
_LEAST_WORDS = 4
# Letters of a word that consists of a few letters again and again.
_ENDLESS = re.compile(r"(.{1,10}?)\1{5,}$")
_LEAST_OF_WORD = 60
_WHOLE = re.compile(
    r"(.*[^\W\d][.!?。！？](?:\s*\[\d+\])*[\"'”’»)]*|.*\][.!?])\s+[^\s\[].*[^\s.!?。！？\])\"'”’»]\s*$"
)
_CLOSING = '.!?…,;:)]}"”’»。！？'
# Signs of a line of dots, dashes or the like; a longer one is split.
_LONGEST_RUN = 120
_LETTERS_OF_TOKEN, _DIGITS_OF_TOKEN = 7, 3


@dataclass(frozen=True, slots=True)
class _Word:
    """A word at characters `start` and on; `alike` is the same for all numbers; `cost` is about in tokens."""

    start: int
    text: str
    alike: str
    cost: int
    in_rows: bool  # of a table, or in code
    begins_line: bool


@dataclass(slots=True)
class _Run:
    """Words that equal those at a distance before them: from word `start` on, of `cost` tokens."""

    start: int
    cost: int


class RepetitionWatch:
    """Passes a text on until it repeats itself. Words that may begin a repetition are held back.

    Attributes:
        repeats: The text repeats itself; the rest of it is ignored.
    """

    def __init__(self) -> None:
        self.repeats = False
        self._text = ""
        self._read = 0  # characters that are split into words
        self._given = 0  # characters that were passed on
        self._cut: int | None = None
        self._words: list[_Word] = []
        self._exact: dict[int, _Run] = {}
        self._alike: dict[int, _Run] = {}
        self._line = ""
        self._in_code = False

    @property
    def kept(self) -> str:
        """The text up to where the repetition began; all of it without repetition."""
        return self._text if self._cut is None else self._text[: self._cut]

    def feed(self, piece: str) -> str:
        """Add a piece; return the text that is certain now."""
        return "" if self.repeats else self._advance(piece, is_last=False)

    def finish(self) -> str:
        """Return the text that was held back, after the last piece."""
        if self.repeats:
            return ""
        text = self._advance("", is_last=True)
        if not self.repeats:
            text += self._text[self._given :]
            self._given = len(self._text)
        return text

    def _advance(self, piece: str, *, is_last: bool) -> str:
        self._text += piece
        given = self._given
        for start, text in self._new_words(is_last=is_last):
            self._add(start, text)
            if self.repeats:
                break
            # A repetition that is not stopped by then is one of rows, which streams all the same.
            held = [run.start for runs in (self._exact, self._alike) for run in runs.values()
                    if run.cost <= _MOST_OF_LONG]  # fmt: skip
            free = self._words[min(held)].start if held else self._read
            self._given = max(self._given, free)
        return self._text[given : self._given]

    def _new_words(self, *, is_last: bool) -> Iterator[tuple[int, str]]:
        """Yield the words that are complete: more text changes nothing of them."""
        while match := _WORD.match(self._text, self._read):
            if match.end() == len(self._text) and not is_last:
                return
            self._read = match.end()
            yield match.start(), match[0]

    def _add(self, start: int, text: str) -> None:
        if text.isspace():  # a loop may break its lines elsewhere each time
            self._line = "" if "\n" in text else self._line
            return
        begins_line = not self._line
        if begins_line and text in ("```", "~~~"):
            self._in_code = not self._in_code
        self._line = self._line or text
        digits = text.isdecimal()
        cost = 1
        if text.isalnum():
            cost += (len(text) - 1) // (_DIGITS_OF_TOKEN if digits else _LETTERS_OF_TOKEN)
        plain, in_rows = text.casefold(), self._in_code or self._line.startswith("|")
        self._words.append(_Word(start, plain, "0" if digits else plain, cost, in_rows, begins_line))
        is_endless = text.isalpha() and len(text) >= _LEAST_OF_WORD and _ENDLESS.search(text)
        if is_endless or (len(text) == _LONGEST_RUN and not text[0].isalnum() and not in_rows):
            self._stop(len(self._words) - 1)
        else:
            self._compare()

    def _compare(self) -> None:
        """Bring the runs up to date with the last word, and look whether one of them is a repetition."""
        place = len(self._words) - 1
        last = self._words[place]
        exact, alike = self._exact, self._alike
        self._exact, self._alike = {}, {}
        for distance in range(1, min(place, _FARTHEST) + 1):
            before = self._words[place - distance]
            if before.alike != last.alike:
                continue
            run = alike.get(distance) or _Run(place, 0)
            run.cost += last.cost
            self._alike[distance] = run
            if before.text == last.text:
                same = exact.get(distance) or _Run(place, 0)
                same.cost += last.cost
                self._exact[distance] = same
        for distance, run in self._exact.items():
            if run.cost >= _MOST and run.cost >= self._most(distance, run):
                self._stop(run.start)
                return
        for distance, run in self._alike.items():
            if run.cost >= _MOST_WITH_NUMBERS and run.cost >= self._most_with_numbers(distance, run):
                self._stop(run.start)
                return

    def _most(self, distance: int, run: _Run) -> float:
        """Return how many tokens may be repeated exactly."""
        block = self._words[run.start - distance : run.start]
        if block[0].in_rows or not any(word.text.isalpha() for word in block):
            return _MOST_OF_ROWS
        lines = sum(word.begins_line for word in self._words[run.start :][:distance])
        cost = sum(word.cost for word in block)
        if lines >= _LINES:
            return max(_MOST_OF_LINES, cost)
        return _MOST if cost <= _LONG else _MOST_OF_LONG

    def _most_with_numbers(self, distance: int, run: _Run) -> float:
        """Return how many tokens may be repeated with other numbers: data has several that change."""
        block = self._words[run.start - distance : run.start]
        if any(before.text == "<" and word.text == "source" for before, word in pairwise(block)):
            return _MOST_WITH_NUMBERS  # tags of the prompt are no data
        changing = self._changing(distance, run)
        phrase = sum(word.text.isalpha() for word in block) >= _LEAST_WORDS and not block[0].in_rows
        if changing > 1:
            return _MOST_OF_NUMBERED_ROWS if phrase else float("inf")
        if not phrase:
            return _MOST_OF_NUMBERED_ROWS
        return _MOST_WITH_NUMBERS if run.cost >= 2 * sum(word.cost for word in block) else float("inf")

    def _changing(self, distance: int, run: _Run) -> int:
        """Return how many places of the repeated part have numbers that change, each in its own way."""
        columns = set()
        for place in range(distance):
            texts = [word.text for word in self._words[run.start - distance + place :: distance]]
            if any(one != other for one, other in pairwise(texts)):
                columns.add(tuple(texts[: len(self._words[run.start :]) // distance + 1]))
        return len(columns)

    def _stop(self, first: int) -> None:
        """Cut the text before a word, but behind the signs that end what comes before: "[1]."."""
        texts = [word.text for word in self._words[first:]]
        ended = 0
        while ended < len(texts) - 1:
            if texts[ended][0] in _CLOSING:
                ended += 1
            elif texts[ended] == "[" and texts[ended + 1].isdecimal():
                ended += 2
            else:
                break
        self.repeats = True
        self._cut = self._words[min(first + ended, len(self._words) - 1)].start
        self._given = max(self._given, self._cut)


def without_rest(text: str) -> str:
    """Return a text that was cut without what stands alone at its end.

    That is a list's sign, an open bracket, and the beginning of a sentence behind a whole one in its line.
    """
    whole = _WHOLE.match(text.rpartition("\n")[2])
    if whole:
        text = text[: len(text) - len(text.rpartition("\n")[2]) + whole.end(1)]
    lines = text.rstrip().split("\n")
    while len(lines) > 1 and not re.search(r"[^\W\d_]", lines[-1]):
        lines.pop()
    return re.sub(r"[\s(\[{<|*_#-]+$", "", "\n".join(lines))
