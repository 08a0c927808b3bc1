"""What a file shows and its text lacks, by kind and page: one caution a kind, in the child process."""

from ingestion.parsing.shared.page_writer import PageWriter

_NAMED = 8  # pages or details; more are many


class Missed:
    """Counts, and tells the writer at the end."""

    def __init__(self, writer: PageWriter) -> None:
        self._writer = writer
        self._pages: dict[str, list[int]] = {}
        self._details: dict[str, set[str]] = {}

    def note(self, kind: str, detail: str = "") -> None:
        """One more of a kind, named as "pictures": on the page that is being written."""
        self._pages.setdefault(kind, []).append(self._writer.page)
        if detail:
            self._details.setdefault(kind, set()).add(detail[:40])

    def tell(self) -> None:
        for kind, pages in self._pages.items():
            places = sorted(set(pages))
            named = ", ".join(map(str, places[:_NAMED])) + (" and others" if len(places) > _NAMED else "")
            details = ", ".join(sorted(self._details.get(kind, ()))[:_NAMED])
            of = f" ({details})" if details else ""
            self._writer.caution(
                f"Not read: {len(pages)} {kind}{of} on page {named}; text that they show cannot be found."
            )
