"""Identifiers of a text: codes, part and invoice numbers, versions, and phrases in quotation marks.

A question with an identifier means exactly that one. A model cannot tell its neighbours apart (E-0103 from
E-0102), so identifiers are compared literally, in one spelling: "inv 2024 003", INV-2024-003 and INV/2024/003
are equal. Years, quarters, amounts with a unit, 24-hour, mid-2022 and 10-K look similar and are no
identifiers.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from ingestion.text.compounds import SPACED_CODE, is_code
from ingestion.text.dates import dates


class IdentifierKind(Enum):
    """What follows if no document has an identifier.

    CODE: the documents do not know it. NAME (COVID-19, C++): documents may write it differently. PHRASE: the
    question has it in quotation marks.
    """

    CODE = "code"
    NAME = "name"
    PHRASE = "phrase"


@dataclass(frozen=True, slots=True)
class Identifier:
    """Characters `start` to `end` of a text; identifiers are compared by `key`."""

    text: str
    start: int
    end: int
    key: str
    kind: IdentifierKind


# Letters and digits with what holds the parts of a code together.
_TOKEN = re.compile(
    r"(?<![^\W_])(?:\.(?=[A-Z]{2}))?[^\W_]+(?:[-_/.:\u2010\u2011\u2013][^\W_]+)*(?:\+\+\d*|#(?![^\W_]))?"
)
_SEPARATOR = re.compile(r"[-_/:\s\u2010\u2011\u2013]+")
_VERSION = re.compile(r"v\d+(?:\.\d+)+")
# A word that announces an identifier: after it, plain digits or a capital are one.
_ANNOUNCED = re.compile(
    r"(?:\b(?:codes?|errors?|parts?|invoices?|orders?|cases?|tickets?|serials?|articles?|items?|skus?|models?|"
    r"account|number|no|nr|fault|policy|version|release|rechnung|bestellung|fehler(?:code)?|artikel|teil|"
    r"auftrag|nummer|facture|commande|erreur|pièce|numéro|factura|pedido|pieza|número|fattura|ordine|codice|"
    r"fatura|factuur|foutcode)\b[.:]?|#)\s*(?:(?:no|nr|n[º°]|number|nummer|code)\b\.?:?\s*)?#?$",
    re.IGNORECASE,
)
# Keys that are no identifiers: quarters and years (q3, fy2022, 2022q3), American forms (10k), sizes with
# units, ordinals.
_NO_IDENTIFIER = re.compile(
    r"(?:fy|cy|q|h|kw|w|t)\d{1,4}(?:(?:fy|cy)?\d{2,4})?|\d{2,4}[qh][1-4]|(?:fy|cy)\d{2,4}[qh][1-4]|"
    r"\d{1,2}[kqa]|\d+(?:\.\d+)?(?:st|nd|rd|th|s|er|e|x|k|m|mn|bn|b|t|kg|g|mg|mcg|µg|mm|cm|km|nm|ml|cl|dl|l|kw|kwh|mw|w|"
    r"va?|mah?|a|hz|khz|mhz|ghz|gb|mb|tb|kb|gbit|mbit|mbps|gbps|px|pt|dpi|fps|h|hrs?|min|ms|am|pm|f|c|ft|in|lb|lbs|oz|mph|"
    r"kmh|kcal|kj|bar|psi|pa|kpa|rpm|nm|n|kn|db|d|p|g)|[a-z]{1,3}\d?|(?:19|20)\d\d[a-z]?|\d+bit|usd?\d+\w*|"
    r"(?:eur|gbp|chf|usd)\d+"
)
# 24-hour, mid-2022, top-10: a number joined to an ordinary word.
_JOINED_WORD = re.compile(
    r"\d+(?:[.,]\d+)?[-\u2010\u2011\u2013/][A-Za-z][a-z]{2,}\w*(?:[-/][a-z]+)*|[a-z]{3,}[-/](?:\d{1,2}|(?:1[5-9]|20)\d\d)s?"
)
_FILE = re.compile(r"\.(?:pdf|docx?|xlsx?|pptx?|txt|md|html?|csv|epub|zip|eml|png|jpe?g)$", re.IGNORECASE)
_QUOTED = re.compile(r"\"([^\"\n]{3,80})\"|“([^”\n]{3,80})”|„([^“”\n]{3,80})[“”]|«\s?([^»\n]{3,80}?)\s?»")
_A_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")
# A code has at least so many digits beside those of a year; with fewer it may be a name.
_CODE_DIGITS = 3
_PLAIN_DIGITS = 4
_LONG_DIGITS = 8
_JOINED_DIGITS = 6
_LONGEST = 40


def identifiers(question: str) -> list[Identifier]:
    """Return the identifiers of a question, in order and without overlap."""
    found: list[Identifier] = []
    taken = [(date.start, date.end) for date in dates(question)]

    def add(start: int, end: int, kind: IdentifierKind | None) -> None:
        if kind is None or any(first < end and start < last for first, last in taken):
            return
        text = question[start:end]
        taken.append((start, end))
        found.append(Identifier(text, start, end, key_of(text), kind))

    for match in _QUOTED.finditer(question):
        group = match.lastindex or 0
        inner = match[group]
        words = len(inner.split())
        kind = IdentifierKind.PHRASE if words > 1 else kind_of(inner, announced=True) or IdentifierKind.NAME
        add(*match.span(group), kind if any(map(str.isalnum, inner)) else None)
    for match in SPACED_CODE.finditer(question):
        add(*match.span(), IdentifierKind.CODE if match[0][0].isalpha() and " " in match[0] else None)
    for match in _TOKEN.finditer(question):
        announced = _ANNOUNCED.search(question, max(0, match.start() - _LONGEST), match.start())
        add(*match.span(), kind_of(match[0], announced=announced is not None))
    return sorted(found, key=lambda one: one.start)


def spellings(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield (key, start, end) of all words in a document's text that can equal an identifier."""
    for match in SPACED_CODE.finditer(text):
        yield key_of(match[0]), *match.span()
    for match in _TOKEN.finditer(text):
        yield key_of(match[0]), *match.span()
        parts = list(re.finditer(r"[^\W_]+", match[0]))
        if len(parts) > 1:  # "00317" asks for INV-2024-00317
            for part in parts:
                if part[0].isdigit() and len(part[0]) >= _PLAIN_DIGITS:
                    yield part[0], match.start() + part.start(), match.start() + part.end()


