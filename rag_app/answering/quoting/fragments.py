"""Text that is never an answer: headings, captions, running heads, contents, references, cut sentences.

Each rule of the table below has a name and a test of one statement. The rules know a page's text and nothing
of the question.
"""

import re
from collections.abc import Callable, Sequence

from rag_app.answering.evidence.echoes import is_question
from rag_app.answering.quoting.rows import is_head, parse_row
from rag_app.answering.quoting.statements import ITEM, Statement, StatementKind, is_open

_ENDS = re.compile(r"[.!?…。！？][\"'”’»)\]*_\d]*$")
# "operate!(op, args...) (resp."
_OPEN_BRACKET = re.compile(r"\([^()\s]{1,12}\.?$")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_LEADERS = re.compile(r"(?:\.\s?){5,}|…{2,}|·{4,}|_{6,}")
_PAGE = re.compile(
    r"^\W*(?:(?:page|seite|página|pagina|p\.)\s*)?(?:[A-Z]-)?\d{1,4}(?:\s*(?:of|/|von|de)\s*\d{1,4})?\W*$|"
    r"^(?:page|seite|página)\s+\d+\s+(?:of|von|de)\s+\d+\b|\bPAGE\s+(?:\d+|[ivx]+|[A-Z]-\d+)$|"
    r"\|\s*(?:[^|]{0,30}\bform\s+(?:10-[KQ]|20-F|8-K)|(?:annual|quarterly|interim) report[^|]{0,20})"
    r"\s*\|\s*\d{1,3}$|"
    r"^table of contents\b|^(?:contents|index|inhalt(?:sverzeichnis)?|índice|sommaire)$|^\W*©|"
    r"\ball rights reserved\b|"
    r"^\(?(?:continued|unaudited|intentionally left blank)\)?$|^source: [A-Z ,.&]+",
    re.IGNORECASE,
)
_CAPTION = re.compile(
    r"^(?:fig(?:ure|\.)?|table|tab\.|abb(?:ildung|\.)|tabelle|figura|tabla|tableau|exhibit|annex|"
    r"appendix|anhang|chart|"
    r"listing|schedule|box|plate)\s*(?:[A-Z]{1,2}-)?(?:\d+(?:[.-]\d+)*|[IVX]+|[A-Z])\s*(?:[.:–—|-]|$|"
    r"\s(?=[A-Z(]))|"
    # A table's title with its unit: "Sales and marketing (in thousands)".
    r"^[^.!?\d]{3,90}\((?:[\w. ]{0,20}\b)?in (?:thousands|millions|billions)\b[^)]{0,60}\)?\W*$",
    re.IGNORECASE,
)
_REFERENCE_SIGNS = (
    r"\bet al\b",
    r"\(?\b(?:19|20)\d\d[a-z]?\)?\s*[.;:]",
    r"\bdoi\b|\barxiv\b|\bisbn\b|\bissn\b",
    r"\d+\s*\(\d+\)\s*[:,]\s*\d+|\bpp?\.\s*\d+|\bvol\.\s*\d+|\d+:\d+[-–]\d+",
    r"\bproceedings\b|\bjournal\b|\bconference\b|\buniversity press\b|\bin proc\b|\beds?\.\)|"
    r"\btransactions on\b",
    r"(?:\b[A-Z][a-zà-ÿ'-]+,?\s+(?:[A-Z]\.?-?){1,3}(?:,|\.|;|\s+and\b|$).*){2}",
    r"^\[\d+\]\s|^\d{1,3}\.\s+[A-Z][a-zà-ÿ'-]+\s+[A-Z]{1,3},",
    r"\bretrieved from\b|\baccessed\b|\bavailable (?:at|from)\b",
)
_CITED = tuple(re.compile(sign, re.IGNORECASE if sign.islower() else 0) for sign in _REFERENCE_SIGNS)
_ADDRESS = re.compile(
    r"@[\w-]+\.\w+|https?://\S+$|\b(?:tel|fax|phone|e-?mail)\b\s*[.:]|\b[A-Z]{2}\s+\d{5}(?:-\d{4})?$|"
    r"^\d+\s+(?:[A-Z][\w.]*\s+){1,4}(?:street|st\.|avenue|ave\.|road|rd\.|drive|boulevard|blvd|lane|way|"
    r"suite)\b|"
    r"\b(?:department|university|institute|school|faculty|college|laboratory) of\b[^.]*$",
    re.IGNORECASE,
)
_POINTER = re.compile(
    r"^(?:see|refer to|please (?:see|refer)|siehe|véase|voir)\b.{0,120}$|^\(?(?:the )?accompanying notes\b|"
    r"^for (?:more|further|additional) (?:information|details?|discussion)\b.{0,140}\b(?:see|refer|visit)\b|"
    r"\b(?:accompanying notes|notes) (?:are an integral part|"
    r"to (?:the )?(?:condensed )?consolidated financial statements)|"
    r"^the (?:following|table below|above) (?:table|tables|chart|graph)s?\b.{0,140}\b(?:presents?|"
    r"shows?|sets? forth|"
    r"summari[sz]es?|provides?|details?|lists?|compares?|reconciles?)\b|"
    r"\bincorporated (?:herein )?by reference\b|"
    r"\b(?:is|are) (?:shown|presented|summari[sz]ed|set forth|provided|as follows|discussed|described|"
    r"included)\b.{0,60}\b(?:below|above|follows?|table|following)\b.{0,30}$|"
    r"^/s/|^by:|\bhereto(?:fore)? duly\b|^signature\b",
    re.IGNORECASE,
)
# Below a table, why a cell is empty: "* No data available".
_EMPTY_CELL = re.compile(
    r"^[-–—]?\s?[*†‡]{1,3}\s*(?:no|not|n/?a|data|figures?|results?)\b.{0,60}\b(?:available|applicable|reported|"
    r"disclosed|meaningful|collected)\b",
    re.IGNORECASE,
)
# Of what may come otherwise than it is told: no answer to what is.
_CAUTION = re.compile(
    r"\b(?:there (?:can|is|are) (?:be )?no|"
    r"(?:cannot|can not|can['’]t|unable to) (?:provide|give|offer|make)(?: \w+)?) "
    r"(?:assurances?|guarantees?)\b|"
    r"\b(?:cannot|can not|can['’]t) (?:assure|guarantee)\b|\bmay not be comparable to\b",
    re.IGNORECASE,
)
_NUMBERED_HEADING = re.compile(
    r"^(?:\d{1,2}(?:\.\d{1,2})*\.?|§\s*\d+|[A-Z]\.|[IVX]+\.|(?:item|article|section|chapter|part|"
    r"artikel|kapitel|teil|note|"
    r"appendix|step)\s+[\dIVXA-Z]+(?:\.\d+)*[A-Z]?[.:]?)\s+",
    re.IGNORECASE,
)
_LABEL_VALUE = re.compile(r"^[^:]{2,60}:\s+\S")
_LABELS = re.compile(r"\w:\s")
_LOWER_NAME = re.compile(r"^(?:[a-z]+[A-Z_\d(]|[a-z]+[-_.]\w+\(|[a-z]{1,3}\)|iOS|e[BM]ay|--?\w)")
_SMALL_WORDS = frozenset(
    re.findall(
        r"\w+",
        """a an and as at but by for from in into of on or the to with vs via per nor its our der die das des
        dem den und oder von zu im für mit auf ein eine de la le les et du des el los las y en del con por
        un una""",
    )
)
_LONGEST_HEADING = 14  # words
_LONGEST_LABEL = 10  # a longer text before a colon says something itself
_FEWEST_WORDS = 4
_LEAST_LETTERS = 0.4  # of the characters that are not space


