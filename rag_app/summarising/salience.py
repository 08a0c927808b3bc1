"""How much of what a document is about can be expected of a passage or a sentence, by where and how it stands.

Documents say what they are about at their beginning (a summary of the first sentences is hard to beat: Nenkova, 2005),
under headings such as "Overview", and in sentences that define or announce. Exhibits, references and notes
come last and are long.
"""

import re

from ingestion.documents import name_as_words
from ingestion.stores.records import Document, StoredChunk

# What the end of a document counts, of what its beginning does.
_AT_THE_END = 0.25
_TOLD, _BACK_MATTER = 1.5, 0.4
_DEFINES, _TELLS = 1.5, 1.2
# How much a sentence all of numbers loses.
_NUMBERS = 2.0
# How much it counts with each (the “Agreement”) of a contract.
_DEFINES_TERMS = 0.7
_TERM = re.compile(r"\((?:the )?(?:[“\"]|the )")

_TELLING = re.compile(
    r"\b(?:overview|executive summary|summary|abstract|introduction|conclusions?|highlights|background|about|purpose|scope|"
    r"business|results|key points|findings|zusammenfassung|einleitung|überblick|fazit|ergebnisse|résumé|aperçu|"
    r"resumen|introducción|conclusi[oó]n(?:es)?)\b",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    r"\b(?:references|bibliography|acknowledge?ments?|appendix|appendices|exhibits?|annex|signatures?|index|glossary|notes to|"
    r"accounting (?:pronouncements|standards|policies)|risk factors|legal|disclaimer|safe harbor|cautionary|"
    r"controls and procedures|certifications?|licen[cs]e|non-gaap|reconciliation|indemnification|literatur|anhang|"
    r"bibliographie|annexes?|referencias|anexo)\b",
    re.IGNORECASE,
)
_BEGINNING = r"^(?:\S+ ){0,9}?"
_IS_A = re.compile(
    _BEGINNING + r"(?:(?:is|are|was|were) (?:an?|the|one of)|ist (?:ein|eine|der|die|das)|est (?:une?|le|la)|es (?:una?|el|la)) ",
    re.IGNORECASE,
)
_VERB = re.compile(
    _BEGINNING + r"(?:is|are|was|were|provides?|develops?|designs?|offers?|operates?|describes?|presents?|shows?|examines?|explains?|"
    r"reports?|reported|announced|ist|sind|est|sont|es|son) ",
    re.IGNORECASE,
)
_OF_ITSELF = re.compile(r"(?:We|Our company|The company|The group|Wir|Nous) (?:are|is|sind|sommes)\b")


def place_weight(place: int, count: int) -> float:
    """Return how much the passage at `place` of `count` counts: 1 at the beginning, falling."""
    return 1 / (1 + (1 / _AT_THE_END - 1) * place / max(1, count))


def heading_weight(chunk: StoredChunk) -> float:
    """Return how much more, or less, is to be expected under a passage's headings."""
    _, _, headings = chunk.context.partition("›")  # behind the document's name
    if _BEHIND.search(headings):
        return _BACK_MATTER
    return _TOLD if _TELLING.search(headings) else 1.0


def names_of(document: Document) -> frozenset[str]:
    """Return the words that a document calls its subject by: those of its name and title."""
    words = re.findall(r"[^\W\d_]{3,}", f"{name_as_words(document.name)} {document.title or ''}".casefold())
    return frozenset(words)


def telling_weight(sentence: str, names: frozenset[str]) -> float:
    """Return how much more a sentence counts that says what the document's subject is or does."""
    for pattern, weight in ((_IS_A, _DEFINES), (_VERB, _TELLS)):
        match = pattern.match(sentence)
        if match and (
            _OF_ITSELF.match(sentence) or names & set(re.findall(r"[^\W\d_]{3,}", match[0].casefold()))
        ):
            return weight
    return 1.0


def defines(sentence: str, names: frozenset[str]) -> bool:
    """Return whether a sentence says what the document's subject is."""
    return telling_weight(sentence, names) == _DEFINES


def plainness(sentence: str) -> float:
    """Return 1 for a sentence in plain words, less for one full of figures or of terms that it defines; above 0."""
    words = sentence.split()
    figures = sum(any(map(str.isdigit, word)) for word in words)
    return max(0.1, 1 - _NUMBERS * figures / max(1, len(words))) * (_DEFINES_TERMS ** len(_TERM.findall(sentence)))
