"""The terms of texts and questions, plain and as keyed hashes for FTS5."""

import base64
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b

import Stemmer

from ingestion.text.acronyms import acronyms, asked_acronyms
from ingestion.text.cjk import grams, pieces, token_pattern
from ingestion.text.compounds import compounds
from ingestion.text.languages import UNDETERMINED, stem
from ingestion.text.stopwords import question_stopwords

# Terms of another version do not match these: the index is then rebuilt.
_RULES = 3
ANALYSER = f"words {_RULES}, PyStemmer {Stemmer.version()}, Unicode {unicodedata.unidata_version}"

# Distinct tokens kept in memory, at some 250 bytes each: the vocabulary of a large document.
_CACHED = 2**16
# In front of an acronym's term, so that it differs from "it" and "who"; no word begins with it.
_CAPITALS = "^"
_LONGEST_CACHED = 64  # characters, so that hostile text does not fill the memory


def terms_with_spans(text: str, language: str) -> list[tuple[str, int, int]]:
    """The terms of a text in order, each with its characters start:end.

    Spans may overlap: those of character pairs, and of "e-mail" and its parts. Numbers and dates written in
    several words come last (`ingestion.text.compounds`).

    Args:
        text: Any text.
        language: The result of `detect_language`; an unknown code has no stemmer.
    """
    found = []
    for match in token_pattern().finditer(text):
        start = match.start()
        token = match.group()
        if match.lastindex:
            parts: Iterable[tuple[str, int, int]] = _grams(token)
        else:
            parts = (_analysed if len(token) <= _LONGEST_CACHED else _analyse)(token, language)
        found += [(term, start + first, start + last) for term, first, last in parts]
    return [*found, *compounds(text, language)]


def _analyse(token: str, language: str) -> tuple[tuple[str, int, int], ...]:
    found = (
        (piece.text if piece.exact else stem(piece.text, language), piece.start, piece.end)
        for piece in pieces(token, language)
    )
    return tuple(item for item in found if item[0])


_analysed = lru_cache(maxsize=_CACHED)(_analyse)


def _grams(run: str) -> Iterator[tuple[str, int, int]]:
    return ((piece.text, piece.start, piece.end) for piece in grams(run))


class Analyser:
    """Turns text into keyed hashes of its terms: without the key, nobody can look up what was deleted.

    A hash has 64 bits: among ten million distinct words two collide with a chance of 3 in a million.
    """

    def __init__(self, key: bytes) -> None:
        """`key` is 16 to 64 random bytes. Raises ValueError for another length."""
        if not 16 <= len(key) <= 64:
            raise ValueError(
                f"The key of the index of words has {len(key)} bytes; give 16 to 64 random ones."
            )
        self._key = key
        self._hash = lru_cache(maxsize=_CACHED)(self._hash_term)
        self._hashes = lru_cache(maxsize=_CACHED)(self._hash_token)

    def terms(self, text: str, language: str) -> list[str]:
        """The hashed terms of a text in order, 13 characters of 0-9a-v each; then those of acronyms that are
        spelt like stopwords."""
        found: list[str] = []
        for match in token_pattern().finditer(text):
            token = match.group()
            if match.lastindex:
                found += [self._hash(term) for term, _, _ in _grams(token)]
            elif len(token) <= _LONGEST_CACHED:
                found += self._hashes(token, language)
            else:
                found += [self._hash_term(term) for term, _, _ in _analyse(token, language)]
        found += [self._hash(_CAPITALS + word) for word, _, _ in acronyms(text)]
        return [*found, *(self._hash(term) for term, _, _ in compounds(text, language))]

    def query(self, text: str, languages: Iterable[str]) -> list[frozenset[str]]:
        """The hashed terms of each word of a question, one term for each of its stems.

        Repeated words count once, because instructions and definitions repeat their subject. Stopwords are
        left out unless the question has no other words. The acronym "IT" is no stopword: it is searched as
        written, and in any spelling if the question is nothing else.

        Args:
            text: The question.
            languages: The languages of the documents that are searched.
        """
        spans: dict[tuple[int, int], set[str]] = {}
        known = sorted(set(languages)) or [UNDETERMINED]
        for language in known:
            for term, start, end in terms_with_spans(text, language):
                spans.setdefault((start, end), set()).add(self._hash(term))
        capitals = {(start, end): word for word, start, end in asked_acronyms(text)}
        asked = {span: text[slice(*span)] for span in sorted(spans) if span not in capitals}
        left_out = question_stopwords(asked.values(), known)
        kept = [span for span, word in asked.items() if word not in left_out]
        if not kept:
            kept = [span for span in capitals if span in spans] if capitals else list(asked)
        found = [frozenset({self._hash(_CAPITALS + word)}) for word in capitals.values()]
        found += [frozenset(spans[span]) for span in kept]
        return list(dict.fromkeys(found))

    def whole(self, word: str, languages: Iterable[str]) -> frozenset[str]:
        """The hashed terms of a whole word, without those of its parts."""
        known = sorted(set(languages)) or [UNDETERMINED]
        return frozenset(
            self._hash(term)
            for language in known
            for term, start, end in terms_with_spans(word, language)
            if (start, end) == (0, len(word))
        )

    def _hash_term(self, term: str) -> str:
        digest = blake2b(term.encode("utf-8", "surrogatepass"), digest_size=8, key=self._key).digest()
        return base64.b32hexencode(digest)[:13].decode().lower()

    def _hash_token(self, token: str, language: str) -> tuple[str, ...]:
        return tuple(self._hash(term) for term, _, _ in _analyse(token, language))
