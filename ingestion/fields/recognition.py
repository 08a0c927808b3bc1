"""Recognises a document's fields by rules. What no rule is sure of stays empty.

a form of the SEC        filings        the head of the form says all
a press release          releases       its headline and its first sentence
any other document       titles, organisations, dating, document_types
"""

from ingestion.fields.dating import period_of
from ingestion.fields.document_types import type_of, type_of_suffix
from ingestion.fields.filings import Filing, filing_of, filing_period, registrant
from ingestion.fields.front_matter import FrontMatter
from ingestion.fields.organisations import issuing_organisation, parties, university
from ingestion.fields.releases import Release, release_of, release_period, releasing_organisation
from ingestion.fields.titles import title_of
from ingestion.fields.values import DocumentType, FieldValues

# The version of the rules. It rises when they give other fields: those of older rules are recognised again.
RULES_VERSION = 1

_REPORTS = {
    "year": DocumentType.ANNUAL_REPORT,
    "quarter": DocumentType.QUARTERLY_REPORT,
    "event": DocumentType.CURRENT_REPORT,
}
# What a university issues where the first page names one.
_ACADEMIC = (DocumentType.NOTES, DocumentType.THESIS, DocumentType.SLIDES)


def recognise(front: FrontMatter) -> FieldValues:
    """Return what the rules recognise of a document's fields."""
    if by_suffix := type_of_suffix(front):
        return _any_document(front, by_suffix)
    if filing := filing_of(front):
        return _filing(front, filing)
    if release := release_of(front):
        return _release(front, release)
    return _any_document(front)


def _filing(front: FrontMatter, filing: Filing) -> FieldValues:
    return FieldValues(
        title=filing.title,
        organisation=registrant(front),
        period=str(filing_period(front, filing) or ""),
        type=_REPORTS[filing.covers],
    )


def _release(front: FrontMatter, release: Release) -> FieldValues:
    kind = DocumentType.EARNINGS_RELEASE if release.is_earnings else DocumentType.PRESS_RELEASE
    return FieldValues(
        title=release.title,
        organisation=releasing_organisation(front, release),
        period=str(release_period(front, release) or period_of(front, "") or ""),
        type=kind,
    )


def _any_document(front: FrontMatter, kind: DocumentType | None = None) -> FieldValues:
    is_paper = kind is None and type_of(front, "") is DocumentType.PAPER
    title = title_of(front, is_paper=is_paper)
    kind = kind or type_of(front, title)
    organisation = ""
    if kind is DocumentType.CONTRACT:
        organisation = parties(front)
    elif kind is not DocumentType.PAPER:  # those of its authors did not issue it
        organisation = issuing_organisation(front, title)
        if not organisation and kind in _ACADEMIC:
            organisation = university(front)
    return FieldValues(title, organisation, str(period_of(front, title) or ""), kind or "")
