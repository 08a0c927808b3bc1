"""The sample documents, which say that they are samples."""

from pathlib import PurePath

from ingestion.storage.catalogue.records import Document

# Their folder, from which `make run` adds them.
_FOLDER = ("docs", "samples")


def is_sample(document: Document) -> bool:
    """Return whether a document is one of those that come with the application."""
    return PurePath(document.path).parts[-3:-1] == _FOLDER
