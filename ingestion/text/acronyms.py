"""Acronyms that are spelt like stopwords: "the IT budget", "WHO guideline", "a US invoice".

In lower case they equal "it", "who" and "us", so each also gets a term of its own.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from ingestion.text.stopwords import is_stopword

# A longer word in capitals is an emphasis.
_LONGEST = 4
# Emphasis, and the operators of other search engines.
_EMPHASIS = frozenset({"AND", "NOT", "OR"})
# Capitals mean something in a short line in capitals, a heading, but not in a longer one.
_WORDS_OF_A_HEADING = 5
_WORDS_OF_A_SEARCH = 2
# "IT", "A.M.", "IT-Budget", "(WHO)".
_CAPITALS = re.compile(rf"(?<![\w.])(?:[A-Z]{{2,{_LONGEST}}}|[A-Z](?:\.[A-Z]){{1,{_LONGEST - 1}}}\.?)(?!\w)")
_WORD = re.compile(r"[^\W\d_]+")


def acronyms(text: str, most_words: int = _WORDS_OF_A_HEADING) -> Iterator[tuple[str, int, int]]:
    """Yield the acronyms of a text that are spelt like stopwords of any language: (in lower case without
    points, start, end).

    A line in capitals of more than `most_words` words, such as "IT WAS RAINING", has none.
    """
    for match in _CAPITALS.finditer(text):
        word = _acronym(match.group())
        if word and not _shouted(text, match.start(), match.end(), most_words):
            yield word, match.start(), match.start() + len(match.group().rstrip("."))


def asked_acronyms(question: str) -> Iterator[tuple[str, int, int]]:
    """Yield the acronyms of a question. A question in capitals has some only if it is one or two words."""
    return acronyms(question, _WORDS_OF_A_SEARCH)


def without_acronyms(question: str) -> str:
    """Replace a question's acronyms by "X", so that none is mistaken for a pronoun."""
    plain = question
    for _, start, end in asked_acronyms(question):
        plain = plain[:start] + "X" * (end - start) + plain[end:]
    return plain


@lru_cache(maxsize=2**12)
def _acronym(capitals: str) -> str:
    word = capitals.replace(".", "")
    return word.lower() if word not in _EMPHASIS and is_stopword(word.lower()) else ""


def _shouted(text: str, start: int, end: int, most_words: int) -> bool:
    following = text.find("\n", end)
    line = text[text.rfind("\n", 0, start) + 1 : following if following >= 0 else len(text)]
    return line.isupper() and len(_WORD.findall(line)) > most_words
