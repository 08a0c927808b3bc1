"""Questions in documents, and the sentences that answer them: lists of questions and answers.

A question in a document matches a person's question better than its answer does, but answers nothing. So it
counts as the heading of the sentences below it, and is not quoted.
"""

import re
from collections.abc import Sequence

from ingestion.text.stopwords import stopwords_of
from ingestion.text.terms import terms_with_spans

# The answer to a question ends after this many sentences, or at the next question.
_MOST_FOLLOWING = 5
_MARKS = "*_~`\"'”’»)]} \t"
_ASKS = re.compile(r"[?？؟]$")
_ENDS = re.compile(r"[.!。！:;]$")
_LABEL = re.compile(r"^\W*(?:q|question|frage|pregunta|domanda|f|p)?\s*\d{0,3}\s*[.:)]\s*", re.IGNORECASE)
_ASKING_WORD = re.compile(
    r"^\W*(?:q\W+)?(?:how|what|where|who|whom|whose|when|why|which|can|may|do|does|is|are|should|wie|was|wo|wer|wann|"
    r"warum|welche[rs]?|kann|darf|comment|où|qui|quand|pourquoi|quel(?:le)?s?|cómo|qué|dónde|quién|cuándo|"
    r"por qué|cuál)\b",
    re.IGNORECASE,
)
_LONGEST_HEADING = 12  # words


def is_question(sentence: str) -> bool:
    """Return whether a sentence of a document is a question."""
    return _ASKS.search(sentence.rstrip(_MARKS)) is not None


def repeats(question: str, sentence: str) -> bool:
    """Return whether a line without a question mark asks, with no content word beyond the question's."""
    plain = _LABEL.sub("", sentence).rstrip(_MARKS)
    if _ENDS.search(plain) or len(plain.split()) > _LONGEST_HEADING:
        return False
    said = _content(plain)
    asks = _ASKING_WORD.match(plain) is not None
    return len(said) > 1 and asks and said <= _content(question)


def questions_above(
    question: str, sentences: Sequence[str], *, is_answer: bool = False
) -> dict[int, int | None]:
    """Return the place of a sentence → the place of the question that it answers.

    A question itself has None; sentences that neither ask nor answer are left out.

    Args:
        is_answer: The passage before ends with a question, whose place is -1.
    """
    found: dict[int, int | None] = {}
    above, behind = -1 if is_answer else None, 0
    for place, sentence in enumerate(sentences):
        if is_question(sentence) or repeats(question, sentence):
            found[place] = None
            above, behind = place, 0
        elif above is not None and behind < _MOST_FOLLOWING and any(map(str.isalnum, sentence)):
            found[place] = above
            behind += 1
    return found


def _content(text: str) -> set[str]:
    plain = {term: text[start:end].casefold() for term, start, end in terms_with_spans(text, "en")}
    return {term for term, word in plain.items() if word not in stopwords_of("en")}
