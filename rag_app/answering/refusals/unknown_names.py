"""Names of a question that no document has: "Toyota" in a library about other companies.

Such a question is seldom answered, however well a passage matches the rest of it.
"""

import re
from collections.abc import Sequence

from ingestion.library import Library
from ingestion.storage.catalogue.records import Scope
from rag_app.answering.answers import Evidence
from rag_app.answering.evidence.answerability import speaks
from rag_app.answering.evidence.question_terms import TermKind, language_of, question_terms

# A word of a name: shorter ones, acronyms and identifiers have other forms in documents, or are looked up
# elsewhere.
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_LEAST_LETTERS = 4


def has_unknown_name(library: Library, scope: Scope, question: str, evidence: Sequence[Evidence]) -> bool:
    """Return whether a question has a name with a word that no document has.

    A document has it in any inflected form, at the distance of a typing error, and in its name, title or
    organisation. Of passages in another language than the question nothing is said: names are translated too.
    """
    names = [term.text for term in question_terms(question) if term.kind is TermKind.NAME]
    parts = [part for name in names for word in _WORD.findall(name) for part in re.split(r"[-'’]", word)]
    words = [part for part in parts if len(part) >= _LEAST_LETTERS and not part.isupper()]
    if not words or not speaks(library, evidence, language_of(question)):
        return False
    known = library.catalogue.words.known((word.casefold() for word in words), scope)
    unknown = [word for word in words if word.casefold() not in known]
    unknown = [word for word in unknown if not library.catalogue.words.near(word, scope)]
    if not unknown:
        return False
    documents = library.catalogue.documents(scope.collections)
    fields = [one.values for one in library.fields.stored(documents).values()]
    told = [text for one in fields for text in (one.title, one.organisation)]
    own = [text for one in documents for text in (*one.names, one.title or "")]
    called = " ".join((*own, *told)).casefold()
    return any(word.casefold() not in called for word in unknown)
