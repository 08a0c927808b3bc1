"""Finds an answer in a page's text, regardless of case, white space, line ends and punctuation marks."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property

# Characters that stand for one another.
_VARIANTS = {
    **dict.fromkeys(map(ord, "‘’‚‛′ʼ`´"), "'"),
    **dict.fromkeys(map(ord, "“”„‟″«»"), '"'),
    **dict.fromkeys(map(ord, "‐‑‒–—―−"), "-"),
    **dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"), ""),  # invisible
}
# A hyphen beside a letter: "inter-\nnational", "COVID-19", "state-of-the-art". Between digits it means "to",
# before a digit "minus".
_HYPHEN = re.compile(r"(?<=[^\W\d_])-\s*(?=\w)|(?<=\w)-\s*(?=[^\W\d_])")
_AROUND = " .,;:!?'\"()[]"
# Words of these categories are separated by spaces; other scripts write words together.
_JOINING = ("Lu", "Ll", "Lt", "Nd")


def plain(text: str) -> str:
    """Return normalised text: case-folded, with single spaces and one character for all its variants."""
    folded = unicodedata.normalize("NFKC", text.translate(_VARIANTS)).casefold().translate(_VARIANTS)
    return " ".join(_HYPHEN.sub("", folded).split())


@dataclass(frozen=True)
class PlainText:
    """A page's normalised text, with and without spaces."""

    text: str

    @classmethod
    def of(cls, text: str) -> "PlainText":
        return cls(plain(text))

    @cached_property
    def squeezed(self) -> str:
        return self.text.replace(" ", "")


@dataclass(frozen=True)
class AnswerPattern:
    """An answer to look for; `is_empty` where it has no letter or digit."""

    text: str

    @classmethod
    def of(cls, answer: str) -> "AnswerPattern":
        return cls(plain(answer).strip(_AROUND).replace(" ", ""))

    @property
    def is_empty(self) -> bool:
        return not any(map(str.isalnum, self.text))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(" ?".join(map(re.escape, self.text)))

    def is_in(self, page: PlainText) -> bool:
        """Return whether the page has the answer as whole words and numbers: 5 is not in 1950 or in 2.5."""
        if self.text not in page.squeezed:  # rules out most pages, much faster than the pattern
            return False
        text = page.text
        return any(not _cut(text, *match.span()) for match in self._pattern.finditer(text))


def _cut(text: str, start: int, end: int) -> bool:
    """Return whether a match begins or ends inside a word or a number."""
    before, after = text[:start][-2:], text[end : end + 2]
    if before and _joined(before[-1], text[start]):
        return True
    if after and _joined(text[end - 1], after[0]):
        return True
    digits_before = len(before) == 2 and before[0].isdigit() and before[1] in ".,"
    digits_after = len(after) == 2 and after[1].isdigit() and after[0] in ".,"
    return (digits_before and text[start].isdigit()) or (digits_after and text[end - 1].isdigit())


def _joined(left: str, right: str) -> bool:
    return unicodedata.category(left) in _JOINING and unicodedata.category(right) in _JOINING
