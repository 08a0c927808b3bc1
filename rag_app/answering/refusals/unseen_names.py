"""Names and years of a question that no passage found has: "Toyota" where all are about another company.

Such a question is seldom answered, however well a passage matches the rest of it.
"""

import re
from collections.abc import Sequence

from ingestion.library import Library
from ingestion.storage.catalogue.records import Scope
from ingestion.tables.periods import asked_years
from rag_app.answering.answers import Evidence, PromptContext
from rag_app.answering.evidence.answerability import speaks
from rag_app.answering.evidence.question_terms import (
    QuestionTerm,
    TermKind,
    language_of,
    mentioned,
    question_terms,
)

# A word of a name: shorter ones, acronyms and identifiers have other forms in documents, or are looked up
# elsewhere.
_WORD = re.compile(r"[^\W\d_]+")
_LEAST_LETTERS = 4
# Names that documents shorten.
_SHORTENED = {
    "united states": r"\bU\.?\s?S\b|\bAmerica",
    "united kingdom": r"\bU\.?\s?K\b|\bBritain",
    "european union": r"\bE\.?\s?U\b",
    "united nations": r"\bU\.?\s?N\b",
}


def has_unseen_name(library: Library, scope: Scope, packed: PromptContext) -> bool:
    """Return whether a question has a name that no passage found has, or years of which none has any.

    Of a question with sides each side must have such a name.

    A passage has it in any inflected form, at the distance of a typing error, in its headings, and in its
    document's name, title or organisation. Of passages in another language than the question nothing is said:
    names are translated too.
    """
    asked = [side.question for side in packed.sides if side.documents] or [packed.question]
    return all(_has_unseen_name(library, scope, question, packed.evidence) for question in asked)


def _has_unseen_name(library: Library, scope: Scope, question: str, evidence: Sequence[Evidence]) -> bool:
    if has_unseen_year(question, evidence):
        return True
    unseen = unseen_names(question, evidence)
    if not unseen or not speaks(library, evidence, language_of(question)):
        return False
    ids = dict.fromkeys(item.hit.chunk.document_id for item in evidence)
    documents = [document for one in ids if (document := library.catalogue.document(one))]
    fields = [one.values for one in library.fields.stored(documents).values()]
    told = [text for one in fields for text in (one.title, one.organisation)]
    own = [text for one in documents for text in (*one.names, one.title or "")]
    called = " ".join((*own, *told)).casefold()
    known = library.catalogue.words.known(
        (word.casefold() for name in unseen for word in _words(name)), scope
    )

    def is_unseen(word: str) -> bool:
        if word.casefold() in called:
            return False
        return word.casefold() in known or not library.catalogue.words.near(word, scope)

    return any(is_unseen(word) for name in unseen for word in _words(name))


def unseen_names(question: str, evidence: Sequence[Evidence]) -> list[str]:
    """Return the names of a question that no passage, its headings and its document's name mention."""
    language = language_of(question)
    names = [one for one in question_terms(question) if one.kind is TermKind.NAME and _words(one.text)]
    seen = {one for item in evidence for one in mentioned(names, item.hit.chunk, language)}
    return [one.text for one in names if one not in seen and not _is_shortened(one, evidence)]


def has_unseen_year(question: str, evidence: Sequence[Evidence]) -> bool:
    """Return whether a question names years of which no passage, heading or document's name has any."""
    years = asked_years(question)
    chunks = [item.hit.chunk for item in evidence]
    text = "\n".join(f"{one.text}\n{one.context}\n{one.heading or ''}\n{one.document}" for one in chunks)
    return bool(years) and not any(
        re.search(rf"(?<!\d){year}(?!\d)|(?:FY|['’])\s?{year[2:]}\b", text) for year in years
    )


def _words(name: str) -> list[str]:
    """Return the words of a name that a document has as they are."""
    return [word for word in _WORD.findall(name) if len(word) >= _LEAST_LETTERS and not word.isupper()]


def _is_shortened(name: QuestionTerm, evidence: Sequence[Evidence]) -> bool:
    short = _SHORTENED.get(name.text.casefold())
    return short is not None and any(re.search(short, item.hit.chunk.text) for item in evidence)
