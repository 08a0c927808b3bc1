"""What names a document: its file's name and folder, its organisation, its title, its first pages, its years.

"MGM's 2020 10-K", "the rotator cuff protocol", "ORCL": a question says in its words which document it means.
Documents are looked up by the question's words, so that the cost hardly grows with the library.
"""

import math
import re
import threading
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from typing import Self
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ingestion.fields.values import DocumentFields, DocumentType
from ingestion.library import Library
from ingestion.storage.catalogue.records import Document, Scope
from ingestion.text.languages import stem
from ingestion.text.names import UPLOAD
from ingestion.text.stopwords import question_stopwords

# How far a document is read for what names it: covers, titles, the first lines of a form.
_PAGES = 3
_CHARACTERS = 3000
# The first lines: a report's company and period, a paper's title.
_HEAD = 600
# To read a document's first pages takes 1 to 2 ms. Among more documents than these, names and titles tell.
MOST_READ = 1000
# Words of a question that may be one word of a file's name: "Boston Properties", BOSTONPROPERTIES.
_MOST_GLUED = 4
# Words of a name that a question may say in full: "annual performance report".
MOST_IN_FULL = 4
# "MGM" begins MGMRESORTS: the fewest letters of a beginning, and of the name.
_BEGINNING, _NAME = 3, 5
_OF_A_BEGINNING = 0.7
_WORD = re.compile(r"[^\W_]+(?:&[^\W_]+)*")
_POSSESSIVE = re.compile(r"['’]s\b|(?<=s)['’](?=\s|$)")
_PARTS_OF_A_NAME = re.compile(r"[^\W_]+")
# "UnitTest" is two words.
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_YEAR = re.compile(r"(?:19|20)\d\d")
_ASKED_YEAR = re.compile(r"(?:fy|cy|h[12]|q[1-4])?((?:19|20)\d\d)")
_SHORT_YEAR = re.compile(r"(?:fy|cy)(\d\d)")
# Documents about their period; the date of another one says little of what it is about.
_OF_A_PERIOD = (
    DocumentType.ANNUAL_REPORT,
    DocumentType.QUARTERLY_REPORT,
    DocumentType.CURRENT_REPORT,
    DocumentType.EARNINGS_RELEASE,
)
# Words of an organisation that name none.
_LEGAL_FORMS = frozenset(
    ["inc", "incorporated", "corp", "corporation", "co", "company", "ltd", "limited", "llc", "plc", "gmbh",
     "ag", "the", "of", "and", "for", "group", "international"]
)  # fmt: skip
# Both sides are stemmed alike, so that a rule of another language does no harm.
_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Naming:
    """How a question names each of n documents.

    Attributes:
        names: [n] the rarity of the question's words that stand in a document's name, added up.
        openings: [n] the same of words that only its title or its first pages have.
        years: [n] 1 where the question's latest year stands in the name, .5 where another year of it does.
        other_years: [n] 1 where the name has years and the question others.
        words: By a document's place, the (start, end) of the question's words that stand in its name.
    """

    names: NDArray[np.float64]
    openings: NDArray[np.float64]
    years: NDArray[np.float64]
    other_years: NDArray[np.float64]
    words: Mapping[int, frozenset[tuple[int, int]]]


