"""The reason of a refusal: which part of the question no passage covers, in the question's own words.

Each reason is a fact that was looked up, in the index of words or in the passages. Words of content are
looked up only where the passages are in the question's language; names and figures always.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

from ingestion.library import Library
from ingestion.storage.catalogue.records import Scope
from rag_app.answering.answers import Evidence
from rag_app.answering.evidence.answerability import speaks
from rag_app.answering.evidence.question_terms import (
    ASKED_YEAR,
    QuestionTerm,
    TermKind,
    language_of,
    mentioned,
    question_terms,
)
from rag_app.answering.questions.asked_values import AskedValue
from rag_app.answering.refusals.texts import LACKING, RefusalTexts, texts_in

# The most terms in a reason.
_MOST_NAMED = 3
# The most pairs of terms that are looked up, and the most holders that are counted of a term.
_MOST_PAIRS, _MOST_HOLDERS = 12, 100
# A word of content that no document has is named where it has so many letters: not "left", but "royalty".
_LEAST_LETTERS = 6
# A verb says less of what is lacking than the nouns around it, and a document says it in other words.
_VERB_ENDINGS = ("ed", "ing")
_VERBS = frozenset({
    "agree", "bought", "buy", "caught", "come", "decrease", "drop", "earn", "employ", "end", "fall", "fell",
    "generate", "grew", "grow", "hold", "increase", "install", "keep", "lose", "lost", "paid", "pay", "rise",
    "rose", "sell", "sign", "sold", "spend", "spent", "start", "win", "won",
})  # fmt: skip
# British and American endings of the same word.
_SPELLINGS = (("ence", "ense"), ("our", "or"), ("ise", "ize"), ("isation", "ization"), ("tre", "ter"))


def reason_for(
    library: Library,
    scope: Scope,
    question: str,
    evidence: Sequence[Evidence],
    lacking: AskedValue | None = None,
) -> str:
    """Return a sentence that says what the passages lack.

    Args:
        lacking: The sort of value that the question asks for and no statement has.
    """
    language = language_of(question)
    texts = texts_in(language)
    terms = question_terms(question)
    if not speaks(library, evidence, language):
        terms = tuple(term for term in terms if term.kind is not TermKind.WORD)
    held = [mentioned(terms, item.hit.chunk, language) for item in evidence]
    seen = frozenset[QuestionTerm]().union(*held)
    unseen = [term for term in terms if term not in seen]
    unknown = [term for term in unseen if not _holders(library, scope, term)]
    for terms_lacking, sentence in ((unknown, texts.unknown), (unseen, texts.unseen)):
        named = [term for term in terms_lacking if term.kind is not TermKind.WORD]
        if named:
            return sentence.format(terms=_listed(named, texts))
    if words := [term for term in unknown if len(term.text) >= _LEAST_LETTERS and not _is_verb(term)]:
        return texts.unknown.format(terms=_listed(words, texts))
    for first, second in islice(_pairs(library, scope, terms), _MOST_PAIRS):
        together = [f"{first.text} {spelled}" for spelled in _spellings(second)]
        is_held = any({first, second} <= terms_of for terms_of in held)
        if not is_held and not library.catalogue.words.holding(together, scope, 1):
            return texts.apart.format(first=_quoted(first), second=_quoted(second))
    said = LACKING.get(language, {}).get(lacking.kind) if lacking else None
    return said or texts.unsaid


def _pairs(
    library: Library, scope: Scope, terms: Sequence[QuestionTerm]
) -> Iterator[tuple[QuestionTerm, QuestionTerm]]:
    """Yield pairs of a name, the rarest first, and a term that is asked of it, in the question's order."""
    names = sorted(
        (term for term in terms if term.kind is TermKind.NAME),
        key=lambda term: _holders(library, scope, term),
    )
    years = [term for term in terms if term.kind is TermKind.FIGURE]
    others = [term for term in terms if term.kind is TermKind.WORD and not _is_verb(term)]
    for first in names or years:
        for second in (*others, *(term for term in (*years, *names) if term is not first)):
            yield first, second


def _holders(library: Library, scope: Scope, term: QuestionTerm) -> int:
    return len(library.catalogue.words.holding(_spellings(term), scope, _MOST_HOLDERS))


def _spellings(term: QuestionTerm) -> list[str]:
    """Return a term in British and American spelling, and a fiscal year as documents write it."""
    found = [term.text]
    if year := ASKED_YEAR.fullmatch(term.text):
        found.append(year[1])
    for pair in _SPELLINGS:
        for ours, theirs in (pair, pair[::-1]):
            if term.text.endswith(ours):
                found.append(f"{term.text.removesuffix(ours)}{theirs}")
    return found


def _is_verb(term: QuestionTerm) -> bool:
    return term.text.casefold() in _VERBS or term.text.endswith(_VERB_ENDINGS)


def _listed(terms: Sequence[QuestionTerm], texts: RefusalTexts) -> str:
    """Return “A”, “B” or “C”."""
    quoted = [_quoted(term) for term in terms[:_MOST_NAMED]]
    return f" {texts.either} ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))


def _quoted(term: QuestionTerm) -> str:
    return f"“{term.text}”"
