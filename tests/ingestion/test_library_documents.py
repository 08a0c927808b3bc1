"""The documents of a library by name: what a person writes of one."""

import pytest

from ingestion.errors import InvalidInput, UnknownName
from ingestion.library import Library
from ingestion.library_documents import delete_document, edit_fields


def test_fields_of_a_document_are_written_and_restored(stocked: Library) -> None:
    document = stocked.catalogue.documents()[0]
    changes = stocked.catalogue.database.changes
    assert edit_fields(stocked, document.id, {"title": "The log"}, ()) == document
    assert stocked.catalogue.database.changes > changes  # searches notice it
    assert stocked.fields.of([document])[document.id].values.title == "The log"
    edit_fields(stocked, document.id, {}, ["title"])
    assert stocked.fields.of([document])[document.id].values.title == "Harbour log"


def test_what_cannot_be_written(stocked: Library) -> None:
    document = stocked.catalogue.documents()[0]
    with pytest.raises(UnknownName, match=r"no document named 'x'.*rag-app documents lists the ids"):
        edit_fields(stocked, "x", {"title": "a"}, ())
    with pytest.raises(
        InvalidInput, match="the title cannot be written and restored at once; do one of them"
    ):
        edit_fields(stocked, document.id, {"title": "a"}, ["title"])
    with pytest.raises(InvalidInput, match="no type of document"):
        edit_fields(stocked, document.id, {"type": "novel"}, ())


def test_a_deleted_document_is_told_with_its_fields(stocked: Library) -> None:
    document = stocked.catalogue.documents()[0]
    edit_fields(stocked, document.id, {"organisation": "ACME"}, ())
    deleted = delete_document(stocked, document.name, ())
    assert (deleted.fields.values.title, deleted.fields.values.organisation) == ("Harbour log", "ACME")