def key_of(text: str) -> str:
    """The key of an identifier: without separators, in lower case unless it is one letter."""
    plain = unicodedata.normalize("NFKC", text)
    if len(plain) == 1 or plain.startswith("."):
        return plain
    lower = plain.casefold()
    if _VERSION.fullmatch(lower):
        lower = lower[1:]
    return _SEPARATOR.sub("", lower)


def shape_of(key: str) -> str:
    """The shape that codes of one list share: letters, and a 0 for each (hexadecimal) digit."""
    return re.sub(r"[\da-f]" if key.startswith("0x") else r"\d", "0", key)


def kind_of(text: str, *, announced: bool = True) -> IdentifierKind | None:
    """The kind of identifier that a token is; None for words, numbers and other tokens.

    Args:
        text: The token.
        announced: Whether the word before, such as "invoice", announces an identifier.
    """
    if len(text) > _LONGEST or _FILE.search(text):
        return None
    digits = sum(map(str.isdigit, text))
    if not digits:
        return _kind_of_letters(text, announced=announced)
    if not any(map(str.isalpha, text)):
        return _kind_of_digits(text, digits, announced=announced)
    if _NO_IDENTIFIER.fullmatch(key_of(text)) or _JOINED_WORD.fullmatch(text):
        return None
    if (
        sum(map(str.isdigit, _A_YEAR.sub("", text))) >= _CODE_DIGITS
        or "_" in text
        or _VERSION.fullmatch(text.casefold())
    ):
        return IdentifierKind.CODE
    return IdentifierKind.NAME


def _kind_of_letters(text: str, *, announced: bool) -> IdentifierKind | None:
    if "_" in text and text.upper() == text:
        return IdentifierKind.CODE
    is_name = text[-1] in "+#" or text[0] == "." or (announced and len(text) == 1 and text.isupper())
    return IdentifierKind.NAME if is_name else None


def _kind_of_digits(text: str, digits: int, *, announced: bool) -> IdentifierKind | None:
    if text.isdigit():
        is_year = digits == 4 and text[:2] in ("18", "19", "20")
        if digits >= _LONG_DIGITS or (digits > 1 and text[0] == "0" and digits >= _PLAIN_DIGITS):
            return IdentifierKind.CODE
        return IdentifierKind.CODE if announced and digits >= _PLAIN_DIGITS and not is_year else None
    if "." in text and "-" not in text and "/" not in text:  # 3.5 is an amount, unless a version is asked for
        return IdentifierKind.NAME if announced else None
    hyphens = "-" in text or "/" in text
    if not hyphens or digits < _JOINED_DIGITS or ":" in text or "." in text:
        return None
    parts = re.split(r"[-/]", text)
    is_span = _A_YEAR.fullmatch(parts[0]) and (len(parts[-1]) == 2 or _A_YEAR.fullmatch(parts[-1]))
    is_short = len(parts) < 3 and not is_code(text.replace("/", "-"))
    return None if is_span or is_short else IdentifierKind.CODE
