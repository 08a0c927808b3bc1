"""Fields as a person writes them: kept, made canonical, or refused in words."""

import re

import pytest

from ingestion.errors import InvalidInput
from ingestion.fields.values import DocumentFields, DocumentType, FieldName, FieldValues, checked_field


@pytest.mark.parametrize(
    ("name", "text", "kept"),
    [
        ("title", "  Our  report ", "Our report"),
        ("title", "", ""),
        ("organisation", "Café", "Café"),  # in one spelling
        ("period", "second quarter of fiscal 2023", "FY2023-Q2"),
        ("period", " ", ""),
        ("type", "Annual Report", "annual report"),
        ("type", "", ""),
    ],
)
def test_what_is_kept(name: FieldName, text: str, kept: str) -> None:
    assert checked_field(name, text) == kept
    assert checked_field(name, kept) == kept


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("title", "x" * 301, "the title has 301 characters, and at most 300 are kept; shorten it"),
        ("organisation", "x" * 201, "the organisation has 201 characters, and at most 200"),
        ("title", "a\x00b", "character 2 of the title is U+0000, which nobody sees; remove it"),
        ("title", "a\nb", "character 2 of the title is U+000A"),
        ("title", "a\ud800", "character 2 of the title is U+D800"),
        ("organisation", "ACME\U000e0041", "character 5 of the organisation is U+E0041"),
        ("period", "2023-02-30", "'2023-02-30' is no period; write it like one of 2024, FY2024, 2024-Q2"),
        ("period", "9999", "'9999' is no period"),
        ("type", "novel", "'novel' is no type of document; choose one of annual report, quarterly report"),
    ],
)
def test_what_is_refused(name: FieldName, text: str, error: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(error)):
        checked_field(name, text)


def test_types_have_plain_names() -> None:
    assert all(re.fullmatch("[a-z]+( [a-z]+)?", kind) for kind in DocumentType)


def test_edits_count_and_what_was_recognised_stays() -> None:
    found = DocumentFields(
        FieldValues("Form 10-K", "Square, Inc.", "FY2018"), {"organisation": "Block", "type": ""}
    )
    assert found.values == FieldValues("Form 10-K", "Block", "FY2018", "")
    assert found.recognised.organisation == "Square, Inc."
