"""Stopwords by language: words such as "what", "does" and "the" that do not tell what a question is about.

The lists come from bm25s, which has them from NLTK.
"""

from collections.abc import Iterable
from functools import cache

from ingestion.text.languages import UNDETERMINED, normalise

_LISTS = {
    "da": "STOPWORDS_DANISH",
    "de": "STOPWORDS_GERMAN",
    "en": "STOPWORDS_EN_PLUS",
    "es": "STOPWORDS_SPANISH",
    "fr": "STOPWORDS_FRENCH",
    "it": "STOPWORDS_ITALIAN",
    "nb": "STOPWORDS_NORWEGIAN",
    "nl": "STOPWORDS_DUTCH",
    "nn": "STOPWORDS_NORWEGIAN",
    "no": "STOPWORDS_NORWEGIAN",
    "pt": "STOPWORDS_PORTUGUESE",
    "ru": "STOPWORDS_RUSSIAN",
    "sv": "STOPWORDS_SWEDISH",
    "tr": "STOPWORDS_TURKISH",
    UNDETERMINED: "STOPWORDS_EN_PLUS",
}


# Fragments of contractions ("won", "d"), which are words here, and further stopwords. Not "may": it is a
# month.
_ENGLISH_FRAGMENTS = frozenset({
    "ain", "aren", "couldn", "d", "didn", "doesn", "don", "hadn", "hasn", "haven", "isn", "ll", "m", "ma",
    "mightn", "mustn", "needn", "o", "re", "shan", "shouldn", "t", "ve", "wasn", "weren", "won", "wouldn",
    "y",
})  # fmt: skip
_MORE_ENGLISH = frozenset({"could", "might", "must", "shall", "whose", "would"})

_APOSTROPHES = str.maketrans(dict.fromkeys("’ʼ＇", "'"))


@cache
def stopwords_of(language: str) -> frozenset[str]:
    """The stopwords of a language (ISO 639-1), normalised; none for a language without a list."""
    from bm25s import stopwords  # with it comes all of scipy, which most commands do without

    listed = getattr(stopwords, _LISTS[language]) if language in _LISTS else ()
    words = frozenset(_plain(word, language) for word in listed)
    return (words - _ENGLISH_FRAGMENTS) | _MORE_ENGLISH if language in ("en", UNDETERMINED) else words


def is_stopword(word: str) -> bool:
    """Whether a word in lower case is a stopword of any language."""
    return word in _of_any_language()


def question_stopwords(question: Iterable[str], languages: Iterable[str]) -> frozenset[str]:
    """The stopwords among a question's words, in the language in which it has the most of them.

    "war" is a stopword in German and a subject in English: if two languages have equally many, only the
    stopwords of both count.
    """
    asked = set(question)
    found = [
        frozenset(word for word in asked if _plain(word, language) in stopwords_of(language))
        for language in languages
    ]
    most = max(map(len, found), default=0)
    best = [words for words in found if len(words) == most]
    return frozenset.intersection(*best) if best else frozenset()


@cache
def _of_any_language() -> frozenset[str]:
    return frozenset().union(*map(stopwords_of, _LISTS))


def _plain(word: str, language: str) -> str:
    """A word in lower case with one form of apostrophe."""
    return normalise(word, language).translate(_APOSTROPHES)
