"""The kind of a question: small talk, or about the library itself; all others are for the documents.

Every word decides: "Thanks!" is small talk, "Thanks to whom was it built?" is not; "How many documents are
there?" is about the library, "How many documents does a visa need?" is not.
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
    """What a question asks for. Of several kinds of small talk in one question the first counts."""

    ABILITIES = "abilities"
    WHO = "who"
    GOODBYE = "goodbye"
    THANKS = "thanks"
    MAKER = "maker"
    SORRY = "sorry"
    PRAISE = "praise"
    WELLBEING = "wellbeing"
    TEST = "test"
    GREETING = "greeting"
    OK = "ok"
    # About the library itself
    LIST = "list"
    COUNT = "count"
    NEWEST = "newest"
    ADDED = "added"
    OLDEST = "oldest"
    LONGEST = "longest"
    SIZE = "size"
    PAGES = "pages"
    MENTIONS = "mentions"
    ABOUT = "about"
    EXISTS = "exists"
    LANGUAGE = "language"

    @property
    def is_small_talk(self) -> bool:
        return self.value in PHRASES["en"]


@dataclass(frozen=True, slots=True)
class AppQuestion:
    """A question to the application, and its language.

    `name` is a document's name in the question, or what documents are asked to mention. Whether such a
    document exists decides whether the question is one to the application after all.
    """

    kind: QuestionKind
    language: str
    name: str = ""


# Longer questions are for the documents.
_MOST_WORDS = 16
_MOST_CHARACTERS = 200
_WORDS = re.compile(r"[^\W_]+")
# "How many pages does it have?" asks of what was spoken of before.
_POINTS_BACK = re.compile(
    r"^(?:it|this|that|these|those|they|them|he|she|him|her|there|es|das|dies|er|sie|ihn|ça|cela|il|elle|"
    r"ello|esto|eso)$|"
    r"^(?:its|their|his|her) ",
    re.IGNORECASE,
)
# "hellooo", "thaaanks"
_DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}")
_APOSTROPHES = re.compile(r"['’ʼ＇`´]")
# In capitals "NO", "SI" and "TAK" may be acronyms.
_SHORT_CAPITALS = re.compile(r"[A-Z]{2,3}")
_SAID_IN_CAPITALS = frozenset({"OK", "YES", "HI", "HEY", "BYE", "THX"})
_KINDS = {kind.value: kind for kind in QuestionKind}


def kind_of(question: str) -> AppQuestion | None:
    """Return what a question asks of the application itself; None for a question to the documents."""
    if len(question) > _MOST_CHARACTERS:
        return None
    return _small_talk(question) or _of_library(question)


def is_aside(question: str) -> bool:
    """Return whether a question names nothing that a later question could refer to."""
    asked = kind_of(question)
    return asked is not None and not asked.name


def is_small_talk(question: str) -> bool:
    """Return whether a question asks nothing of documents or library."""
    return len(question) <= _MOST_CHARACTERS and _small_talk(question) is not None


def _small_talk(question: str) -> AppQuestion | None:
    said = unicodedata.normalize("NFC", question).strip()
    if said and not any(map(str.isalnum, said)):
        # Emoji alone are small talk; "?" and "…" are no question.
        return AppQuestion(QuestionKind.OK, "en") if any(map(_is_emoji, said)) else None
    bare = said.strip(" .!?¡¿")
    if _SHORT_CAPITALS.fullmatch(bare) and bare not in _SAID_IN_CAPITALS:
        return None
    words = _WORDS.findall(_APOSTROPHES.sub("", _DRAWN_OUT.sub(r"\1", said.casefold())))
    if not 0 < len(words) <= _MOST_WORDS:
        return None
    for language in PHRASES:
        kinds = _made_of_phrases(tuple(words), language)
        if kinds:
            kind = min(kinds, key=list(QuestionKind).index)
            # "Perfect?" is a question.
            return None if kind is QuestionKind.OK and said.endswith("?") else AppQuestion(kind, language)
    return None


def _is_emoji(character: str) -> bool:
    return unicodedata.category(character) == "So"


def _made_of_phrases(words: tuple[str, ...], language: str) -> set[QuestionKind]:
    """Return the kinds of the phrases that the words consist of; none where a word is left over."""
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
    """Return words of a phrase → its kind (None: a filler), and the length of the longest phrase."""
    found: dict[tuple[str, ...], QuestionKind | None] = {}
    for name, text in reversed(list(PHRASES[language].items())):  # a phrase of two kinds gets the first
        for phrase in text.split("/"):
            found[tuple(_WORDS.findall(phrase.casefold()))] = _KINDS.get(name)
    return found, max(map(len, found))


def bare(question: str) -> str:
    """Return a question with single spaces, and without punctuation around it."""
    return " ".join(unicodedata.normalize("NFC", question).split()).strip(' ?!.…¿¡:"“”')


def _of_library(question: str) -> AppQuestion | None:
    plain = bare(question)
    for language, kind, pattern in _patterns():
        match = pattern.fullmatch(plain)
        if match:
            name = (match.groupdict().get("name") or "").strip(' "“”«»„')
            if not _POINTS_BACK.search(name):
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