class DocumentNames:
    """The names of some documents, to be looked up by words."""

    def __init__(self, documents: Sequence["NamedDocument"]) -> None:
        self.documents = tuple(documents)
        self.places = {one.id: place for place, one in enumerate(self.documents)}
        self._by_name = _listed(one.names for one in documents)
        self._by_stem = _listed({_stemmed(name) for name in one.names} for one in documents)
        self._by_opening = _listed(one.opening for one in documents)
        self._by_head = _listed(one.head for one in documents)
        self._in_full = _listed(one.in_full for one in documents)
        self._sorted = sorted(name for name in self._by_name if len(name) >= _NAME)
        self._dated = [(place, one.years) for place, one in enumerate(self.documents) if one.years]

    def called(self, word: str) -> frozenset[int]:
        """Return the places of the documents with a word in their files' names, in any inflected form."""
        return frozenset((*self._by_name.get(word, ()), *self._by_stem.get(_stemmed(word), ())))

    def called_in_full(self, words: Sequence[str]) -> frozenset[int]:
        """Return the places of the documents whose name or title consists of just these words."""
        return frozenset(self._in_full.get(_in_full(words), ()))

    def beginning_with(self, word: str) -> frozenset[int]:
        """Return the places of the documents with a word in their files' names that begins so."""
        return frozenset(place for begun in self._beginning_with(word) for place in self._by_name[begun])

    def headed(self, word: str) -> frozenset[int]:
        """Return the places of the documents whose title or first lines have a word."""
        return frozenset(self._by_head.get(_stemmed(word), ()))

    def naming(self, question: str) -> Naming:
        """Return how a question names the documents."""
        words = words_of(question)
        plain = [word.casefold() for word, _ in words]
        asked = {place: year for place, word in enumerate(plain) if (year := asked_year(word))}
        left_out = question_stopwords(plain, ("en", "de", "fr", "es"))
        sought = [
            place
            for place, word in enumerate(plain)
            if word not in left_out and place not in asked and not word.isdigit()
        ]
        found: dict[int, dict[int, float]] = defaultdict(dict)  # document → word → rarity

        def note(documents: Iterable[int], word: int, rarity: float) -> None:
            for document in documents:
                found[document][word] = max(found[document].get(word, 0.0), rarity)

        for places, name in glued(plain):
            those = self._by_name.get(name, ())
            for place in places:
                note(those, place, self._rarity(len(those)) / len(places))
        is_lower = question == question.casefold()
        openings = np.zeros(len(self.documents))
        for place in sought:
            word, stemmed = plain[place], _stemmed(plain[place])
            read = self._by_opening.get(stemmed, ())
            named = self._by_stem.get(stemmed, ())
            note(named, place, self._rarity(max(len(named), len(read))))
            if is_lower or words[place][0][0].isupper() or not place:
                for begun in self._beginning_with(word):
                    those = self._by_name[begun]
                    note(those, place, _OF_A_BEGINNING * self._rarity(max(len(those), len(read))))
        for place in sought:
            read = self._by_opening.get(_stemmed(plain[place]), ())
            for document in read:
                if place not in found.get(document, ()):
                    openings[document] += self._rarity(len(read))
        return self._naming(found, openings, asked, words)

    def _naming(
        self,
        found: Mapping[int, Mapping[int, float]],
        openings: NDArray[np.float64],
        asked: Mapping[int, str],
        words: Sequence[tuple[str, tuple[int, int]]],
    ) -> Naming:
        names = np.zeros(len(self.documents))
        for document, rarities in found.items():
            names[document] = sum(rarities.values())
        years, other_years = np.zeros(len(self.documents)), np.zeros(len(self.documents))
        spans = {document: {words[word][1] for word in rarities} for document, rarities in found.items()}
        if asked:
            latest, every = max(asked.values()), set(asked.values())
            for document, own in self._dated:
                years[document] = 1.0 if latest in own else 0.5 if every & own else 0.0
                other_years[document] = float(not every & own)
                if document in spans:
                    spans[document] |= {words[word][1] for word, year in asked.items() if year in own}
        return Naming(
            names, openings, years, other_years, {one: frozenset(some) for one, some in spans.items()}
        )

    def _rarity(self, documents: int) -> float:
        return math.log((len(self.documents) + 1) / max(documents, 1))

    def _beginning_with(self, word: str) -> Iterator[str]:
        if len(word) < _BEGINNING:
            return
        for place in range(bisect_left(self._sorted, word), len(self._sorted)):
            if not self._sorted[place].startswith(word):
                return
            yield self._sorted[place]


@dataclass(frozen=True, slots=True)
class NamedDocument:
    """A document by what names it: words of its names in lower case, stems of its opening, years.

    `in_full` are its names and its title, without numbers, as stems with a space between; `head` are the
    stems of its title and of the first lines.
    """

    id: str
    label: str
    names: frozenset[str]
    opening: frozenset[str]
    years: frozenset[str]
    in_full: frozenset[str] = frozenset()
    head: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, document: Document, fields: DocumentFields, opening: frozenset[str], head: frozenset[str]
    ) -> Self:
        """Return a document by its names.

        What a person wrote of it counts like its file's name, what is recognised like its first page: a name
        that rules found has words, such as "blood" of a hospital, by which nobody means the document.
        """
        files = [PurePath(name).stem for name in document.names]
        folders = [PurePath(p).parent.name for p in document.paths if not p.startswith(UPLOAD)]
        values, edits = fields.values, fields.edits
        written = [edits.get("title", ""), edits.get("organisation", "")]
        parts = [part for one in (*files, *folders, *written) for part in _PARTS_OF_A_NAME.findall(one)]
        words = {word.casefold() for part in parts for word in (part, *_CAMEL.split(part))}
        if any(written):
            words -= _LEGAL_FORMS
        names = frozenset(word for word in words if len(word) > 1 and not word.isdigit())
        told = f"{document.title or ''} {values.title}"
        whole = (_in_full(_words_of_a_name(name)) for name in (*files, document.title or "", *written))
        period = _YEAR.findall(values.period)
        years = {year for one in files for year in _YEAR.findall(one)} or _YEAR.findall(told)
        if period and (edits.get("period") or (not years and values.type in _OF_A_PERIOD)):
            years = period
        return cls(
            document.id,
            document.label,
            names,
            opening | stems_of(f"{told} {values.organisation}"),
            frozenset(years),
            frozenset(one for one in whole if one),
            head | stems_of(document.title or ""),
        )


