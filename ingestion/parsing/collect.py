"""Frames from the child to a `ParsedDocument`; nothing in a frame is believed."""

from dataclasses import replace

from ingestion.documents import Heading, Page, PageFailure, ParsedDocument, Status
from ingestion.parsing.frames import (
    MAX_HEADINGS,
    Frame,
    FrameError,
    PageCount,
    PageFault,
    PageLabel,
    TextDone,
    Title,
    Verdict,
)
from ingestion.parsing.limits import ParseLimits

MAX_TEXT = 1000  # characters of a title, label, heading or reason; ours are shorter


class Collector:
    """Takes frames one by one; `finish` makes the document of those that came."""

    def __init__(self, name: str, limits: ParseLimits) -> None:
        self._name = name
        self._limits = limits
        self._pages: dict[int, Page] = {}
        self._faults: dict[int, PageFault] = {}
        self._labels: dict[int, str] = {}
        self._headings: list[Heading] = []
        self._title: str | None = None
        self._verdict: Verdict | None = None
        self._characters = 0
        self.page_count = 0
        self.text_done = False

    @property
    def pages_done(self) -> int:
        """How many pages have come, with text or with a fault."""
        return len(self._pages) + len(self._faults)

    @property
    def settled(self) -> bool:
        """Whether the outcome is known even if the child says no more."""
        return self.text_done or self._verdict is not None

    def take(self, frame: Frame) -> None:
        """Add what one frame says.

        Raises:
            FrameError: The frame contradicts the limits or what came before.
        """
        match frame:
            case PageCount(total):
                self._require(not self.page_count and 0 < total <= self._limits.max_pages, frame)
                self.page_count = total
            case Page(number, text):
                self._require_new(number, frame)
                self._require(len(text) <= self._limits.max_page_characters, frame)
                self._pages[number] = frame
                self._characters += len(text)
                if self._characters > self._limits.max_characters:
                    del self._pages[number]
                    self.stop(Status.TOO_LARGE, self._too_much_text())
            case PageFault(number, reason):
                self._require_new(number, frame)
                self._require(len(reason) <= MAX_TEXT, frame)
                self._faults[number] = frame
            case TextDone():
                self.text_done = True
            case Title(text):
                self._require(len(text) <= MAX_TEXT, frame)
                self._title = text
            case PageLabel(number, label):
                self._require(0 < number <= self.page_count and len(label) <= MAX_TEXT, frame)
                self._labels[number] = label
            case Heading():
                self._require(self._is_sound(frame), frame)
                self._headings.append(frame)
            case Verdict(status, error):
                self.stop(status, error[:MAX_TEXT])

    def stop(self, status: Status, reason: str) -> None:
        """No more will come. The first reason counts."""
        if not self.settled:
            self._verdict = Verdict(status, reason)

    def finish(self) -> ParsedDocument:
        """What came. OK or PARTIAL when there is text; otherwise the status of what went wrong first."""
        failures = self._failures()
        has_text = any(page.text.strip() for page in self._pages.values())
        if has_text:
            document = ParsedDocument(
                status=Status.PARTIAL if failures else Status.OK,
                error=self._partly(failures) if failures else None,
                pages=tuple(self._labelled(number) for number in sorted(self._pages)),
                headings=tuple(self._headings),
            )
        elif self._verdict is not None:
            document = ParsedDocument(self._verdict.status, self._verdict.error)
        elif self._faults:
            first = self._faults[min(self._faults)]
            document = ParsedDocument(first.status, self._none_readable(first))
        else:
            document = ParsedDocument(Status.NO_TEXT, self._no_text())
        return replace(document, title=self._title, page_count=self.page_count, failures=failures)

    def _failures(self) -> tuple[PageFailure, ...]:
        missing = self._verdict.error if self._verdict else "the parser did not send it"
        return tuple(
            PageFailure(
                number, self._faults[number].reason if number in self._faults else f"not read: {missing}"
            )
            for number in range(1, self.page_count + 1)
            if number not in self._pages
        )

    def _labelled(self, number: int) -> Page:
        return replace(self._pages[number], label=self._labels.get(number))

    def _partly(self, failures: tuple[PageFailure, ...]) -> str:
        first = failures[0]
        return (
            f"{len(failures)} of {self.page_count} pages of {self._name!r} could not be read; the others are "
            f"searchable. Page {first.number}: {first.reason}"
        )

    def _none_readable(self, first: PageFault) -> str:
        return f"no page of {self._name!r} with text could be read. Page {first.number}: {first.reason}"

    def _no_text(self) -> str:
        if self._name.lower().endswith(".pdf"):
            return (
                f"{self._name!r} has no text on any page (pages: {self.page_count}); it looks scanned. Text "
                "recognition (OCR) is not built in yet: run an OCR program over it and add the result"
            )
        return f"{self._name!r} is empty: there is no text in it; check the file"

    def _too_much_text(self) -> str:
        return f"{self._name!r} has more than {self._limits.max_characters} characters of text; split it"

    def _is_sound(self, heading: Heading) -> bool:
        page = self._pages.get(heading.page)
        return (
            len(self._headings) < MAX_HEADINGS
            and 0 < heading.page <= self.page_count
            and 0 < len(heading.title) <= MAX_TEXT
            and heading.level > 0
            and 0 <= heading.start <= (len(page.text) if page else 0)
        )

    def _require_new(self, number: int, frame: Frame) -> None:
        known = number in self._pages or number in self._faults
        self._require(0 < number <= self.page_count and not known and not self.text_done, frame)

    def _require(self, sound: bool, frame: Frame) -> None:
        if not sound:
            raise FrameError(f"a {type(frame).__name__} that cannot be")
