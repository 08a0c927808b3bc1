"""The fields of a document, as values: title, organisation, period and type.

The rules recognise each of them, or leave it empty. What a person writes counts instead, and is kept apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

from ingestion.errors import InvalidInput
from ingestion.fields.periods import PERIOD_FORMS, parse_period
from ingestion.text.cleaning import MAX_TITLE_CHARACTERS
from ingestion.text.invisible import first_unseen
from ingestion.text.names import composed

FieldName = Literal["title", "organisation", "period", "type"]
FIELD_NAMES: tuple[FieldName, ...] = get_args(FieldName)

# Characters of a field that a person writes.
_LONGEST = {"title": MAX_TITLE_CHARACTERS, "organisation": 200, "period": 40, "type": 40}


class DocumentType(StrEnum):
    """The sorts of documents that are told apart. A document of another sort has none."""

    ANNUAL_REPORT = "annual report"
    QUARTERLY_REPORT = "quarterly report"
    CURRENT_REPORT = "current report"
    EARNINGS_RELEASE = "earnings release"
    PRESS_RELEASE = "press release"
    REPORT = "report"
    PAPER = "paper"
    THESIS = "thesis"
    BOOK = "book"
    MANUAL = "manual"
    STANDARD = "standard"
    PROTOCOL = "protocol"
    CONTRACT = "contract"
    BYLAWS = "bylaws"
    MINUTES = "minutes"
    LETTER = "letter"
    INVOICE = "invoice"
    SLIDES = "slides"
    SPREADSHEET = "spreadsheet"
    WEB_PAGE = "web page"
    NOTES = "notes"


@dataclass(frozen=True, slots=True)
class FieldValues:
    """A value for each field; "" where there is none.

    Attributes:
        period: In the form of `Period`.
        type: A `DocumentType`.
    """

    title: str = ""
    organisation: str = ""
    period: str = ""
    type: str = ""

    def of(self, name: FieldName) -> str:
        """Return the value of a field."""
        value: str = getattr(self, name)
        return value


@dataclass(frozen=True, slots=True)
class DocumentFields:
    """A document's fields: what the rules recognised, and what a person wrote instead."""

    recognised: FieldValues
    edits: Mapping[FieldName, str]

    @property
    def values(self) -> FieldValues:
        """What counts: the edits, and for the other fields what was recognised."""
        return FieldValues(**{name: self.of(name) for name in FIELD_NAMES})

    def of(self, name: FieldName) -> str:
        """Return what counts for a field."""
        return self.edits.get(name, self.recognised.of(name))


def checked_field(name: FieldName, text: str) -> str:
    """Return a field as it is kept: a period in its canonical form; "" says that the document has none.

    Raises:
        InvalidInput: The text is too long, has characters that nobody sees, or is no period or type.
    """
    kept = composed(text).strip()
    longest = _LONGEST[name]
    if len(kept) > longest:
        raise InvalidInput(
            f"the {name} has {len(kept):,} characters, and at most {longest} are kept; shorten it"
        )
    if unseen := first_unseen(kept):
        place, character = unseen
        raise InvalidInput(
            f"character {place} of the {name} is U+{ord(character):04X}, which nobody sees; remove it"
        )
    kept = " ".join(kept.split())
    if not kept:
        return ""
    if name == "period":
        period = parse_period(kept)
        if period is None:
            raise InvalidInput(f"{kept!r} is no period; write it like one of {PERIOD_FORMS}")
        return str(period)
    if name == "type" and kept.casefold() not in set(DocumentType):
        known = ", ".join(DocumentType)
        raise InvalidInput(f"{kept!r} is no type of document; choose one of {known}")
    return kept.casefold() if name == "type" else kept
