"""The terms of a question (names, figures, words of content), and which of them a passage mentions.

A passage mentions a word in any of its inflected forms: "employee" in "employees" and "employed". A figure is
mentioned in any notation, but a year only as it is: "2,018" mentions no 2018.
"""

import re
from calendar import month_name
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from ingestion.storage.catalogue.records import StoredChunk
from ingestion.text.stopwords import stopwords_of
from ingestion.text.terms import terms_with_spans
from rag_app.answering.questions.follow_ups import asking_words, languages_of

_TOKEN = re.compile(r"[^\W_]+(?:[-'’./&,][^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?:]\s*$|^\W*$")
# Documents write the fiscal year FY2020 as 2020.
ASKED_YEAR = re.compile(r"(?:fy|cy)?((?:1[5-9]|20)\d\d)", re.IGNORECASE)
_POSSESSIVE = re.compile(r"['’]s?$")
# Words of content that ask, or that name the documents, and not what is asked about.
_ASKING: Mapping[str, frozenset[str]] = {
    "en": frozenset({
        "according", "amount", "answer", "article", "book", "briefly", "compare", "contain", "contained",
        "content", "define", "definition", "describe", "described", "detail", "details", "difference",
        "document", "documents", "exact", "exactly", "explain", "file", "files", "find", "following", "get",
        "give", "given", "happen", "happened", "happens", "include", "included", "includes", "information",
        "kind", "kinds", "know", "library", "list", "long", "many", "mean", "means", "mention", "mentioned",
        "mentions", "much", "name", "named", "names", "need", "number", "numbers", "one", "page", "pages",
        "paper", "papers", "people", "person", "please", "question", "report", "reported", "reports",
        "said", "say", "saying", "says", "section", "show", "sort", "source", "sources", "state", "stated",
        "states", "summarise", "summarize", "table", "tell", "text", "thing", "things", "total", "type",
        "types", "use", "used", "uses", "using", "value", "way", "ways", "work", "works", "actually",
        "also", "away", "became", "become", "ever", "go", "goes", "going", "gone", "made", "make", "makes",
        "part", "per", "really", "still", "take", "takes", "taken", "took", "yet", "agreement", "contract",
        "filing", "filings", "manual", "protocol", "study", "trial", "first", "second", "third", "last",
        "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    }),
}  # fmt: skip
# The share of a word's letters that a form of it begins with, from the least number of letters on.
_SAME_BEGINNING, _LEAST_LETTERS = 0.75, 5
# Function words that tell a language: a name may be one by chance.
_LEAST_TOLD = 2
_MONTHS = frozenset(month.casefold() for month in month_name[1:])
# Languages that write every noun with a capital, so that a capital tells no name.
_CAPITAL_NOUNS = frozenset({"de"})


class TermKind(StrEnum):
    """Of what kind a question's term is."""

    NAME = "name"
    FIGURE = "figure"
    WORD = "word"


@dataclass(frozen=True, slots=True)
class QuestionTerm:
    """A term as the question writes it; a name may have several words.

    `stems` are the terms of the index of words, of which a passage that mentions it has all.
    """

    text: str
    kind: TermKind
    stems: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int
    is_first: bool  # of a sentence

    @property
    def is_name(self) -> bool:
        return any(map(str.isupper, self.text[1:])) or (self.text[0].isupper() and not self.is_first)

    @property
    def is_acronym(self) -> bool:
        return len(self.text) > 1 and self.text.isupper()


def language_of(question: str) -> str:
    """Return the language of a question; English where its function words do not tell: "ad revenue 2023"."""
    language = languages_of(question)[0]
    words = re.findall(r"\w+", question.casefold())
    told = sum(word in stopwords_of(language) for word in words)
    return language if told >= _LEAST_TOLD or asking_words([language]) & set(words) else "en"


def question_terms(question: str) -> tuple[QuestionTerm, ...]:
    """Return the names, figures and words of content of a question, each once, in its order."""
    language = language_of(question)
    function_words = stopwords_of(language) | asking_words([language])
    skipped = function_words | _ASKING.get(language, frozenset())
    capitals = any(map(str.islower, question)) and language not in _CAPITAL_NOUNS
    found: list[QuestionTerm] = []
    name: list[_Token] = []

    def end_name() -> None:
        if name:
            text = question[name[0].start : name[-1].end]
            found.append(QuestionTerm(text, TermKind.NAME, _stems(text, language)))
            name.clear()

    for token in _tokens(question):
        if name and question[name[-1].end : token.start] != " ":
            end_name()
        plain = token.text.casefold()
        is_date = plain in _MONTHS and token.text[0].isupper()
        if any(map(str.isdigit, token.text)) or is_date:
            end_name()
            found.append(QuestionTerm(token.text, TermKind.FIGURE, _stems(token.text, language)))
        elif capitals and token.is_name and (plain not in function_words or token.is_acronym):
            name.append(token)
        else:
            end_name()
            if plain not in skipped and len(plain) > 2:
                found.append(QuestionTerm(token.text, TermKind.WORD, _stems(token.text, language)))
    end_name()
    distinct = {one.stems: one for one in reversed(found) if one.stems}
    return tuple(reversed(distinct.values()))


def mentioned(terms: Sequence[QuestionTerm], chunk: StoredChunk, language: str) -> frozenset[QuestionTerm]:
    """Return the terms that a passage, its headings or its document's name mention."""
    name = re.sub(r"[_\W]+", " ", chunk.document)
    return mentions(terms, "\n".join((chunk.text, chunk.context, chunk.heading or "", name)), language)


def mentions(terms: Sequence[QuestionTerm], text: str, language: str) -> frozenset[QuestionTerm]:
    """Return the terms that a text mentions; `language` is the question's."""
    held = {term for term, _, _ in terms_with_spans(text, language)}
    return frozenset(term for term in terms if _is_mentioned(term, text, held))


def _is_mentioned(term: QuestionTerm, text: str, held: Set[str]) -> bool:
    if year := ASKED_YEAR.fullmatch(term.text):
        return re.search(rf"(?<!\d){year[1]}(?!\d)", text) is not None
    return all(_holds(held, stem, term.kind) for stem in term.stems)


def _holds(held: Set[str], stem: str, kind: TermKind) -> bool:
    return stem in held or (kind is not TermKind.FIGURE and any(is_form(one, stem) for one in held))


def is_form(word: str, stem: str) -> bool:
    """Return whether a word is a form of another, by its beginning: "franchised" of "franchisees"."""
    if len(stem) < _LEAST_LETTERS:
        return word == stem
    return word.startswith(stem[: max(_LEAST_LETTERS, ceil(_SAME_BEGINNING * len(stem)))])


def _tokens(question: str) -> list[_Token]:
    found = []
    for match in _TOKEN.finditer(question):
        text = _POSSESSIVE.sub("", match.group())
        first = _SENTENCE_END.search(question[: match.start()]) is not None
        found.append(_Token(text, match.start(), match.start() + len(text), first))
    return found


def _stems(text: str, language: str) -> frozenset[str]:
    """Return the terms of a text without those of its parts: of "10-K" the whole."""
    spans = terms_with_spans(text, language)
    return frozenset(
        term
        for term, start, end in spans
        if not any(first <= start and end <= last and last - first > end - start for _, first, last in spans)
    )