BIBLIOGRAPHY = re.compile(
    r"^\W*(?:\d+\.?\s*)?(?:references?|bibliography|works cited|literature cited|"
    r"literatur(?:verzeichnis)?|bibliograf[íi]a|"
    r"bibliographie|referencias|table of contents|contents|inhaltsverzeichnis|índice)\W*$",
    re.IGNORECASE,
)


def _words(text: str) -> list[str]:
    return _WORD.findall(text)


def _is_title_case(text: str) -> bool:
    """Return whether most words that are not small begin with a capital."""
    large = [word for word in _words(text) if word.casefold() not in _SMALL_WORDS]
    return bool(large) and sum(word[0].isupper() for word in large) >= 0.7 * len(large)


def is_labelled(one: Statement) -> bool:
    """Return whether a statement is a label with its value, like "Fuel: petrol"."""
    return _LABEL_VALUE.match(one.text) is not None and len(_LABELS.findall(one.text)) < 3


def _is_heading(one: Statement) -> bool:
    if one.kind is StatementKind.ROW or is_labelled(one):
        return False
    text, is_item = one.text, one.kind is StatementKind.ITEM
    numbered = _NUMBERED_HEADING.match(text) is not None
    body, length = _NUMBERED_HEADING.sub("", text), len(text.split())
    if _ENDS.search(text):
        return numbered and length <= 20 and (_is_title_case(body) or body.isupper())
    if text.isupper() and length <= _LONGEST_HEADING:
        return not is_item or (numbered and length <= 4)
    if any(map(str.isdigit, body)) and not _is_title_case(body):
        return False
    if is_item:
        return numbered and length <= _LONGEST_HEADING and (_is_title_case(body) or length <= 7)
    return _is_title_case(text) or (length <= _LONGEST_HEADING and (length <= 7 or numbered))


