"""Organisations: how their names look, and where a document says which one issued it."""

import re
from collections.abc import Iterator
from itertools import takewhile

from ingestion.fields.document_types import type_word
from ingestion.fields.front_matter import FrontMatter

_MOST_WORDS = 12
_LEGAL = re.compile(
    r"\b(?:Inc|Incorporated|Corp|Corporation|Company|Co|LLC|L\.L\.C|Ltd|Limited|LP|L\.P|LLP|PLC|N\.?V|B\.?V|"
    r"S\.?A|S\.?E|A\.?G|GmbH|KG|e\.\s?V|eG|Oy|AB|ASA|S\.?p\.?A|S\.?L|Pty|Holdings?|Group|International|Trust|"
    r"Partnership|Bancorp)\b\.?(?=$|[\s,)])"
    r"|& Co\b\.?",
    re.IGNORECASE,
)
# The noun that a name of an institution has.
_NOUN = re.compile(
    r"\b(?:Board|Agency|Institutes?|Institution|Commission|Department|Ministry|University|College|Academy|"
    r"Association|Society|Foundation|Council|Committee|Bureau|Administration|Authority|Bank|Office of|Union|"
    r"Federation|Organi[sz]ation|Service|Hospital|Centers?|Centre|Laborator(?:y|ies)|Museum|Observatory|Court|"
    r"Verein|Universität|Hochschule|Institut|Ministerium|Bundes\w+|Landes\w+|Stiftung|Verband|Amt|"
    r"Gesellschaft|Universidad|Instituto|Ministerio|Agencia|Fundación|Asociación|Ayuntamiento|"
    r"Université|Ministère|Agence|Fondation|Conseil|Mairie|Università|Ministero|Universidade)\b"
)
_UNIT = re.compile(
    r"\b(?:Division|Branch|Section|Unit|Laborator(?:y|ies)|Faculty|School|Fakultät|Facultad)\b"
)
# Words that a name has in small letters.
_SMALL = frozenset(
    ["of", "the", "for", "and", "on", "&", "de", "del", "la", "y", "e", "des", "du", "et", "für", "der",
     "die", "das", "und", "van", "von", "di", "della"]
)  # fmt: skip
# What a line that names an organisation does not have: it is a title, or says something.
_OTHER = re.compile(
    r"\b(?:guide|plan|policy|meeting|press|news|form|act|letter|proceedings|chapter|"
    r"in|by|with|to|from|at|is|are|was|were)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")
# Words of a name in capitals that are no abbreviations; others count from so many letters on.
_ENDINGS = frozenset(
    ["The", "Inc", "Co", "Corp", "Company", "Corporation", "Incorporated", "Limited", "Group"]
)
_LEAST_RECASED = 4
_LABEL = re.compile(
    r"^(?:(?:study|trial)\s+)?(?:sponsor|applicant|issued by|published by|publisher|prepared by|institution|"
    r"organi[sz]ation|company|herausgeber|herausgegeben von|editado por|publicado por|publié par|éditeur)"
    r"(?:\s+name)?\s*:?\s+(?P<name>\S.{2,150})$",
    re.IGNORECASE | re.MULTILINE,
)
_COPYRIGHT = re.compile(
    r"(?:©|\(c\)|copyright)\s*(?:©|\(c\))?\s*(?:19|20)\d\d(?:\s*[-–,]\s*(?:19|20)\d\d)?,?\s+(?:by\s+)?"
    r"(?P<name>[^\n]{3,80})",
    re.IGNORECASE,
)
_STATUTES = re.compile(
    r"^(?:the\s+)?(?:amended\s+and\s+restated\s+)?(?:by-?laws|constitution|articles\s+of\s+(?:association|"
    r"incorporation)|(?:vereins)?satzung|estatutos|statuts)\s+"
    r"(?:of|des|der|de\s+la|de\s+l['’]|del|de|du)\s+(?:vereins\s+)?(?P<name>\S.{2,100})$",
    re.IGNORECASE,
)
_UNIVERSITY = re.compile(
    r"\b(?:University of (?:the )?[A-Z]\w+(?: [A-Z]\w+)?|[A-Z]\w+ (?:State )?University|"
    r"Universi(?:dad|dade|té|tà)(?: (?:de|di|du|des|degli|[A-Z]\w+))*(?: [A-Z]\w+)+|"
    r"(?:Technische )?Universität (?:zu )?[A-Z]\w+)"
)
_BETWEEN = re.compile(r"\b(?:by and )?(?:between|among|zwischen|entre)\b", re.IGNORECASE)
_PARTIES = 700  # characters in which both are named
# A company within a sentence: capital words up to its legal form.
_COMPANY = re.compile(
    r"(?:[A-Z0-9][\w&.'’-]*,?\s+(?:(?:of|and|the|for|de|&)\s+)?){1,7}?"
    r"(?:Inc|Incorporated|Corp|Corporation|Company|LLC|L\.L\.C|Ltd|Limited|LP|L\.P|LLP|PLC|plc|N\.V|B\.V|"
    r"S\.A|SE|AG|GmbH|INC|INCORPORATED|CORP|CORPORATION|LIMITED|LTD|COMPANY|University|Institute|Foundation)\b\.?"
)
_SPLIT = re.compile(r"(?<=\w{4})\.\s+|\s*[;|•]\s+|[.,]?\s+all rights\b", re.IGNORECASE)
_RECIPIENT = re.compile(
    r"\b(?:prepared|submitted|presented|produced|delivered)?\s*(?:for|to)\s*:?$", re.IGNORECASE
)
# Characters, lines and the longest line of the head of a first page.
_HEAD = 600
_HEAD_LINES = 4
_LONGEST_LINE = 110


