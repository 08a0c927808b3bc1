"""Counts passages that nobody sees in a file, and says so in its warnings."""

from collections.abc import Iterator

from ingestion.parsing.frames import FileWarning
from ingestion.parsing.shared.page_numbers import page_list
from ingestion.text.invisible import hidden_passages, reordered_passages

INVISIBLE = "in invisible characters"


class HiddenText:
    """Collects hidden passages by kind and page."""

    def __init__(self) -> None:
        self._left_out: dict[str, dict[int, int]] = {}
        self._reordered: dict[int, int] = {}

    def note(self, kind: str, page: int, count: int = 1) -> None:
        """Count passages that are left out; `kind` completes "3 passages of hidden text"."""
        pages = self._left_out.setdefault(kind, {})
        pages[page] = pages.get(page, 0) + count

    def look_at(self, text: str, page: int) -> None:
        """Count what `clean` leaves out of a text, and what stays but is shown in another order."""
        if count := hidden_passages(text):
            self.note(INVISIBLE, page, count)
        if count := reordered_passages(text):
            self._reordered[page] = self._reordered.get(page, 0) + count

    def warnings(self) -> Iterator[FileWarning]:
        """A sentence for all that is left out, and one for what is shown in another order."""
        if self._left_out:
            counts = {kind: sum(pages.values()) for kind, pages in self._left_out.items()}
            places = page_list(page for pages in self._left_out.values() for page in pages)
            kinds = ", ".join(f"{count} {kind}" for kind, count in counts.items())
            yield FileWarning(
                f"{_passages(sum(counts.values()))} of hidden text, which a reader does not see, "
                f"{_was(sum(counts.values()))} left out ({places}): {kinds}."
            )
        if self._reordered:
            count = sum(self._reordered.values())
            yield FileWarning(
                f"{_passages(count)} {_was(count)} written in another order than a reader sees "
                f"({page_list(self._reordered)})."
            )


def _passages(count: int) -> str:
    return "1 passage" if count == 1 else f"{count} passages"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
