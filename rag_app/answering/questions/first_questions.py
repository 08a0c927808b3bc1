"""Questions that a person could begin with, made from a document's own headings and definitions, by rules.

A candidate is only a good question if the application answers it from the very page that it was made of; who
offers candidates has to try that.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingestion.documents import Heading, Page
from ingestion.text.sentences import sentence_spans

# Words of a heading that makes a question, and of one that is a question.
_FEWEST_WORDS, _MOST_WORDS, _LONGEST_QUESTION = 2, 8, 16
# Characters of prose that a heading needs below it.
_LEAST_BELOW = 160
# Characters of a document's name within a question.
_LONGEST_NAME = 60

_NUMBER = re.compile(r"^(?:\(?(?:\d{1,2}|[A-Z]|[IVX]{1,5})(?:[.-]\d{1,3})*[.):]?|§+\s*\d+\w?[.:)]?)\s+")
_SENTENCE = re.compile(r"[.!:;,…=<>()|/\\@#{}\[\]*_^~]|\d{2,}|\s[-–—]\s|\.{2,}")
_LETTERS = re.compile(r"[^\W\d_]+")
# Headings of many documents, which say where something stands and not what it is about.
_GENERAL = re.compile(
    r"\b(?:abstract|acknowledge?ments?|appendi(?:x|ces)|annex|attachments?|authors?|background|biograph\w+|chapter|"
    r"conclusions?|contacts?|contents|copyright|declarations?|disclaimer|discussion|exhibits?|example|figures?|"
    r"findings|fundamentals|audience|links|message|process|questions|scope|structure|"
    r"foreword|funding|glossary|index|introduction|keywords|legal|miscellaneous|more|notes?|notice|other|overview|"
    r"part|preface|references?|remarks|results|revision|section|signatures?|step|summary|supplement\w*|tables?|"
    r"title|version|vita|warranty|"
    r"anhang|einleitung|inhalt\w*|literatur\w*|bibliogra\w+|zusammenfassung|introducción|índice|resumen|referencias)\b",
    re.IGNORECASE,
)
_PRONOUNS = re.compile(
    r"\b(?:it|its|itself|one|ones|them|they|their|this|that|these|those|such|we|our|us|you|your|my|he|she|both|each|"
    r"here|there|above|below|following)\b",
    re.IGNORECASE,
)
_HOW = re.compile(r"^(how|when|where|what|why) to (?=\w)", re.IGNORECASE)
_ASKED = {
    "how": "How do I",
    "when": "When should I",
    "where": "Where should I",
    "what": "What should I",
    "why": "Why should I",
}
# A heading that tells what to do: "Pick a strategy".
_TOLD = re.compile(
    r"(?:add|apply|build|calculate|change|check|choose|clean|configure|connect|create|define|delete|determine|develop|"
    r"enable|find|identify|install|maintain|make|measure|open|order|pick|prepare|register|remove|replace|reset|run|"
    r"select|start|stop|store|test|update|upgrade|use|write) (?=\w)",
    re.IGNORECASE,
)
# A heading that is part of a sentence.
_FRAGMENT = re.compile(
    r"^(?:what|which|who|whom|whose|where|when|why|how|may|can|should|must|will|shall|is|are|address|control|do|to)\b",
    re.IGNORECASE,
)
_DEFINED = re.compile(
    r"^(?P<article>(?:An?|The) )?(?P<term>(?(article)\w|[A-Z])[\w-]*(?: [\w-]+){0,3}?)"
    r"(?: \((?P<short>[A-Z][\w-]{1,9})\))? (?P<verb>is|are) "
    r"(?:an? |the (?:name|term|process|method|practice|study|number|amount|ability)\b)(?=\w)"
)
_DEFINED_BY_QUOTES = re.compile(
    r"^(?:\d+(?:\.\d+)*\.?\s+)?[“\"](?P<term>[A-Z][\w-]*(?: [\w-]+){0,3})[”\"] "
    r"(?:shall mean|means|refers to)\b"
)
_NO_TERM = re.compile(
    r"\b(?:an?|the|there|it|this|that|these|those|which|what|who|here|he|she|they|we|you|one|each|every|another|some|all|"
    r"both|such|its|their|our|your|purpose|aim|goal|result|results|reason|problem|question|answer|idea|example|"
    r"figure|table|section|chapter|page|step|only|first|second|third|last|next|following|above|below|same|most|"
    r"best|other|main|if|when|where|because|since|as|for|in|on|at|by|with|of|to|and|or|not|but|so|thus|hence|"
    r"however|also|now|then|document|paper|report|study|author|work|company|agreement|nothing|something)\b",
    re.IGNORECASE,
)
# The letters of a word that tell it from others, whatever its ending; a shorter word tells nothing.
_STEM, _SHORT_WORD = 6, 3
# How a language asks what a document says of a subject.
_SAYS = {
    "en": ("What is said about {subject}?", "What does “{name}” say about {subject}?"),
    "de": ("Was steht in „{name}“ über {subject}?",),
    "es": ("¿Qué se dice sobre {subject}?", "¿Qué dice «{name}» sobre {subject}?"),
    "fr": ("Que dit-on de {subject} ?", "Que dit « {name} » de {subject} ?"),
}
# A line that is a heading where a file names none: short, without an end, above prose.
_SHORT_LINE, _PROSE_LINE = 60, 60


# A question, its page and its subject.
_Made = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class FirstQuestion:
    """A question to begin with, the page that should answer it, and what the answer names, if not ""."""

    question: str
    document_id: str
    page: int
    subject: str


def first_questions(
    document_id: str,
    name: str,
    language: str,
    pages: Sequence[Page],
    headings: Sequence[Heading],
) -> Iterator[FirstQuestion]:
    """Yield questions that a document answers, the most natural kind first, each kind in the text's order.

    Args:
        name: What the document is called, for questions that name it.
        language: The document's, as a code of two letters.
        headings: The document's, in order; where it has none, lines that look like headings count.
    """
    texts = {page.number: page.text for page in pages}
    headings = headings or list(_lines_as_headings(pages))
    useful = [one for one, below in _sections(headings, texts) if len(below) >= _LEAST_BELOW]
    seen: set[str] = set()
    sources = (
        _asked_headings(useful),
        _instructions(useful) if language == "en" else iter(()),
        _definitions(pages) if language == "en" else iter(()),
        _subjects(useful, name, language, texts),
    )
    for source in sources:
        for question, page, subject in source:
            if question.casefold() not in seen:
                seen.add(question.casefold())
                yield FirstQuestion(question, document_id, page, subject)


def _sections(headings: Sequence[Heading], texts: dict[int, str]) -> Iterator[tuple[Heading, str]]:
    """Yield headings with the text below them on their page. A title that stands on several pages is a
    running head, and yields nothing."""
    titles = [one.title.casefold() for one in headings]
    for one, following in pairwise([*headings, None]):
        assert one is not None
        text = texts.get(one.page, "")
        end = following.start if following is not None and following.page == one.page else len(text)
        below = text[one.start + len(one.title) : end].strip()
        if titles.count(one.title.casefold()) == 1 and not _is_contents(below):
            yield one, below


def _is_contents(text: str) -> bool:
    """Return whether a text is mostly lines that end with a page number, as a table of contents."""
    lines = [line for line in text.splitlines() if line.strip()][:12]
    return bool(lines) and sum(line.rstrip()[-1:].isdigit() for line in lines) >= 0.5 * len(lines)


def _asked_headings(headings: Sequence[Heading]) -> Iterator[_Made]:
    for one in headings:
        text = _plain(one.title)
        words = text.split()
        if _asks(text) and 3 <= len(words) <= _LONGEST_QUESTION and not _PRONOUNS.search(text):
            yield text[:1].upper() + text[1:], one.page, ""


def _instructions(headings: Sequence[Heading]) -> Iterator[_Made]:
    """Yield questions of headings such as "How to wind a clock"."""
    for one in headings:
        text = _plain(one.title)
        asks = _HOW.match(text)
        if len(text.split()) > _MOST_WORDS or _PRONOUNS.search(text) or _SENTENCE.search(text):
            continue
        if _TOLD.match(text) and text[text.index(" ") + 1 :] == text[text.index(" ") + 1 :].lower():
            yield f"How do I {text[:1].lower()}{text[1:]}?", one.page, ""
        if asks:
            done = text[asks.end() :].rstrip("?")
            yield f"{_ASKED[asks[1].casefold()]} {done}?", one.page, ""


def _definitions(pages: Sequence[Page]) -> Iterator[_Made]:
    """Yield questions for what sentences define: "Pooling is a …", "“Net sales” means …"."""
    for page in pages:
        for span in sentence_spans(page.text):
            raw = page.text[span.start : span.end]
            first, _, rest = raw.partition("\n")
            # A heading without an end belongs to the sentence below it.
            sentence = " ".join((rest if rest and len(first) < _SHORT_LINE else raw).split())
            found = _DEFINED.match(sentence) or _DEFINED_BY_QUOTES.match(sentence)
            if found is None or len(sentence) < 40 or _NO_TERM.search(found["term"]):
                continue
            term, verb = found["term"], found.groupdict().get("verb")
            if verb is None:
                yield f"What does “{term}” mean?", page.number, term
            elif len(term) > 3:
                # A name with its abbreviation behind it keeps its capitals.
                is_name = found["short"] is not None and term.istitle()
                within = term if is_name else _as_written(term, _small_words(page.text))
                article = (found["article"] or "").lower()
                yield f"What {verb} {article}{within}?", page.number, term


def _subjects(
    headings: Sequence[Heading], name: str, language: str, texts: dict[int, str]
) -> Iterator[_Made]:
    small = _small_words("\n".join(texts.values()))
    for one in headings:
        text = _plain(one.title)
        words = text.split()
        if not _FEWEST_WORDS <= len(words) <= _MOST_WORDS or _asks(text):
            continue
        if _FRAGMENT.match(text) or _TOLD.match(text):
            continue
        if _GENERAL.search(text) or _PRONOUNS.search(text) or _SENTENCE.search(text):
            continue
        if text.isupper() or text.casefold() in name.casefold() or name.casefold() in text.casefold():
            continue
        if not all(len(_LETTERS.findall(word)) for word in words):
            continue
        subject = _as_written(text, small)
        if not text.islower() and _is_half_lowered(text, subject):
            continue
        if language != "de":
            subject = _with_small_letter(subject)
        for says in _SAYS.get(language, ()):
            if "{name}" not in says or len(name) <= _LONGEST_NAME:
                yield says.format(name=name, subject=subject), one.page, text


def _lines_as_headings(pages: Sequence[Page]) -> Iterator[Heading]:
    """Yield lines that look like headings: a number or capitals in front, prose below."""
    for page in pages:
        start, lines = 0, page.text.split("\n")
        for line, following in pairwise([*lines, ""]):
            title = _plain(line)
            capitals = [word for word in title.split() if word[:1].isupper()]
            looks = title != line.strip() or 2 * len(capitals) > len(title.split())
            if looks and 6 <= len(line.strip()) <= _SHORT_LINE and len(following) >= _PROSE_LINE:
                yield Heading(line.strip(), 1, page.number, start + len(line) - len(line.lstrip()))
            start += len(line) + 1


def _asks(title: str) -> bool:
    return title.rstrip('*_»”" ').endswith("?")


def _plain(title: str) -> str:
    """Return a heading without its number, on one line."""
    return _NUMBER.sub("", " ".join(title.split())).strip()


def _is_half_lowered(title: str, subject: str) -> bool:
    """Return whether some words of a title got a small letter and others kept theirs: names among words."""
    pairs = list(zip(title.split()[1:], subject.split()[1:], strict=True))
    lowered = any(before != after for before, after in pairs)
    return lowered and any(after.istitle() for _, after in pairs)


def _small_words(text: str) -> frozenset[str]:
    """Return the words that a text has with a small letter."""
    return frozenset(re.findall(r"\b[^\W\d_A-Z][\w-]*", text))


def _as_written(term: str, small: frozenset[str]) -> str:
    """Return a term within a sentence: a word that the text has with a small letter too gets one."""
    return " ".join(
        word[:1].lower() + word[1:] if word[:1].lower() + word[1:] in small else word for word in term.split()
    )


def _with_small_letter(title: str) -> str:
    """Return a title as it stands within a sentence: "Comparing vectors" → "comparing vectors"."""
    first, _, rest = title.partition(" ")
    return f"{first.lower()} {rest}" if first.istitle() and rest and rest == rest.lower() else title


def is_about(text: str, subject: str) -> bool:
    """Return whether a text names a subject: most of its longer words, in any form.

    It tells an answer from a sentence that only stands on the right page.
    """
    stems = [word.casefold()[:_STEM] for word in _LETTERS.findall(subject) if len(word) > _SHORT_WORD]
    said = text.casefold()
    return 3 * sum(stem in said for stem in stems) >= 2 * len(stems)
