"""Warnings about content that a file shows and its text lacks, with the pages that they concern."""

from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingestion.parsing.shared.page_writer import PageWriter

MAX_RANGES = 20  # of page numbers in a sentence
_MAX_DETAILS = 8


class MissingContent:
    """Counts unread content by kind, for one warning a kind when the file is read."""

    def __init__(self, writer: "PageWriter") -> None:
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


def page_list(numbers: Iterable[int]) -> str:
    """ "page 3" or "pages 3, 5 to 7 and 9"; only the first MAX_RANGES ranges of many."""
    ordered = sorted(set(numbers))
    ranges: list[str] = []
    for _, group in groupby(enumerate(ordered), key=lambda item: item[1] - item[0]):
        run = [number for _, number in group]
        ranges += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run)
    if len(ranges) > MAX_RANGES:
        return f"{len(ordered)} pages, the first of them {', '.join(ranges[:MAX_RANGES])}"
    listed = " and ".join([", ".join(ranges[:-1]), ranges[-1]] if len(ranges) > 1 else ranges)
    return f"page {listed}" if len(ordered) == 1 else f"pages {listed}"
