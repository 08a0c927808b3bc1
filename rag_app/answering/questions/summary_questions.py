"""Questions that ask for a summary: "summarise this", "what is this library about?".

A pattern of the whole question decides, and the name in it must be a document's: "What is photosynthesis
about?" stays a question to the documents. English, and the usual words of German, French and Spanish.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from ingestion.storage.catalogue.records import Document
from ingestion.text.names import composed
from ingestion.text.stopwords import stopwords_of
from rag_app.answering.answers import AskOptions
from rag_app.answering.questions.question_kinds import bare


class SummaryTarget(Enum):
    """How a question names what to summarise."""

    IT = "it"  # "this", or nothing: the last answer, or the only document
    DOCUMENT = "document"  # "this document", "the report"
    ALL = "all"  # "this library", "these documents"
    NAMED = "named"  # "the 2020 annual report", if a document has that name


@dataclass(frozen=True, slots=True)
class SummarySubject:
    """What a question wants summarised; `name` is its name in the question."""

    meant: SummaryTarget
    name: str = ""


def _any(*patterns: str) -> str:
    """Return a pattern for any of the words; spaces separate them, and _ stands for a space in one."""
    return "(?:" + "|".join(each.replace("_", " ") for text in patterns for each in text.split()) + ")"


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("'", "['’]"), re.IGNORECASE)


# Words before and behind the request that do not change its meaning.
_POLITE = _compiled(
    rf"(?:{_any('hi hello hey please pls bitte por_favor now ok okay so')}\b[,!]? *)+|"
    rf"{_any('can could would will')} you(?: please)? |"
    rf"{_any('kannst könntest')} du(?: mir)?(?: bitte)? |"
    rf"{_any('peux-tu peux_tu pourrais-tu pouvez-vous pourriez-vous puedes podrías')} |"
    rf"(?:i {_any('want need would_like')}|i'd like) (?:you to )?"
)
_NUMBER = _any(
    "a an one two three four five ten few some about around less_than at_most couple of \\d+ simple",
    "short plain einem zwei drei deux trois quelques dos tres pocas",
)
_UNIT = _any(
    "sentences? words? paragraphs? bullets? bullet_points? lines? terms english satz sätzen worten",
    "phrases? mots lignes frases? palabras líneas",
)
_BEHIND = _compiled(
    r"[\s,]*\b(?:"
    + _any(
        "please bitte por_favor for_me briefly shortly quickly overall kurz brièvement",
        "brevemente s'il_(?:te|vous)_pla[iî]t",
    )
    + rf"|in {_any('short brief general')}|{_any('in as within auf en')} (?:{_NUMBER} )*{_UNIT})$"
)

_SHORT = (
    "(?:"
    + _any("short brief quick concise rough general high-level kurze[nr]? grobe[nr]? court breve")
    + " )*"
)
_SUMMARY = _any("summary overview synopsis outline gist digest abstract recap tl;?_?dr")
_POINTS = rf"{_any('main key most_important central major')} " + _any(
    "points? ideas? takeaways? messages? findings? topics? themes?"
)
_ZUSAMMENFASSUNG = _any("zusammenfassung überblick übersicht")
# The group `s` may name a document. The group `g` may not: "What is in the cellar?" names none.
_PATTERNS = tuple(
    _compiled(pattern)
    for pattern in (
        rf"{_any('summari[sz]e sum_up recap outline condense')}(?: for me)?(?: (?P<s>.+))?",
        rf"{_any('give write show make create provide get')}(?: me| us)? (?:a |an |the )?{_SHORT}{_SUMMARY}"
        rf"(?: {_any('of on about for')} (?P<s>.+))?",
        rf"(?:a |an |the )?{_SHORT}{_SUMMARY}(?:(?: {_any('of on about for')}|:) (?P<s>.+))?",
        rf"{_any('tell show')} me what (?P<s>.+?) (?:is|are) (?:all )?about",
        r"what(?:'?s| is| are|'re) (?P<s>.+?) (?:all )?about",
        rf"what (?:does|do) (?P<g>.+?) {_any('cover deal_with contain discuss describe talk_about say')}",
        r"what(?:'s| is| are)? (?:there )?in (?P<g>.+)",
        rf"(?:what (?:is|are) |list |name |give me |tell me )?the {_POINTS} {_any('of in from')} (?P<g>.+)",
        # German
        r"fasse?(?: mir| uns)?(?: bitte)?(?: (?P<s>.+?))?(?: kurz| bitte)* zusammen",
        r"(?P<s>.+?)(?: kurz| bitte)* zusammenfassen",
        rf"{_any('gib schreibe? erstelle? mache?')}(?: mir| uns)?(?: bitte)? (?:eine?n? )?{_SHORT}"
        rf"{_ZUSAMMENFASSUNG}(?: {_any('von über zu für der des')} (?P<s>.+))?",
        rf"(?:eine?n? |die )?{_SHORT}{_ZUSAMMENFASSUNG}(?: {_any('von über zu der des')} (?P<s>.+))?",
        r"(?:wovon|von was) handel[nt]+ (?P<s>.+)",
        r"worum (?:geht(?: es|'?s)|handelt es sich|dreht es sich)(?: hier)?(?: (?:in|bei) (?P<s>.+))?",
        r"was steht in (?P<g>.+)",
        # French
        r"r[ée]sume[zr]?(?:[- ](?:moi|nous))?(?: (?P<s>.+))?",
        rf"{_any('fais faites donne donnez écris')}(?:[- ](?:moi|nous))? (?:un |le )?{_SHORT}"
        rf"{_any('résumé aperçu synthèse')}(?: (?:de|du|des|d')\s*(?P<s>.+))?",
        rf"(?:un |le )?{_any('résumé aperçu')} (?:de|du|des|d')\s*(?P<s>.+)",
        r"de quoi (?:parle(?:nt)?|traite(?:nt)?|s'agit[- ]il(?: dans)?|est[- ]il question dans)"
        r"(?: (?P<s>.+))?",
        # Spanish
        rf"{_any('resume resumir resúmeme resuma')}(?: (?P<s>.+))?",
        rf"{_any('hazme haz dame da')} (?:un |el )?{_SHORT}resumen(?: {_any('de del sobre')} (?P<s>.+))?",
        rf"(?:un |el )?resumen {_any('de del sobre')} (?P<s>.+)",
        r"de qué (?:tratan?|hablan?|van?)(?: (?P<s>.+))?",
    )
)

_MANY = _any(
    "documents files pdfs papers reports texts articles books filings manuals letters contracts studies",
    "dokumenten? dateien texten? berichten? bücher rapports livres fichiers documentos informes archivos",
    "libros",
)
_ONE = _any(
    "document file pdf paper report text article book filing manual letter contract study dokuments?",
    "dokumentes datei textes berichts? artikels? buch(?:e?s)? rapport livre fichier documento informe ",
    "archivo libro artículo texto",
)
_LIBRARY = _any(
    "library collection corpus folder knowledge_base document_collection archive bibliothek sammlung",
    "ordners? bibliothèque dossier biblioteca colección carpeta",
)
_HERE = _any(
    "this my our attached uploaded selected given current open dies(?:e[mnrs]?)? meine?[nmrs]?",
    "unsere?[nmrs]? ce(?:tte|t)? mon ma notre este esta mi nuestr[oa]",
)
_POINTS_AT = (
    "(?:"
    + _any(
        "that the your these those all of whole entire full das der die den dem des alle[nr]? ganze[ns]? ces",
        "la le les mes nos tous toute?s? estos estas el los las mis nuestr[oa]s tod[oa]s?",
    )
    + rf"|{_HERE}|l')(?: |(?<='))"
)
_IT = _compiled(_any("this it that this_one das dies es hier ça cela ceci esto eso") + "(?: here| hier)?")
_THE_DOCUMENTS = _compiled(
    rf"(?:{_POINTS_AT})+(?:{_MANY}|{_LIBRARY})|(?:all )?{_MANY}|"
    + _any("everything it_all all_of_it all_of_this all_of_them them these those alles tout todo")
)
_THE_DOCUMENT = _compiled(rf"(?:{_POINTS_AT})+{_ONE}")
_AT_HAND = _compiled(rf"(?:the )?(?:whole |entire )?{_HERE} ")
# A document's name in a question is short.
_LONGEST_NAME = 15
# Words of any document, and file extensions.
_NO_NAMES = frozenset(
    re.findall(
        r"\w+",
        """document file pdf paper text article book md txt docx html epub pptx xlsx csv der die das den dem
        le la les el los las du des de dokument datei fichier documento archivo""",
    )
)


def to_summarise(
    question: str, options: AskOptions, documents: Callable[[], Sequence[Document]]
) -> AskOptions | None:
    """Return the options, narrowed to the documents to summarise; None for a question of another kind.

    Args:
        documents: Returns the documents in the scope of the options; only summary questions call it.
    """
    subject = subject_of(options.standalone or question)
    if subject is None:
        return None
    there = documents()
    meant = documents_meant(subject, there, in_conversation=bool(options.history))
    if meant is None or len(meant) == len(there):
        return None if meant is None else options
    filters = replace(options.filters, documents=tuple(document.id for document in meant))
    return replace(options, filters=filters)


def subject_of(question: str) -> SummarySubject | None:
    """Return what a question wants summarised; None for a question of another kind.

    A NAMED subject may be anything: `documents_meant` finds out whether it is a document.
    """
    plain = bare(question)
    while (match := _POLITE.match(plain)) and match.end():
        plain = plain[match.end() :]
    while (shorter := _BEHIND.sub("", plain)) != plain:
        plain = shorter.strip(" ,")
    for pattern in _PATTERNS:
        match = pattern.fullmatch(plain)
        if match is None:
            continue
        found = match.groupdict()
        meant = _meant((found.get("s") or found.get("g") or "").strip())
        if meant is not None and (meant.meant is not SummaryTarget.NAMED or "s" in found):
            return meant
    return None


def documents_meant(
    subject: SummarySubject, documents: Sequence[Document], *, in_conversation: bool = False
) -> list[Document] | None:
    """Return the documents in scope to summarise; None where the question is no summary question after all.

    Args:
        in_conversation: An earlier question exists, so that "this" may mean its answer.
    """
    match subject.meant:
        case SummaryTarget.ALL:
            return list(documents)
        case SummaryTarget.DOCUMENT:
            if len(documents) == 1 or _AT_HAND.match(subject.name):
                return list(documents)
            return documents_called(subject.name, documents) or None  # perhaps a book in the documents
        case SummaryTarget.IT:
            return list(documents) if len(documents) == 1 and not in_conversation else None
        case SummaryTarget.NAMED:
            return documents_called(subject.name, documents) or None


def is_document_at_hand(name: str, documents: Sequence[Document]) -> bool:
    """Return whether a name is "this document" or the like, and there is only one."""
    return len(documents) == 1 and _THE_DOCUMENT.fullmatch(name) is not None


def _meant(name: str) -> SummarySubject | None:
    if not name or _IT.fullmatch(name):
        return SummarySubject(SummaryTarget.IT)
    if _THE_DOCUMENTS.fullmatch(name):
        return SummarySubject(SummaryTarget.ALL)
    if _THE_DOCUMENT.fullmatch(name):
        return SummarySubject(SummaryTarget.DOCUMENT, name)
    return SummarySubject(SummaryTarget.NAMED, name) if len(name.split()) <= _LONGEST_NAME else None


def documents_called(name: str, documents: Iterable[Document]) -> list[Document]:
    """Return the documents whose name or title has all words of `name`: two words, or half of its own."""
    wanted = _words(name) - stopwords_of("en") - _NO_NAMES
    exact, found = [], []
    for document in documents:
        known = (document.id, document.label, *document.names, *document.paths)
        if composed(name).casefold() in {composed(one).casefold() for one in known}:
            exact.append(document)
        for own in map(_words, (document.label, *document.names, document.title or "")):
            if wanted and wanted <= own and (len(wanted) >= 2 or 2 * len(wanted) >= len(own - _NO_NAMES)):
                found.append(document)
                break
    return exact or found


def _words(name: str) -> frozenset[str]:
    """Return the words of a name; 10-K, 10K and 10 K are equal, and so are Acme and Acme's."""
    plain = re.sub(r"['’]s\b", "", unicodedata.normalize("NFC", name).casefold())
    return frozenset(re.findall(r"\d+|[^\W\d_]+", plain))
