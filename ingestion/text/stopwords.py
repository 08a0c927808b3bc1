"""Words that a question is built with and that say nothing of what it is about: "what", "does", "the".

The lists are those of bm25s, which are NLTK's.
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


# What is left of contractions that were cut in two ("won", "d"), which mean something here; and words of the
# same kind that the list leaves out. Not "may": it is a month.
_ENGLISH_FRAGMENTS = frozenset({
    "ain", "aren", "couldn", "d", "didn", "doesn", "don", "hadn", "hasn", "haven", "isn", "ll", "m", "ma",
    "mightn", "mustn", "needn", "o", "re", "shan", "shouldn", "t", "ve", "wasn", "weren", "won", "wouldn",
    "y",
})  # fmt: skip
_MORE_ENGLISH = frozenset({"could", "might", "must", "shall", "whose", "would"})

_APOSTROPHES = str.maketrans(dict.fromkeys("’ʼ＇", "'"))


@cache
def stopwords_of(language: str) -> frozenset[str]:
    """Return a language's function words, normalised; none for a language without a list."""
    from bm25s import stopwords  # with it comes all of scipy, which most commands do without

    listed = getattr(stopwords, _LISTS[language]) if language in _LISTS else ()
    words = frozenset(_plain(word, language) for word in listed)
    return (words - _ENGLISH_FRAGMENTS) | _MORE_ENGLISH if language in ("en", UNDETERMINED) else words


def is_stopword(word: str) -> bool:
    """Return whether a word in lower case is a function word of any language that has a list."""
    return word in _of_any_language()


def question_stopwords(question: Iterable[str], languages: Iterable[str]) -> frozenset[str]:
    """Return the function words among a question's words, in the one of the languages that it has most of.

    "war" is one in German, and a subject in English: where two languages have as many, only what is one
    in both counts.
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
    """Return a word in lower case and one spelling, its apostrophes too."""
    return normalise(word, language).translate(_APOSTROPHES)