def has_legal_form(text: str) -> bool:
    """Whether a name has the form of a company in it: Inc., Corporation, GmbH, e. V."""
    return bool(_LEGAL.search(text))


def as_written(name: str, text: str) -> str:
    """Return a name in capitals as the text writes it elsewhere: "SQUARE, INC." becomes "Square, Inc.".

    Where it does not write the whole name, its words are taken as the text writes them, but short ones, which
    may be abbreviations.
    """
    name = name.strip(" ,;:_-–—*")
    if not name or name != name.upper():
        return name
    spaced = r"\s+".join(re.escape(word) for word in name.split())
    for match in re.finditer(rf"(?<!\w){spaced}(?!\w)", text, re.IGNORECASE):
        found = " ".join(match.group().split())
        if found != name and not found[0].islower():
            return found
    known = _ENDINGS | set(_WORD.findall(text))
    long = [
        word for word in _WORD.findall(name) if len(word) >= _LEAST_RECASED or word.capitalize() in _ENDINGS
    ]
    if any(word.capitalize() not in known for word in long):
        return name
    return _WORD.sub(lambda match: match[0].capitalize() if match[0] in long else match[0], name)


def is_organisation(line: str) -> bool:
    """Whether a line is the name of an organisation and nothing else."""
    words = line.split()
    if not 1 < len(words) <= _MOST_WORDS or re.search(r"\d|[?!:;]", line):
        return False
    if _OTHER.search(line) or type_word(line):
        return False
    if re.search(r"\w{2}\.( |$)", line) and not has_legal_form(line.rstrip(".")):
        return False
    letters = [word for word in words if word.casefold().strip(".") not in _SMALL and _WORD.search(word)]
    capital = [word for word in letters if _WORD.search(word)[0][0].isupper()]  # type: ignore[index]
    if len(capital) < len(letters) or not letters or words[0].casefold() in _SMALL - {"the"}:
        return False
    return bool(_NOUN.search(line.title() if line.isupper() else line) or has_legal_form(line))


def issuing_organisation(front: FrontMatter, title: str) -> str:
    """Return the organisation that issued a document of no special form; "" where it does not say so."""
    name = next(_candidates(front, title), "")
    return as_written(_SPLIT.split(name, maxsplit=1)[0], front.text)


def _candidates(front: FrontMatter, title: str) -> Iterator[str]:
    """Yield what may be the organisation, the surest first."""
    said = front.properties
    for one in (said.organisation, said.author):
        if is_organisation(one) and front.has_words(one) == 1:
            yield one
    for line in (title, *front.lines):
        if (match := _STATUTES.match(line)) and match["name"][0].isupper():
            yield match["name"]
    for match in _LABEL.finditer(front.text):
        name = " ".join(match["name"].split())
        if is_organisation(name.split(",")[0]) and len(name.split()) <= _MOST_WORDS:
            yield name
    if line := _head_line(front):
        yield line
    for match in _COPYRIGHT.finditer(front.text):
        name = _SPLIT.split(match["name"], maxsplit=1)[0].strip(" .,")
        if is_organisation(name):
            yield name


def _head_line(front: FrontMatter) -> str:
    """Return the line of the first page's head that names an organisation, the whole before its parts."""
    head = front.lines if front.is_cover else front.lines[:_HEAD_LINES]
    head = list(takewhile(lambda line: len(line) <= _LONGEST_LINE, head))  # prose follows
    lines = [line for before, line in zip(["", *head], head, strict=False) if not _RECIPIENT.search(before)]
    named = [line for line in map(_without_specks, lines) if is_organisation(line)]
    return next((line for line in named if not _UNIT.search(line)), "")


def _without_specks(line: str) -> str:
    """A line without the signs and scraps that recognition reads in front of it."""
    return re.sub(r"^(?:\W|[a-z]{1,2}\s)+(?=[A-Z])", "", line)


def university(front: FrontMatter) -> str:
    """Return the one university that the head of the first page names; "" for none, and for several."""
    named = {" ".join(match.group().split()) for match in _UNIVERSITY.finditer(front.first[:_HEAD])}
    return named.pop() if len(named) == 1 else ""


def parties(front: FrontMatter) -> str:
    """Return the two parties of a contract; "" where they are not told apart."""
    between = _BETWEEN.search(front.flat)
    if between is None:
        return ""
    names = [match.group().strip(" ,") for match in _COMPANY.finditer(front.flat[between.end() :][:_PARTIES])]
    names = [as_written(name, front.text) for name in names]
    return f"{names[0]} and {names[1]}" if len(set(names[:2])) == 2 else ""
