"""What kind of question is asked: small talk, or one about the library itself; others are for the documents.

The whole question decides, and every word of it: "Thanks!" is small talk, "Thanks to whom was it built?" is
not; "How many documents are there?" is about the library, "How many documents does a visa need?" is not.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache

from rag_app.answering.questions.library_questions import PATTERNS
from rag_app.answering.questions.phrases import PHRASES


class QuestionKind(Enum):
    """What is asked for. Of several kinds of small talk in one question the first counts."""

    ABILITIES = "abilities"
    WHO = "who"
    GOODBYE = "goodbye"
    THANKS = "thanks"
    GREETING = "greeting"
    OK = "ok"
    # About the library itself
    LIST = "list"
    COUNT = "count"
    NEWEST = "newest"
    ADDED = "added"

    @property
    def is_small_talk(self) -> bool:
        return self.value in PHRASES["en"]


@dataclass(frozen=True, slots=True)
class AppQuestion:
    """What a question asks of the application, in which language; `name` is what it calls a document."""

    kind: QuestionKind
    language: str
    name: str = ""


# Longer questions are for the documents, whatever they begin with.
_MOST_WORDS = 16
_MOST_CHARACTERS = 200
_WORDS = re.compile(r"[^\W_]+")
_APOSTROPHES = re.compile(r"['’ʼ＇`´]")
# In capitals "NO", "SI" and "TAK" are acronyms as well.
_SHORT_CAPITALS = re.compile(r"[A-Z]{2,3}")
_SAID_IN_CAPITALS = frozenset({"OK", "YES", "HI", "HEY", "BYE", "THX"})
_KINDS = {kind.value: kind for kind in QuestionKind}


def kind_of(question: str) -> AppQuestion | None:
    """Return what a question asks of the application itself; None where it is for the documents."""
    if len(question) > _MOST_CHARACTERS:
        return None
    return _small_talk(question) or _of_library(question)


def is_small_talk(question: str) -> bool:
    """Return whether a question asks for nothing that documents or library know."""
    return len(question) <= _MOST_CHARACTERS and _small_talk(question) is not None


def _small_talk(question: str) -> AppQuestion | None:
    said = unicodedata.normalize("NFC", question).strip()
    if said and not any(map(str.isalnum, said)):
        # Emoji and nothing else; "?" and "…" are no question at all.
        return AppQuestion(QuestionKind.OK, "en") if any(map(_is_emoji, said)) else None
    bare = said.strip(" .!?¡¿")
    if _SHORT_CAPITALS.fullmatch(bare) and bare not in _SAID_IN_CAPITALS:
        return None
    words = _WORDS.findall(_APOSTROPHES.sub("", said.casefold()))
    if not 0 < len(words) <= _MOST_WORDS:
        return None
    for language in PHRASES:
        kinds = _made_of_phrases(tuple(words), language)
        if kinds:
            kind = min(kinds, key=list(QuestionKind).index)
            # "Perfect?" asks for something.
            return None if kind is QuestionKind.OK and said.endswith("?") else AppQuestion(kind, language)
    return None


def _is_emoji(character: str) -> bool:
    return unicodedata.category(character) == "So"


def _made_of_phrases(words: tuple[str, ...], language: str) -> set[QuestionKind]:
    """Return the kinds of the phrases that words are made of; none where a word is left over."""
    phrases, longest = _phrases(language)
    kinds: set[QuestionKind] = set()
    place = 0
    while place < len(words):
        for size in range(min(longest, len(words) - place), 0, -1):
            phrase = words[place : place + size]
            if phrase in phrases:
                kind = phrases[phrase]
                kinds |= {kind} if kind else set()
                place += size
                break
        else:
            return set()
    return kinds


@cache
def _phrases(language: str) -> tuple[dict[tuple[str, ...], QuestionKind | None], int]:
    """Return the phrases by their words, None for a filler, and the length of the longest."""
    found: dict[tuple[str, ...], QuestionKind | None] = {}
    for name, text in reversed(list(PHRASES[language].items())):  # a phrase of two kinds is of the first
        for phrase in text.split("/"):
            found[tuple(_WORDS.findall(phrase.casefold()))] = _KINDS.get(name)
    return found, max(map(len, found))


def _of_library(question: str) -> AppQuestion | None:
    plain = " ".join(unicodedata.normalize("NFC", question).split()).strip(' ?!.…¿¡:"“”')
    for language, kind, pattern in _patterns():
        match = pattern.fullmatch(plain)
        if match:
            name = (match.groupdict().get("name") or "").strip(' "“”«»„')
            return AppQuestion(kind, language, name)
    return None


@cache
def _patterns() -> tuple[tuple[str, QuestionKind, re.Pattern[str]], ...]:
    return tuple(_compiled())


def _compiled() -> Iterator[tuple[str, QuestionKind, re.Pattern[str]]]:
    for language, kinds in PATTERNS.items():
        for name, patterns in kinds.items():
            for pattern in patterns:
                yield language, _KINDS[name], re.compile(pattern.replace("'", "['’]?"), re.IGNORECASE)
