"""A file's properties, cleaned: author, organisation, subject and date."""

from ingestion.documents import FileProperties
from ingestion.text.cleaning import one_line


def cleaned_properties(
    *,
    author: str | None = None,
    organisation: str | None = None,
    subject: str | None = None,
    date: str | None = None,
) -> FileProperties:
    """Return what a file says of itself, each in one line."""
    return FileProperties(*(one_line(text or "") for text in (author, organisation, subject, date)))
