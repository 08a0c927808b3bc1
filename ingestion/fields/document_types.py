"""Types: by the file's suffix, by words of the title and the file's name, by what only one type has."""

import re

from ingestion.fields.front_matter import FrontMatter
from ingestion.fields.values import DocumentType

_SUFFIXES = {
    ".pptx": DocumentType.SLIDES,
    ".odp": DocumentType.SLIDES,
    ".xlsx": DocumentType.SPREADSHEET,
    ".ods": DocumentType.SPREADSHEET,
    ".csv": DocumentType.SPREADSHEET,
    ".tsv": DocumentType.SPREADSHEET,
    ".epub": DocumentType.BOOK,
}
_PAGES_OF_THE_WEB = (".html", ".htm", ".xhtml")

# The first row that a title matches counts: what is more special comes first.
_TITLED = (
    (
        DocumentType.ANNUAL_REPORT,
        r"annual (?:\w+ ){0,2}reports?|geschäftsbericht|jahresbericht|rapport annuel|informe anual|"
        r"(?:memoria|relatório|relazione) anua[l\w]+|annual accounts|jaarverslag",
    ),
    (
        DocumentType.QUARTERLY_REPORT,
        r"quarterly (?:\w+ ){0,2}report|quartals(?:bericht|mitteilung)|rapport trimestriel",
    ),
    (
        DocumentType.MINUTES,
        r"minutes|(?:sitzungs|ergebnis)protokoll|protokoll der .*(?:sitzung|versammlung)|procès-verbal|"
        r"acta de (?:la |el )?(?:reunión|sesión|asamblea|junta)|verbale",
    ),
    (
        DocumentType.CONTRACT,
        r"agreement|contract|lease|memorandum of understanding|\w*vertrag|contrat(?:o|to)?|overeenkomst",
    ),
    (
        DocumentType.BYLAWS,
        r"by-?laws|articles of (?:association|incorporation)|(?:vereins)?satzung|estatutos|statuts|statuto",
    ),
    (DocumentType.THESIS, r"thesis|dissertation|(?:master|bachelor|doktor|diplom)arbeit"),
    (DocumentType.PROTOCOL, r"protocol|studienprotokoll|prüfplan|protocolo"),
    (
        DocumentType.STANDARD,
        r"special publication \d+|request for comments|rfc ?\d{3,4}|iso(?:/iec)? ?\d{3,5}|iec ?\d{4,5}|"
        r"ieee std|din en|technical specification|(?:international|national|technical) standard|"
        r"standard (?:for|no)\b",
    ),
    (
        DocumentType.MANUAL,
        r"(?:user|owner|operator|reference|installation|product)['’]?s? guide|operating instructions|"
        r"quick ?start(?: guide)?|instructions for use|manual|handbook|\w*anleitung|\w*handbuch|"
        r"mode d['’]emploi|manuel d['’]utilisation|manuale",
    ),
    (DocumentType.INVOICE, r"(?:tax )?invoice|rechnung|facture|factura|fattura"),
    (DocumentType.NOTES, r"(?:lecture|class|course|meeting) notes|apuntes|notizen|\w*skript|mitschrift"),
    (DocumentType.SLIDES, r"slides|presentation|slide deck"),
    (DocumentType.REPORT, r"reports?|bericht|rapport|informe|relazione|white ?paper"),
)  # fmt: skip
_TITLE_PATTERNS = tuple((kind, re.compile(rf"\b(?:{words})\b", re.IGNORECASE)) for kind, words in _TITLED)
# Of a file's name only words that stand for nothing else.
_NAMED = (
    (DocumentType.PROTOCOL, re.compile(r"\bNCT\d{8} Prot\b")),  # of ClinicalTrials.gov
    (DocumentType.MANUAL, re.compile(r"\b(?:manual|handbook)\b", re.IGNORECASE)),
    (DocumentType.INVOICE, re.compile(r"\b(?:invoice|rechnung|factura|facture)\b", re.IGNORECASE)),
    (DocumentType.MINUTES, re.compile(r"\bminutes\b", re.IGNORECASE)),
    (DocumentType.ANNUAL_REPORT, re.compile(r"\bannual (?:\w+ )?report\b", re.IGNORECASE)),
    (DocumentType.BYLAWS, re.compile(r"\b(?:bylaws|satzung|estatutos)\b", re.IGNORECASE)),
    (DocumentType.NOTES, re.compile(r"\b(?:lecture ?notes|apuntes)\b", re.IGNORECASE)),
    (DocumentType.SLIDES, re.compile(r"\bslides\b", re.IGNORECASE)),
    (DocumentType.THESIS, re.compile(r"\b(?:thesis|dissertation)\b", re.IGNORECASE)),
)  # fmt: skip
_PARTIES = re.compile(
    r"\bby and (?:between|among)\b|\bwhereas\b|\bhereinafter\b|\bthe parties\b|\bentered into\b|\blandlord\b|"
    r"\btenant\b|\blessee\b|\bagree[sd]? (?:as follows|to)\b|\bzwischen\b|\bvertragspartei|\bentre\b",
    re.IGNORECASE,
)
_ABSTRACT = re.compile(
    r"^\W*(?:abstract|zusammenfassung|résumé|resumen)\b\W{0,3}", re.IGNORECASE | re.MULTILINE
)
_OF_A_PAPER = re.compile(
    r"\bkeywords\b|\bindex terms\b|\bintroduction\b|\bccs concepts\b|\barxiv:|\bdoi\b|\bproceedings\b",
    re.IGNORECASE,
)
_SALUTATION = re.compile(
    r"^(?:dear\s+(?!customers?\b|readers?\b|shareholders?\b|colleagues\b)\S.{0,60}|sehr geehrte\S* .{2,60}|"
    r"estimad[oa]s? .{2,60}|(?:chère?|madame|monsieur)\b.{0,60})[,:!]?$",
    re.IGNORECASE | re.MULTILINE,
)
_CLOSING = re.compile(
    r"^(?:yours|sincerely|kind regards|best regards|respectfully|mit freundlichen|hochachtungsvoll|"
    r"atentamente|cordialement|veuillez agréer)\b",
    re.IGNORECASE | re.MULTILINE,
)
_BILLED = re.compile(
    r"\b(?:invoice|rechnungs?|factura|facture)[\s-]*(?:no|nr|number|nummer|date|datum|#|n[º°])", re.IGNORECASE
)
_THESIS = re.compile(
    r"\b(?:thesis|dissertation)\b.{0,80}\b(?:submitted|presented|degree)\b|"
    r"\bdegree of (?:doctor|master|bachelor)\b|\bzur erlangung des (?:akademischen )?grades\b",
    re.IGNORECASE,
)
_NOTES = re.compile(
    r"\b(?:lecture notes|apuntes|vorlesungsskript|mitschrift|notes de cours)\b", re.IGNORECASE
)
_HEAD = 900
# Characters of a subject that names a type; a longer one is a summary.
_SUBJECT = 60
_WORDS_OF_A_SLIDE = 110
# Width by height: 4:3, 16:10, 16:9.
_SCREENS = (4 / 3, 16 / 10, 16 / 9)
_LEAST_SLIDES = 3
_TOLERANCE = 0.02