# By id and version of a document, the stems of its opening and of its head.
_Openings = dict[tuple[str, int], tuple[frozenset[str], frozenset[str]]]


class NamesOfLibraries:
    """The names of each library's documents; a document is read once, as long as it is the same."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._openings: WeakKeyDictionary[Library, _Openings] = WeakKeyDictionary()
        self._names: WeakKeyDictionary[Library, tuple[int, Scope, DocumentNames]] = WeakKeyDictionary()

    def of(self, library: Library, scope: Scope) -> DocumentNames:
        """Return the names of the scope's documents."""
        with self._lock:
            changes = library.catalogue.database.changes
            known = self._names.get(library)
            if known and known[:2] == (changes, scope):
                return known[2]
            documents = [
                one
                for one in (library.catalogue.documents(scope.collections) if scope.collections else ())
                if scope.documents is None or one.id in scope.documents
            ]
            openings = self._openings.setdefault(library, {})
            is_read = len(documents) <= MOST_READ
            fields = library.fields.of(documents) if is_read else library.fields.stored(documents)
            names = DocumentNames(
                [
                    NamedDocument.of(
                        one, fields[one.id], *_opening(library, one, openings if is_read else None)
                    )
                    for one in documents
                ]
            )
            self._names[library] = changes, scope, names
            return names


def words_of(question: str) -> list[tuple[str, tuple[int, int]]]:
    """Return a question's words without a possessive's s, each with its (start, end)."""
    return [(match.group(), match.span()) for match in _WORD.finditer(_POSSESSIVE.sub(_blank, question))]


def stems_of(text: str) -> frozenset[str]:
    return frozenset(_stemmed(word.casefold()) for word in _WORD.findall(_POSSESSIVE.sub(" ", text)))


def _opening(
    library: Library, document: Document, known: _Openings | None
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the stems of a document's opening, and of its head; none where it is not read."""
    if known is None:
        return frozenset(), frozenset()
    key = document.id, document.version
    if key not in known:
        pages = (library.catalogue.page(document.id, number) for number in range(1, _PAGES + 1))
        text = " ".join(page.text for page in pages if page)
        known[key] = stems_of(text[:_CHARACTERS]), stems_of(text[:_HEAD])
    return known[key]


def _words_of_a_name(name: str) -> list[str]:
    return [word.casefold() for part in _PARTS_OF_A_NAME.findall(name) for word in _CAMEL.split(part)]


def _in_full(words: Sequence[str]) -> str:
    """Return words that are a name in full; "" of more words than a question would say."""
    stems = [_stemmed(word) for word in words if not word.isdigit()]
    return " ".join(stems) if len(stems) <= MOST_IN_FULL else ""


def glued(words: Sequence[str]) -> Iterator[tuple[range, str]]:
    """Yield the places of words that may be one word of a file's name, and that word."""
    for length in range(2, _MOST_GLUED + 1):
        for first in range(len(words) - length + 1):
            name = "".join(words[first : first + length])
            if len(name) > _BEGINNING:
                yield range(first, first + length), name


def asked_year(word: str) -> str:
    """Return the year that a word in lower case is, such as "2022" or "fy22"; "" for another word."""
    if match := _ASKED_YEAR.fullmatch(word):
        return match[1]
    match = _SHORT_YEAR.fullmatch(word)
    return f"20{match[1]}" if match else ""


def _listed(sets: Iterable[Iterable[str]]) -> dict[str, "array[int]"]:
    """Return the places of the sets that hold each word."""
    found: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
    for place, words in enumerate(sets):
        for word in words:
            found[word].append(place)
    return dict(found)


@lru_cache(maxsize=2**15)
def _stemmed(word: str) -> str:
    return stem(word, _LANGUAGE)


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())
