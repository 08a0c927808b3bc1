"""A question with its glossary's words in the place of its own: "capex" as the documents write it."""

import re
from collections.abc import Sequence

from ingestion.text.stopwords import stopwords_of
from retrievers.glossary import Meaning

# Of all terms together, in the order in which the glossary has them.
_MOST_FORMS = 3
# Where to look rather than what to look for.
_PLACES = ("statement", "balance sheet")
_MOSTLY = 0.6  # of a form's words stand in one line: it is written there


def spelled_out(question: str, meanings: Sequence[Meaning]) -> list[str]:
    """Return the question with each term replaced by what was also looked for, one at a time.

    Args:
        question: As it was searched for.
        meanings: Their places are characters of the question.
    """
    found: list[str] = []
    for one in meanings:
        for also in one.also:
            if question[one.start : one.end] == one.term and not any(place in also for place in _PLACES):
                found.append(f"{question[: one.start]}{also}{question[one.end :]}")
    return found[:_MOST_FORMS]


def best_form(question: str, meanings: Sequence[Meaning], passages: Sequence[str]) -> str:
    """Return a question with each term as a line of the passages writes it; one that they write stays.

    Args:
        question: In any form: terms are found by their words.
        meanings: Of the question.
        passages: That were found for it.
    """
    lines = [set(_words(line)) for text in passages for line in text.split("\n")]

    def written(form: str) -> float:
        """The largest share of the form's words that one line has."""
        words = _words(form)
        return max((sum(word in line for word in words) / len(words) for line in lines if words), default=0.0)

    for one in meanings:
        forms = [also for also in one.also if not any(place in also for place in _PLACES)]
        best = max(forms, key=written, default=one.term)
        if written(best) >= _MOSTLY and written(one.term) < 1:
            question = question.replace(one.term, best, 1)
    return question


def _words(text: str) -> list[str]:
    return [word for word in re.findall(r"\w+", text.casefold()) if word not in stopwords_of("en")]
