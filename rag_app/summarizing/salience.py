"""Salience: weights of passages and sentences by their place, heading and form.

Documents state their subject at the beginning (the first sentences are a summary that is hard to beat:
Nenkova, 2005), under headings such as "Overview", and in sentences that define or announce. Exhibits,
references and notes come last and are long.
"""

import re

from ingestion.documents import name_as_words
from ingestion.storage.catalogue.records import Document, StoredChunk

# The weight of a document's end (its beginning has 1), and those of certain headings.
_AT_THE_END = 0.25
_TOLD, _BACK_MATTER = 1.5, 0.4
# The weights of a definition, and of a sentence that says what its subject does.
_DEFINES, _TELLS = 1.5, 1.2
# The loss of a sentence of numbers alone.
_NUMBERS = 2.0
# The factor for each defined term of a contract: (the “Agreement”).
_DEFINES_TERMS = 0.7
_TERM = re.compile(r"\((?:the )?(?:[“\"]|the )")

_TELLING = re.compile(
    r"\b(?:overview|executive summary|summary|abstract|introduction|conclusions?|highlights|background|about|"
    r"purpose|scope|business|results|key points|findings|zusammenfassung|einleitung|überblick|fazit|"
    r"ergebnisse|résumé|aperçu|resumen|introducción|conclusi[oó]n(?:es)?)\b",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    r"\b(?:references|bibliography|acknowledge?ments?|appendix|appendices|exhibits?|annex|signatures?|index|"
    r"glossary|notes to|accounting (?:pronouncements|standards|policies)|basis of presentation|risk factors|"
    r"financial statements|legal|disclaimer|safe harbor|cautionary|controls and procedures|certifications?|"
    r"officers|directors|licen[cs]e|non-gaap|reconciliation|indemnification|literatur|anhang|bibliographie|"
    r"annexes?|referencias|anexo)\b",
    re.IGNORECASE,
)
# The subject of a sentence has nine words at most.
_SUBJECT = r"^(?:\S+ ){0,9}?"
_IS_A = re.compile(
    _SUBJECT + r"(?:(?:is|are|was|were) (?:an?|the|one of)|ist (?:ein|eine|der|die|das)|est (?:une?|le|la)|"
    r"es (?:una?|el|la)) ",
    re.IGNORECASE,
)
_VERB = re.compile(
    _SUBJECT
    + r"(?:is|are|was|were|provides?|develops?|designs?|offers?|operates?|describes?|presents?|shows?|"
    r"examines?|explains?|reports?|reported|announced|ist|sind|est|sont|es|son) ",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{3,}")
_OF_ITSELF = re.compile(r"(?:We|Our company|The company|The group|Wir|Nous) (?:are|is|sind|sommes)\b")


def place_weight(place: int, count: int) -> float:
    """Return the weight of the passage at `place` of `count`: 1 at the beginning, falling."""
    return 1 / (1 + (1 / _AT_THE_END - 1) * place / max(1, count))


def heading_weight(chunk: StoredChunk) -> float:
    """Return the weight of a passage by its headings."""
    _, _, headings = chunk.context.partition("›")  # behind the document's name
    if _BEHIND.search(headings):
        return _BACK_MATTER
    return _TOLD if _TELLING.search(headings) else 1.0


def names_of(document: Document) -> frozenset[str]:
    """Return the words of a document's name and title, which name its subject."""
    return frozenset(_WORD.findall(f"{name_as_words(document.name)} {document.title or ''}".casefold()))


def telling_weight(sentence: str, names: frozenset[str]) -> float:
    """Return the weight of a sentence: above 1 where it says what the document's subject is or does."""
    for pattern, weight in ((_IS_A, _DEFINES), (_VERB, _TELLS)):
        match = pattern.match(sentence)
        if match and (_OF_ITSELF.match(sentence) or names & frozenset(_WORD.findall(match[0].casefold()))):
            return weight
    return 1.0


def defines(sentence: str, names: frozenset[str]) -> bool:
    """Return whether a sentence says what the document's subject is."""
    return telling_weight(sentence, names) == _DEFINES


def plainness(sentence: str) -> float:
    """Return 1 for a sentence in plain words, less (above 0) for figures and defined terms."""
    words = sentence.split()
    figures = sum(any(map(str.isdigit, word)) for word in words)
    return max(0.1, 1 - _NUMBERS * figures / max(1, len(words))) * (
        _DEFINES_TERMS ** len(_TERM.findall(sentence))
    )