def _is_reference(one: Statement) -> bool:
    return sum(sign.search(one.text) is not None for sign in _CITED) >= 2


def _is_contents(one: Statement) -> bool:
    if _LEADERS.search(one.text):
        return True
    return (
        _NUMBERED_HEADING.match(one.text) is not None
        and re.search(r"[^\d.,%$]\s\d{1,3}$", one.text) is not None
    )


def _is_cut_start(one: Statement) -> bool:
    text = one.text.lstrip("\"'“‘([")
    if text[:1] in ",;:)]%&/" and text[:1]:
        return True
    return text[:1].islower() and one.kind is not StatementKind.ITEM and _LOWER_NAME.match(text) is None


def _is_cut_end(one: Statement) -> bool:
    if _OPEN_BRACKET.search(one.text):
        return True
    return one.kind not in (StatementKind.ROW, StatementKind.ITEM) and is_open(one.text)


def _is_bare_label(one: Statement) -> bool:
    if one.kind is StatementKind.ITEM or is_labelled(one):
        return False
    return one.text.rstrip().endswith((":", ";")) and len(one.text.split()) <= _LONGEST_LABEL


def _is_valueless_row(one: Statement) -> bool:
    row = parse_row(one.text)
    if row is not None:
        return not any(any(map(str.isalnum, value)) for value in row.values)
    return is_head(one.text)


def _is_noise(one: Statement) -> bool:
    if one.kind is StatementKind.ROW or is_labelled(one):
        return False
    solid = [sign for sign in one.text if not sign.isspace()]
    return sum(map(str.isalpha, solid)) < _LEAST_LETTERS * len(solid)


def _is_too_short(one: Statement) -> bool:
    if one.kind is StatementKind.ROW or is_labelled(one):
        return False
    bare = ITEM.sub("", one.text)
    return len(bare.split()) < (_FEWEST_WORDS if one.kind is not StatementKind.ITEM else 3)


# Name of a kind of text → whether a statement is of that kind.
RULES: tuple[tuple[str, Callable[[Statement], bool]], ...] = (
    ("contents", _is_contents),
    ("page number or running head", lambda one: _PAGE.search(one.text) is not None),
    ("caption", lambda one: _CAPTION.match(one.text) is not None),
    ("reference", _is_reference),
    (
        "address",
        lambda one: (
            one.kind is not StatementKind.ROW
            and len(one.text.split()) <= 20
            and _ADDRESS.search(one.text) is not None
        ),
    ),
    ("pointer", lambda one: _POINTER.search(one.text) is not None),
    ("caution", lambda one: _CAUTION.search(one.text) is not None),
    ("note on an empty cell", lambda one: _EMPTY_CELL.search(one.text) is not None),
    ("row without a value", _is_valueless_row),
    ("noise", _is_noise),
    ("question", lambda one: is_question(one.text)),
    ("cut start", _is_cut_start),
    ("cut end", _is_cut_end),
    ("heading", _is_heading),
    ("label", _is_bare_label),
    ("too short", _is_too_short),
)


def why_no_answer(one: Statement) -> str | None:
    """Return the kind of text that a statement is, of those that are never an answer; None for the others."""
    return next((name for name, is_it in RULES if is_it(one)), None)


def among_references(found: Sequence[Statement], place: int) -> bool:
    """Return whether most statements around one are references: a title or a name within a bibliography."""
    around = [*found[max(0, place - 2) : place], *found[place + 1 : place + 3]]
    return sum(_is_reference(one) for one in around) >= 2
