"""Titles: the file's own where its first page bears it out, else the line that the first page begins with."""

import re
from itertools import pairwise, takewhile

from ingestion.documents import name_as_words
from ingestion.fields.document_types import type_word
from ingestion.fields.front_matter import FrontMatter, is_noise
from ingestion.fields.organisations import is_organisation
from ingestion.text.cleaning import MAX_TITLE_CHARACTERS

# The share of a file's own title that its first page must have.
_BORNE_OUT = 0.8
# Lines among which a title stands, its own lines, and their lengths.
_HEAD_LINES = 14
_MOST_LINES = 3
_LONGEST_LINE = 110
_MOST_WORDS = 14
# Words of a line that names hardly more than the type.
_MOST_BARE = 3
# The fewest words of a title that nothing bears out.
_LEAST_WORDS = 3
# A line that prose begins with is longer.
_PROSE = 60

_WORD = re.compile(r"[^\W\d_]{2,}")
_GOES_ON = re.compile(
    r"(?:[,:&-]|\b(?:of|the|for|and|or|in|on|to|with|a|an|by|from|at|de|la|el|y|des|der|die|für|und|zur|"
    r"du|et))$",
    re.IGNORECASE,
)
# What a program or a habit wrote as a title: an identifier, a file's name, a version.
_JUNK = re.compile(
    r"^\W*\d[\d\W]*$|\b(?:final|draft|copy|v\d+|rev\s?\d+)\W*$|\d{4}-\d\d-\d\d-\d\d|^exhibit\b|\bfiled \d|"
    r"^form\s+\d|^microsoft word\b|^\S+_\S+$|^\S*\d\S*$|^(?:powerpoint )?(?:presentation|slide \d+)$|"
    r"^(?:sheet|tabelle|feuil|hoja)\s?\d*$",
    re.IGNORECASE,
)
# A heading within a document: "1. Introduction".
_NUMBERED = re.compile(r"(?:§|\d{1,2}(?:\.\d+)*\.?|[IVX]+\.)\s")
# What recognition makes of a line beside the text: "I Accident Report".
_SPECK = re.compile(r"^[Il|]\s+(?=[A-Z])")
_LABELLED = re.compile(
    r"(?:(?:official|protocol|study|full|long|project|document)\s+)?title"
    r"(?:\s+of\s+(?:the\s+)?(?:study|project))?\s*:\s*(?P<title>\S.*)",
    re.IGNORECASE,
)
# Lines of authors: marks and addresses, "by …", a middle initial; names in a row.
_AUTHORS = re.compile(
    r"@|[a-z]\d(?:[\s,*∗†‡]|$)|[*∗†‡§]|^(?:by|von|por|par|a (?:thesis|dissertation))\b|"
    r"\b(?:university|universität|universidad|université|department|institute)\b",
    re.IGNORECASE,
)
_PERSON = r"[A-Z][\w.'’-]+(?: [A-Z][\w.'’-]*){1,3}"
_PERSONS = re.compile(rf"{_PERSON}(?:(?:,|,? and|,? und| &) {_PERSON})+\W*$")
_INITIAL = re.compile(r"[A-Z]\w+(?: [A-Z]\.)+ [A-Z]\w+$")


def title_of(front: FrontMatter, *, is_paper: bool = False) -> str:
    """Return a document's title; "" where neither the file nor its first page shows one."""
    own = _own_title(front)
    if own and (front.suffix != ".pdf" or front.has_words(own) >= _BORNE_OUT):
        return own
    found = _labelled(front) or (_above_authors(front) if is_paper else _printed(front))
    return found or _unconfirmed(own)


def _own_title(front: FrontMatter) -> str:
    """The title that the file states, unless it is an identifier or the file's name."""
    title = (front.title or "").strip()
    if not title or _JUNK.search(title) or title.casefold() == name_as_words(front.name).casefold():
        return ""
    return title


def _unconfirmed(title: str) -> str:
    """The file's own title, which its first page lacks: kept where it reads like one."""
    return title if len(_WORD.findall(title)) >= _LEAST_WORDS else ""


