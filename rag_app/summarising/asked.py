"""Questions that ask what a whole document, or all of them, is about: "summarise this", "what is this library about?".

A pattern of the whole question decides, and what it names must be a document: "What is photosynthesis about?" stays
a question to the documents. English, and the usual words of German, French and Spanish.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from ingestion.stores.records import Document
from ingestion.words import function_words


class Meant(Enum):
    """What is to be summarised."""

    IT = "it"  # "this", or nothing: what was just spoken of, or the one document there is
    DOCUMENT = "document"  # "this document", "the report"
    ALL = "all"  # "this library", "these documents"
    NAMED = "named"  # "the 2020 annual report", if a document is called so


@dataclass(frozen=True, slots=True)
class Subject:
    """What a question wants summarised; `name` is how it calls it."""

    meant: Meant
    name: str = ""


_POLITE = re.compile(
    r"^(?:(?:hi|hello|hey|please|pls|bitte|por favor|s['’]il (?:te|vous) pla[iî]t|now|ok(?:ay)?|so)\b[,!]? *)+|"
    r"^(?:(?:can|could|would|will) you(?: please)?|(?:kannst|könntest) du(?: mir)?(?: bitte)?|"
    r"(?:peux|pourrais)[- ]tu|(?:pouvez|pourriez)[- ]vous|puedes|podrías|i (?:want|need|would like)(?: you to)?|i['’]d like) ",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    r"[\s,]*(?:\b(?:please|bitte|por favor|s['’]il (?:te|vous) pla[iî]t|for me|briefly|shortly|quickly|kurz|brièvement|"
    r"brevemente|in (?:short|brief|general|one go)|overall)|"
    r"\b(?:in|as|within|auf|en) (?:(?:a|an|one|two|three|four|five|ten|few|some|\d+|about|around|at most|less than|"
    r"simple|plain|short|couple|of|einem|zwei|drei|deux|trois|quelques|dos|tres|pocas) )*"
    r"(?:sentences?|words?|paragraphs?|bullets?(?: points?)?|lines?|terms|english|satz|sätzen|worten|phrases?|mots|"
    r"lignes|frases?|palabras|líneas))$",
    re.IGNORECASE,
)
_SHORT = r"(?:(?:short|brief|quick|concise|rough|general|high[- ]level|one[- ]\w+|kurze[nr]?|kurz|grobe[nr]?|court|bref|breve|corto) )*"
_NOUN = r"(?:summary|overview|synopsis|outline|gist|digest|abstract|recap|tl;? ?dr)"
_POINTS = r"(?:(?:main|key|most important|central|major) (?:points?|ideas?|takeaways?|messages?|findings?|topics?|themes?|content)|gist|essence)"
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?:summari[sz]e|sum up|recap|outline|condense)(?: for me)?(?: (?P<s>.+))?",
        rf"(?:give|write|show|make|create|provide|get|produce|draft)(?: me| us)? (?:a |an |the )?{_SHORT}{_NOUN}"
        r"(?: (?:of|on|about|for) (?P<s>.+))?",
        rf"(?:a |an |the )?{_SHORT}{_NOUN}(?:(?: (?:of|on|about|for)|:) (?P<s>.+))?",
        r"(?:tell|show) me (?:briefly )?what (?P<s>.+?) (?:is|are) (?:all )?about",
        r"what(?:['’]?s| is| are|['’]re) (?P<s>.+?) (?:all )?about",
        r"what (?:does|do|is|are) (?P<g>.+?) (?:cover|deal with|deals with|contain|discuss|describe|talk about|say)",
        r"what(?:['’]s| is| are)? (?:there )?in (?P<g>.+)",
        rf"(?:what (?:is|are) |list |name |give me |tell me )?the {_POINTS} (?:of|in|from) (?P<g>.+)",
        # German
        r"fasse?(?: mir| uns)?(?: bitte)?(?: (?P<s>.+?))?(?: kurz| bitte)* zusammen",
        rf"(?:gib|gebe|schreibe?|erstelle?|mache?)(?: mir| uns)?(?: bitte)? (?:eine?n? |die )?{_SHORT}"
        r"(?:zusammenfassung|überblick|übersicht)(?: (?:von|über|zu|für|der|des|dieses|dieser)(?: (?P<s>.+))?)?",
        rf"(?:eine?n? |die )?{_SHORT}(?:zusammenfassung|überblick|übersicht)(?: (?:von|über|zu|der|des) (?P<s>.+))?",
        r"(?P<s>.+?)(?: kurz| bitte)* zusammenfassen",
        r"(?:wovon|von was) handel[nt]+ (?P<s>.+)",
        r"worum (?:geht['’]?s?|dreht sich|handelt)(?: es)?(?: sich)?(?: eigentlich| hier)?(?: (?:in|bei) (?P<s>.+))?",
        r"was steht in (?P<g>.+)",
        # French
        r"r[ée]sume[zr]?(?:[- ](?:moi|nous))?(?: (?P<s>.+))?",
        rf"(?:fais|faites|donne|donnez|écris|écrivez)(?:[- ](?:moi|nous))? (?:un |le )?{_SHORT}(?:résumé|aperçu|synthèse)"
        r"(?: (?:de|du|des|d['’])\s*(?P<s>.+))?",
        r"(?:un |le )?(?:résumé|aperçu) (?:de|du|des|d['’])\s*(?P<s>.+)",
        r"de quoi (?:parlent?|traitent?|s['’]agit[- ]il(?: dans)?|est[- ]il question dans)(?: (?P<s>.+))?",
        # Spanish
        r"(?:resume|resumir|resúmeme|resuma)(?: (?P<s>.+))?",
        rf"(?:hazme|haz|dame|da|escribe) (?:un |el )?{_SHORT}(?:resumen|sumario)(?: (?:de|del|sobre) (?P<s>.+))?",
        r"(?:un |el )?resumen (?:de|del|sobre) (?P<s>.+)",
        r"¿?de qué (?:tratan?|hablan?|van?)(?: (?P<s>.+))?",
    )
)

_DOCUMENT = (
    r"(?:documents?|files?|pdfs?|papers?|reports?|texts?|articles?|books?|filings?|manuals?|letters?|contracts?|studies|study|"
    r"dokuments?|dokumente[ns]?|datei(?:en)?|texte[ns]?|berichte?[ns]?|artikels?|buch(?:e?s)?|bücher|rapports?|livres?|fichiers?|"
    r"documentos?|informes?|archivos?|libros?|artículos?|textos?)"
)
_MANY = (
    r"(?:documents|files|pdfs|papers|reports|texts|articles|books|filings|manuals|letters|contracts|studies|dokumenten?|"
    r"dateien|texten?|berichten?|bücher|rapports|livres|fichiers|documentos|informes|archivos|libros|artículos|textos)"
)
_LIBRARY = (
    r"(?:library|collection|corpus|folder|knowledge base|document collection|document set|archive|bibliothek|sammlung|"
    r"ordners?|bibliothèque|collection|dossier|biblioteca|colección|carpeta)"
)
_POINTS_AT = (
    r"(?:(?:this|that|the|my|our|your|its|these|those|all|of|whole|entire|full|complete|attached|uploaded|selected|given|"
    r"current|open|following|here|dies(?:e[mnrs]?)?|das|der|die|den|dem|des|alle[nr]?|meine?[nmrs]?|unsere?[nmrs]?|ganze[ns]?|"
    r"ce(?:tte|s|t)?|la|le|les|l['’]|mes|mon|ma|nos|notre|tous|toute?s?|este|esta|estos|estas|el|los|las|mis?|"
    r"nuestr[oa]s?|tod[oa]s?)\s*)"
)
_IT = re.compile(
    r"(?:this|it|that|this one|das|dies|es|hier|ça|cela|ceci|esto|eso)(?: here| hier)?", re.IGNORECASE
)
_THE_LIBRARY = re.compile(
    rf"{_POINTS_AT}+{_LIBRARY}|everything|it all|all of (?:it|this|them)|them(?: all)?|these|those|alles|tout|todo",
    re.IGNORECASE,
)
_THE_DOCUMENTS = re.compile(rf"{_POINTS_AT}+{_MANY}|all {_MANY}", re.IGNORECASE)
_THE_DOCUMENT = re.compile(rf"{_POINTS_AT}+{_DOCUMENT}", re.IGNORECASE)
_AT_HAND = re.compile(
    r"(?:the )?(?:whole |entire )?(?:this|my|our|attached|uploaded|selected|given|current|open|dies|mein|unser|ce|mon|notre|est[ea]|mi|"
    r"nuestro)",
    re.IGNORECASE,
)
# A name as people say it is short.
_LONGEST_NAME = 15


def wants_summary(question: str) -> bool:
    """Return whether a question asks for a summary of what is at hand, without naming a document."""
    subject = subject_of(question)
    return subject is not None and subject.meant is not Meant.NAMED


def subject_of(question: str) -> Subject | None:
    """Return what a question wants summarised; None where it asks for something else.

    What is NAMED may be anything: `documents_meant` says whether it is a document.
    """
    plain = " ".join(unicodedata.normalize("NFC", question).split()).strip(" ?!.…¿¡:\"“”")
    plain = _POLITE.sub("", _POLITE.sub("", plain))
    while (shorter := _BEHIND.sub("", plain)) != plain:
        plain = shorter.strip(" ,")
    for pattern in _PATTERNS:
        match = pattern.fullmatch(plain)
        if match is None:
            continue
        found = match.groupdict()
        meant = _meant((found.get("s") or found.get("g") or "").strip())
        if meant is not None and (meant.meant is not Meant.NAMED or "s" in found):
            return meant
    return None


def documents_meant(
    subject: Subject, documents: Sequence[Document], *, in_conversation: bool = False
) -> list[Document] | None:
    """Return which of the documents in scope are to be summarised; None where a question is no wish for that.

    `in_conversation`: something was asked before, so that "this" may be the answer to it.
    """
    match subject.meant:
        case Meant.ALL:
            return list(documents)
        case Meant.DOCUMENT:
            if len(documents) > 1 and not _AT_HAND.match(subject.name):  # a book that documents speak of, perhaps
                return _called(subject.name, documents) or None
            return list(documents)
        case Meant.IT:
            return list(documents) if len(documents) == 1 and not in_conversation else None
        case Meant.NAMED:
            return _called(subject.name, documents) or None


def _meant(name: str) -> Subject | None:
    if not name or _IT.fullmatch(name):
        return Subject(Meant.IT)
    if _THE_LIBRARY.fullmatch(name) or _THE_DOCUMENTS.fullmatch(name):
        return Subject(Meant.ALL)
    if _THE_DOCUMENT.fullmatch(name):
        return Subject(Meant.DOCUMENT, name)
    return Subject(Meant.NAMED, name) if len(name.split()) <= _LONGEST_NAME else None


def _called(name: str, documents: Iterable[Document]) -> list[Document]:
    """Return the documents whose name or title has all words of a name: two of them, or half of its own."""
    wanted = _words(name) - function_words("en") - _NO_NAMES
    found = []
    for document in documents:
        if name.casefold() in (document.id, document.name.casefold(), document.path.casefold()):
            return [document]
        for own in (_words(document.name), _words(document.title or "")):
            if wanted and wanted <= own and (len(wanted) >= 2 or 2 * len(wanted) >= len(own - _NO_NAMES)):
                found.append(document)
                break
    return found


# What every document is, and the ends of files' names.
_NO_NAMES = frozenset(
    "document file pdf paper text article book md txt docx html epub pptx xlsx csv der die das den dem le la les el "
    "los las du des de dokument datei fichier documento archivo".split()
)


def _words(name: str) -> frozenset[str]:
    """Return the words of a name; 10-K, 10K and 10 K are alike."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", name).casefold())
    joined = (a + b for a, b in zip(words, words[1:], strict=False) if a[-1].isdigit() and len(b) == 1)
    return frozenset([*words, *joined])