def type_of_suffix(front: FrontMatter) -> DocumentType | None:
    """Return the type that a suffix alone says."""
    return _SUFFIXES.get(front.suffix)


def type_word(text: str) -> DocumentType | None:
    """Return the type that a title's words name."""
    return next((kind for kind, pattern in _TITLE_PATTERNS if pattern.search(text)), None)


def type_of(front: FrontMatter, title: str) -> DocumentType | None:
    """Return a document's type, given its title; None where nothing shows it."""
    return (
        _by_content(front)
        or _by_title(front, title)
        or next((kind for kind, pattern in _NAMED if pattern.search(front.name_words)), None)
        or (DocumentType.NOTES if _NOTES.search(front.flat[:_HEAD]) else None)
        or (DocumentType.SLIDES if _is_shown(front) else None)
        or (DocumentType.WEB_PAGE if front.suffix in _PAGES_OF_THE_WEB else None)
    )


def _by_content(front: FrontMatter) -> DocumentType | None:
    """What only one type has: an abstract and keywords, a salutation and a closing, an invoice's number."""
    if _ABSTRACT.search(front.first) and _OF_A_PAPER.search(front.first):
        return DocumentType.PAPER
    if _SALUTATION.search(front.first) and _CLOSING.search(front.text):
        return DocumentType.LETTER
    if _BILLED.search(front.flat[:_HEAD]):
        return DocumentType.INVOICE
    return DocumentType.THESIS if _THESIS.search(front.flat[:_HEAD]) else None


def _by_title(front: FrontMatter, title: str) -> DocumentType | None:
    """The title's words, and those of the subject that the file states; a contract has parties, too."""
    subject = front.properties.subject
    for text in (title, subject if len(subject) <= _SUBJECT else ""):
        kind = type_word(text)
        if kind is DocumentType.CONTRACT and not _PARTIES.search(front.text):
            continue
        if kind:
            return kind
    return None


def _is_shown(front: FrontMatter) -> bool:
    """Whether the pages have the shape of a screen, and few words."""
    sized = [page for page in front.pages if page.height]
    if len(sized) < _LEAST_SLIDES:
        return False
    shapes = [page.width / page.height for page in sized]
    words = sum(len(page.text.split()) for page in sized) / len(sized)
    wide = all(min(abs(shape - screen) for screen in _SCREENS) < _TOLERANCE for shape in shapes)
    return wide and words < _WORDS_OF_A_SLIDE
