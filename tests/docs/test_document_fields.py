"""The guide on documents names the types and forms that there are."""

from ingestion.fields.periods import PERIOD_FORMS
from ingestion.fields.values import DocumentType
from tests.helpers.paths import ROOT


def test_the_guide_names_every_type_and_form_of_a_period() -> None:
    guide = " ".join((ROOT / "docs" / "guides" / "library.md").read_text("utf-8").split())
    assert f"Types are: {', '.join(DocumentType)}." in guide
    assert all(f"`{form}`" in guide for form in PERIOD_FORMS.split(", "))
