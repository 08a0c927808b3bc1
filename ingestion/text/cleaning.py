"""Raw text from a file to the text that is stored, cited and shown."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ingestion.text.invisible import as_seen, runs

# A page with more control characters than this has a font without a ToUnicode table: what PDFium gives
# is glyph numbers. Good pages have none at all; 2% keeps pages with a few stray ones.
MAX_CONTROL_SHARE = 0.02

MAX_TITLE_CHARACTERS = 300

# PDFium writes U+FFFE for a hyphen at a line end (and drops the line break); older builds wrote \x02.
_HYPHEN = re.compile(r"\ufffe|(?<=\w)\x02(?=\w|[ \t]*(?:[\r\n]|\Z))")
_LINE_BREAK = re.compile(r"\r\n?|[\n\v\f\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\uffff]")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")

_FILE_NAME = re.compile(
    r"\.(docx?|xlsx?|pptx?|pdf|rtf|odt|tex|dvi|ps|indd|qxd|p65|fm|html?|txt)$", re.IGNORECASE
)
_PLACEHOLDER = re.compile(
    r"(untitled|title|document|microsoft (word|powerpoint|excel)|slide)\b[\s\-\d]*$", re.IGNORECASE
)


Runs = tuple[tuple[int, int], ...]


def clean(raw: str) -> str:
    """Clean raw text for storing and quoting.

    - U+FFFE, and \\x02 within a word or at a line end, stand for a hyphen and become "-"
    - every kind of line break becomes "\\n"
    - NUL, other control characters except tab, and non-characters are removed
    - invisible characters that no script needs are removed (`ingestion.text.invisible`)
    - half a surrogate pair becomes U+FFFD
    - white space at the end of a line is removed

    Ligatures and all other characters stay (no NFKC), so that a quotation can be found on the page. Cleaning
    is idempotent.
    """
    return clean_with_runs(raw)[0]


def clean_with_runs(raw: str) -> tuple[str, Runs]:
    """`clean(raw)`, and its origin as runs of (offset in it, index in `raw`), as in `PageLayout.runs`."""
    # First what changes no length; from then on characters are only left out.
    text = as_seen(_LONE_SURROGATE.sub("\ufffd", _HYPHEN.sub("-", raw)))
    cleaned = _MappedText()
    for line in _lines(text):
        # Not by a pattern: one for white space before a line end is quadratic in a long run of spaces.
        kept = [(text[start:end], start) for start, end in _visible_stretches(text, line)]
        while kept:
            words, start = kept.pop()
            if words := words.rstrip():
                kept.append((words, start))
                break
        for words, start in kept:
            cleaned.add(words, start)
        if line.break_at is not None:
            cleaned.add("\n", line.break_at)
    return "".join(cleaned.parts), tuple(cleaned.runs)


class _LineSpan(NamedTuple):
    start: int
    end: int
    break_at: int | None  # the last character of the break after it


class _MappedText:
    """Builds a text from pieces of another text and records where each comes from."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.runs: list[tuple[int, int]] = []
        self._length = 0
        self._next = -1

    def add(self, piece: str, index: int) -> None:
        if index != self._next:
            self.runs.append((self._length, index))
        self.parts.append(piece)
        self._length += len(piece)
        self._next = index + len(piece)


def _lines(text: str) -> Iterator[_LineSpan]:
    start = 0
    for match in _LINE_BREAK.finditer(text):
        yield _LineSpan(start, match.start(), match.end() - 1)
        start = match.end()
    yield _LineSpan(start, len(text), None)


def _visible_stretches(text: str, line: _LineSpan) -> Iterator[tuple[int, int]]:
    """The stretches of a line between characters that are removed."""
    start = line.start
    for run in runs(text, line.start, line.end):
        removed = run.start
        for kept in (*run.kept, run.end):
            if kept > removed:
                if removed > start:
                    yield start, removed
                start = kept
            removed = kept + 1
    if line.end > start:
        yield start, line.end


def control_share(raw: str) -> float:
    """The share of characters that `clean` removes as control characters, 0.0 to 1.0."""
    if not raw:
        return 0.0
    return len(_CONTROL.findall(_HYPHEN.sub("-", raw))) / len(raw)


def one_line(text: str, length: int = MAX_TITLE_CHARACTERS) -> str:
    """`text` cleaned, its white space made single spaces, cut to `length` characters."""
    return " ".join(clean(text[: 4 * length]).split())[:length]


def sensible_title(raw: str | None) -> str | None:
    """A metadata title in one line; None for file names, numbers and placeholders."""
    title = one_line(raw or "", MAX_TITLE_CHARACTERS + 1)
    if len(title) > MAX_TITLE_CHARACTERS or "\ufffd" in title:
        return None
    if sum(character.isalpha() for character in title) < 2:
        return None
    return None if _FILE_NAME.search(title) or _PLACEHOLDER.match(title) else title


class HeadingFinder:
    """Finds headings on one page, white space and case aside; built once a page, in linear time."""

    def __init__(self, text: str) -> None:
        folded: list[str] = []
        self._origin: list[int] = []
        for index, character in enumerate(text):
            if not character.isspace():
                for part in character.casefold():  # "ß" becomes two characters
                    folded.append(part)
                    self._origin.append(index)
        self._folded = "".join(folded)
        self._after = 0

    def start(self, title: str) -> int:
        """The character at which `title` begins in the page's text; 0 if the page lacks it.

        The search starts after the heading found last, because sections of one page may share a title.
        """
        wanted = "".join(title.casefold().split())
        if not wanted:
            return 0
        found = self._folded.find(wanted, self._after)
        if found < 0:
            found = self._folded.find(wanted)
        if found < 0:
            return 0
        self._after = found + len(wanted)
        return self._origin[found]
