"""Abbreviations that the documents explain: "platelet-rich plasma (PRP)", "PRP (platelet-rich plasma)".

The long form is found by Schwartz and Hearst's rule ("A simple algorithm for identifying abbreviation
definitions in biomedical text", 2003): the letters of the short form stand in it in order, the first at the
beginning of a word.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ingestion.library import Library
from ingestion.storage.catalogue.records import Scope
from retrievers.glossary import Meaning

# A short form: two to eight letters or digits, most of them capitals.
_SHORT = re.compile(r"(?<![\w&-])(?=[\w&-]*[A-Z][\w&-]*[A-Z])[A-Z][A-Za-z0-9&-]{1,7}(?![\w&-])")
_PART = re.compile(r"[^\W_]+")
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
# Passages that are read for an abbreviation.
_PASSAGES = 40
# Words of a long form: so many for each letter of the short form, or so many more than letters.
_TIMES, _MORE = 2, 5
# Words of a question that may be a long form.
_SHORTEST, _LONGEST = 2, 5
_MOST_WORDS = 40  # of a question
_SMALL = frozenset(
    ["a", "an", "and", "at", "by", "for", "in", "of", "on", "or", "the", "to", "with", "und", "de", "der"]
)


def abbreviations(
    library: Library, question: str, scope: Scope, known: Sequence[Meaning] = ()
) -> tuple[Meaning, ...]:
    """Return the abbreviations of a question with their long forms, and its long forms with their
    abbreviations, as passages of the scope explain them; without words of `known` terms."""
    explained = {place for one in known for place in range(one.start, one.end)}
    found = []
    for match in _SHORT.finditer(question):
        if match.start() not in explained and (long := _long_form(library, match.group(), scope)):
            found.append(Meaning(match.group(), (long,), *match.span()))
    runs = list(_initials(question))
    shorts = library.catalogue.words.known((short for _, _, short in runs), scope)
    for start, end, short in runs:
        if short not in shorts or not explained.isdisjoint(range(start, end)):
            continue
        if _explains(library, short, question[start:end], scope):
            found.append(Meaning(question[start:end], (short,), start, end))
            explained |= set(range(start, end))
    return tuple(found)


def long_form(short: str, before: str) -> str:
    """Return the end of a text that is the long form of an abbreviation behind it; "" where none is.

    Stricter than Schwartz and Hearst: half of the letters begin a word, and at most one word of content is
    not begun by a letter.
    """
    words = list(_WORD.finditer(before))[-min(len(short) + _MORE, _TIMES * len(short)) :]
    if not words:
        return ""
    first, place = words[0].start(), len(before) - 1
    letters = [letter for letter in short.casefold() if letter.isalnum()]
    for number in range(len(letters) - 1, -1, -1):
        while place >= first and not (
            before[place].casefold() == letters[number] and (number or _begins(before, place))
        ):
            place -= 1
        if place < first:
            return ""
        place -= 1
    start = place + 1
    parts = [part for part in _PART.findall(before[start:].casefold()) if part not in _SMALL]
    begun = _common([part[0] for part in parts], letters)
    if (
        len(parts) < _SHORTEST
        or 2 * begun < len(letters)
        or len(parts) - begun > 1
        or short in before[start:]
    ):
        return ""
    return " ".join(before[start:].strip(" \n\t,;:").split())


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the length of the longest common subsequence."""
    lengths = [0] * (len(other) + 1)
    for item in one:
        before = lengths[:]
        for place, letter in enumerate(other, start=1):
            lengths[place] = (
                before[place - 1] + 1 if letter == item else max(before[place], lengths[place - 1])
            )
    return lengths[-1]


def _begins(text: str, place: int) -> bool:
    return place == 0 or not text[place - 1].isalnum()


def definitions(text: str, short: str) -> Iterator[str]:
    """Yield the long forms that a text gives for an abbreviation."""
    for match in re.finditer(rf"\(\s*[\"“]?{re.escape(short)}[\"”]?\s*[;,)]", text):
        if long := long_form(short, text[max(0, match.start() - 200) : match.start()].rstrip()):
            yield long
    for match in re.finditer(rf"(?<!\w){re.escape(short)}\s*\(([^()]{{3,120}})\)", text):
        if long_form(short, match[1]) == " ".join(match[1].split()):
            yield " ".join(match[1].split())


def _long_form(library: Library, short: str, scope: Scope) -> str:
    """Return the long form that most passages give; "" where none does."""
    counts = Counter(
        long.casefold() for text in _texts(library, short, scope) for long in definitions(text, short)
    )
    return min(counts, key=lambda one: (-counts[one], one)) if counts else ""


def _explains(library: Library, short: str, long: str, scope: Scope) -> bool:
    wanted = _plain(long)
    texts = _texts(library, f"{short} {long}", scope)
    return any(_plain(one).endswith(wanted) for text in texts for one in definitions(text, short))


def _texts(library: Library, words: str, scope: Scope) -> list[str]:
    ids = library.catalogue.words.holding([words], scope, _PASSAGES)
    return [chunk.text for chunk in library.catalogue.chunks(ids).values()]


def _initials(question: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, initials in capitals) of words that may be a long form, the longest first."""
    words = [(match.group(), *match.span()) for match in _WORD.finditer(question)][:_MOST_WORDS]
    for length in range(_LONGEST, _SHORTEST - 1, -1):
        for first in range(len(words) - length + 1):
            some = words[first : first + length]
            if some[0][0].casefold() in _SMALL or some[-1][0].casefold() in _SMALL:
                continue
            parts = [part for word, _, _ in some for part in re.split(r"[-'’]", word)]
            initials = "".join(part[0] for part in parts if part and part.casefold() not in _SMALL).upper()
            if len(initials) >= _SHORTEST and initials.isalpha():
                yield some[0][1], some[-1][2], initials


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))