def _labelled(front: FrontMatter) -> str:
    """The title behind a label: "Official title: …", which may go on in further lines."""
    for place, line in enumerate(front.lines):
        if match := _LABELLED.match(line):
            found = [match["title"]]
            for before, following in pairwise(front.lines[place : place + _MOST_LINES + 1]):
                if is_noise(following) or ":" in following or len(before) < _PROSE:
                    break
                found.append(following)
            return _clean(" ".join(found))
    return ""


def _printed(front: FrontMatter) -> str:
    """The title in the first lines: one with the word of a type, all of a cover, or a heading over prose."""
    lines: list[str] = []
    for line in front.lines[:_HEAD_LINES]:
        goes_on = bool(lines) and _goes_on(lines[-1], line)  # "Statutes of", "Acme Institute"
        if not is_noise(line) and (goes_on or not is_organisation(line)):
            lines.append(line)
    for place, line in enumerate(lines):
        if _may_be_title(line) and type_word(line):
            return _with_type(lines, place, on_cover=front.is_cover)
    if not lines or not _may_be_title(lines[0]):
        return ""
    if front.is_cover:
        block = takewhile(lambda line: _is_short(line) and not _names_authors(line), lines[:_MOST_LINES])
        return _clean(" ".join(block))
    title = _joined_lines(lines, 0)
    following = lines[len(title) :]
    return _clean(" ".join(title)) if following and len(following[0]) > _PROSE else ""


def _with_type(lines: list[str], place: int, *, on_cover: bool) -> str:
    """The line that names the type, with those that belong to it: "ACME 3000", "User Manual"."""
    if len(lines[place].split()) == 1 and lines[place + 1 :] and type_word(lines[place + 1]):
        place += 1  # "Statutes", "Statutes of …"
    first = place
    takes_all = on_cover and len(lines[place].split()) <= _MOST_BARE
    while first > 0 and place - first < _MOST_LINES and _is_short(lines[first - 1]):
        if not takes_all and not _goes_on(lines[first - 1], lines[first]):
            break
        first -= 1
    title = _SPECK.sub("", " ".join([*lines[first:place], *_joined_lines(lines, place)]))
    return _clean(title) if not title[:1].islower() else ""


def _joined_lines(lines: list[str], place: int) -> list[str]:
    """A line with those that it goes on in."""
    found = [lines[place]]
    for line in lines[place + 1 : place + _MOST_LINES]:
        if not _goes_on(found[-1], line):
            break
        found.append(line)
    return found


def _goes_on(line: str, following: str) -> bool:
    return (
        bool(_GOES_ON.search(line))
        or following[0] == "("
        or (following[0].islower() and line[-1] not in ".;" and not following.startswith("by "))
    )


def _above_authors(front: FrontMatter) -> str:
    """The title of a paper: the lines above its authors, where these can be told."""
    lines = [line for line in front.lines[:_HEAD_LINES] if not is_noise(line)]
    named = (place for place, line in enumerate(lines) if _names_authors(line) or _PERSONS.match(line))
    authors = next(named, 0)
    return _clean(" ".join(lines[:authors])) if 0 < authors <= _MOST_LINES else ""


def _names_authors(line: str) -> bool:
    return bool(_AUTHORS.search(line) or _INITIAL.match(line))


def _is_short(line: str) -> bool:
    """Whether a line may be one of a title: words, and no sentence."""
    ends = line.endswith((".", ";", "?")) and line != line.upper()
    is_sentence = ends or re.search(r"[a-z]{2}\. [A-Z]", line)
    fits = len(line.split()) <= _MOST_WORDS and len(line) <= _LONGEST_LINE
    return bool(_WORD.search(line)) and fits and not is_sentence


def _may_be_title(line: str) -> bool:
    """Whether a title may begin with a line."""
    first = _WORD.search(line)
    return first is not None and not first[0][0].islower() and not _NUMBERED.match(line) and _is_short(line)


def _clean(title: str) -> str:
    """A title without what stands around it; the point of an abbreviation stays."""
    title = " ".join(title.split()).strip(" ,;:–—-_*|")
    if not re.search(r"\b\w\.$|\b(?:Inc|Ltd|Co|Corp)\.$", title):
        title = title.rstrip(" .")
    return title[:MAX_TITLE_CHARACTERS]
