"""Warnings about content that a file shows and its text lacks, with the pages that they concern."""

from ingestion.parsing.shared.page_numbers import page_list
from ingestion.parsing.shared.page_writer import PageWriter

_MAX_DETAILS = 8


class MissingContent:
    """Counts unread content by kind, for one warning a kind when the file is read."""

    def __init__(self, writer: PageWriter) -> None:
        self._writer = writer
        self._pages: dict[str, list[int]] = {}
        self._details: dict[str, set[str]] = {}

    def note(self, kind: str, detail: str = "") -> None:
        """Count one more on the page that is being written; `kind` is a plural, such as "pictures"."""
        self._pages.setdefault(kind, []).append(self._writer.page)
        if detail:
            self._details.setdefault(kind, set()).add(detail[:40])

    def warn(self) -> None:
        """Hand the writer a warning for each kind."""
        for kind, pages in self._pages.items():
            details = ", ".join(sorted(self._details.get(kind, ()))[:_MAX_DETAILS])
            of = f" ({details})" if details else ""
            self._writer.warn(
                f"Not read: {len(pages)} {kind}{of} on {page_list(pages)}. Text in them cannot be found."
            )
