"""Builds a `ParsedDocument` from a child's frames, checking each against the limits and the frames before."""

from dataclasses import replace
from pathlib import PurePath

from ingestion.documents import (
    ELSEWHERE,
    CellPlace,
    FileProperties,
    Heading,
    Page,
    PageFailure,
    PageLayout,
    ParsedDocument,
    Status,
)
from ingestion.parsing.formats import IMAGE_SUFFIXES
from ingestion.parsing.frames import (
    MAX_ATTACHMENTS,
    MAX_HEADINGS,
    MAX_WARNINGS,
    Attachment,
    AttachmentPiece,
    Draft,
    DrawnPage,
    FileWarning,
    Frame,
    FrameError,
    OcrHint,
    PageBegun,
    PageCount,
    PageFault,
    PageLabel,
    Refusal,
    Served,
    TextDone,
    Title,
)
from ingestion.parsing.limits import ParseLimits

MAX_TEXT = 1000  # characters of a title, label, heading, hint or reason; ours are shorter
MARGIN = 2.0  # points by which a recognised word may stick out of its page: sides are whole pixels


class Collector:
    """Takes frames one by one; `finish` builds the document."""

    def __init__(self, name: str, limits: ParseLimits) -> None:
        self._name = name
        self._limits = limits
        self._pages: dict[int, Page] = {}
        self._drafts: dict[int, Page] = {}
        self._faults: dict[int, PageFault] = {}
        self._labels: dict[int, str] = {}
        self._headings: list[Heading] = []
        self._title: str | None = None
        self._properties = FileProperties()
        self._verdict: Refusal | None = None
        self._characters = 0
        self._hint: str | None = None
        self._warnings: list[str] = []
        self._attachments: dict[int, str] = {}
        self._counted = False
        self._recognised = 0
        self.page_count = 0
        self.text_done = False

    @property
    def pages_done(self) -> int:
        """How many pages have come, with text or with a fault."""
        return len(self._pages) + len(self._faults)

    @property
    def done(self) -> tuple[int, ...]:
        """The pages that have come with text."""
        return tuple(self._pages)

    @property
    def failed(self) -> tuple[int, ...]:
        """The pages that have come with a fault."""
        return tuple(self._faults)

    @property
    def recognitions_left(self) -> int:
        """How many more pages may be recognised."""
        return max(0, self._limits.ocr_pages - self._recognised)

    def restart(self) -> None:
        """Accept a second page count, from another child that continues."""
        self._counted = False

    @property
    def settled(self) -> bool:
        """Whether the outcome is known even if the child says no more."""
        return self.text_done or self._verdict is not None

    def take(self, frame: Frame) -> None:
        """Add one frame.

        Raises:
            FrameError: The frame contradicts the limits or an earlier frame.
        """
        match frame:
            case PageCount(total):
                self._require(not self._counted and 0 < total <= self._limits.max_pages, frame)
                self._require(self.page_count in (0, total), frame)
                self.page_count, self._counted = total, True
            case PageBegun(number, recognise):
                self._require_new(number, frame)
                self._require(not recognise or self.recognitions_left > 0, frame)
                self._recognised += recognise
            case Page(number, text, _, layout):
                self._require_new(number, frame)
                self._require(len(text) <= self._limits.max_page_characters, frame)
                self._require(layout is None or _fits(layout, len(text), self._limits), frame)
                self._pages[number] = frame
                self._drafts.pop(number, None)
                self._characters += len(text)
                if self._characters > self._limits.max_characters:
                    del self._pages[number]
                    self.stop(Status.TOO_LARGE, self._too_much_text())
            case Draft(number, text, layout):
                self._require_new(number, frame)
                self._require(len(text) <= self._limits.max_page_characters, frame)
                self._require(layout is None or _fits(layout, len(text), self._limits), frame)
                self._keep_draft(Page(number, text, layout=layout))
            case PageFault(number, reason):
                self._require_new(number, frame)
                self._require(len(reason) <= MAX_TEXT, frame)
                if number in self._drafts:
                    self._take_draft(number, reason)
                else:
                    self._faults[number] = frame
            case TextDone():
                self.text_done = True
            case DrawnPage() | AttachmentPiece() | Served():
                raise FrameError("an answer that was not requested")
            case Refusal(status, error):
                self.stop(status, error[:MAX_TEXT])
            case _:
                self._take_description(frame)

    def _take_description(self, frame: Frame) -> None:
        """Add a frame that describes the file or a page."""
        match frame:
            case OcrHint(text):
                self._require(self._hint is None and len(text) <= MAX_TEXT, frame)
                self._hint = text
            case FileWarning(text):
                self._require(len(self._warnings) < MAX_WARNINGS and 0 < len(text) <= MAX_TEXT, frame)
                if text not in self._warnings:  # a second child may say it again
                    self._warnings.append(text)
            case Attachment(number, name):
                known = len(self._attachments)
                self._require(known < MAX_ATTACHMENTS and 0 < len(name) <= MAX_TEXT, frame)
                self._attachments[number] = name
            case Title(text):
                self._require(len(text) <= MAX_TEXT, frame)
                self._title = text
            case FileProperties(author, organisation, subject, date):
                texts = (author, organisation, subject, date)
                self._require(all(len(text) <= MAX_TEXT for text in texts), frame)
                self._properties = frame
            case PageLabel(number, label):
                self._require(0 < number <= self.page_count and len(label) <= MAX_TEXT, frame)
                self._labels[number] = label
            case Heading():
                self._require(self._is_sound(frame), frame)
                self._headings.append(frame)

    def _keep_draft(self, page: Page) -> None:
        """Keep a draft, as long as all drafts are within the limit of a file's text."""
        held = sum(len(draft.text) for draft in self._drafts.values())
        if held + len(page.text) <= self._limits.max_characters:
            self._drafts[page.number] = page

    def _take_draft(self, number: int, reason: str) -> None:
        """Count a draft as the page."""
        self._pages[number] = self._drafts.pop(number)
        self._characters += len(self._pages[number].text)
        if len(self._warnings) < MAX_WARNINGS:
            warning = f"Text in a picture on page {number} is not read: {reason}"
            self._warnings.append(warning[:MAX_TEXT])

    def stop(self, status: Status, reason: str) -> None:
        """End the document early; the first reason counts."""
        if not self.settled:
            self._verdict = Refusal(status, reason)

    def finish(self) -> ParsedDocument:
        """The document: OK or PARTIAL if it has text; otherwise with the status of the first failure."""
        for number in sorted(self._drafts):
            self._take_draft(number, self._verdict.error if self._verdict else "the parser did not send it")
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
        elif broken := [fault for fault in self._faults.values() if fault.status is not Status.NO_TEXT]:
            first = min(broken, key=lambda fault: fault.number)
            document = ParsedDocument(first.status, self._none_readable(first))
        else:
            document = ParsedDocument(Status.NO_TEXT, self._no_text())
        return replace(
            document,
            title=self._title,
            properties=self._properties,
            page_count=self.page_count,
            failures=failures,
            warnings=tuple(self._warnings),
            attachments=tuple(self._attachments.values()),
        )

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
            f"searchable. Page {first.number}: {first.reason}{self._hinted()}"
        )

    def _none_readable(self, first: PageFault) -> str:
        return (
            f"no page of {self._name!r} with text could be read. Page {first.number}: "
            f"{first.reason}{self._hinted()}"
        )

    def _no_text(self) -> str:
        suffix = PurePath(self._name).suffix.lower()
        if suffix in IMAGE_SUFFIXES:
            return self._no_words()
        if suffix != ".pdf":
            return f"{self._name!r} is empty: there is no text in it; check the file"
        empty = f"{self._name!r} has no text on any page (pages: {self.page_count})"
        if self._faults:
            first = self._faults[min(self._faults)]
            return f"{empty}; page {first.number}: {first.reason}{self._hinted()}"
        if self._recognised:
            return f"{empty}; text recognition (OCR) has found none in its pictures either; check the file"
        return f"{empty} and no picture; it is blank, or a drawing: check the file"

    def _no_words(self) -> str:
        """Why a picture gave no text."""
        if self._faults:
            return f"the text of the picture {self._name!r} is not read{self._hinted()}"
        return f"{self._name!r} is a picture without words: text recognition (OCR) has found none in it"

    def _hinted(self) -> str:
        return f". {self._hint}" if self._hint else ""

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
            raise FrameError(f"an impossible {type(frame).__name__}")


def _fits(layout: PageLayout, length: int, limits: ParseLimits) -> bool:
    """Whether a layout fits a page whose text has `length` characters."""
    offsets = [offset for offset, _ in layout.runs]
    starts = [word[0] for word in layout.words]
    return (
        layout.width > 0
        and layout.height > 0
        and offsets == sorted(set(offsets))
        and (not offsets or (offsets[0] == 0 and offsets[-1] < length))
        and all(ELSEWHERE <= index <= limits.max_page_characters for _, index in layout.runs)
        and starts == sorted(starts)
        and all(_is_on_page(layout, length, word) for word in layout.words)
        and all(_is_cell(cell, length) for cell in layout.tables)
    )


def _is_cell(cell: CellPlace, length: int) -> bool:
    table, _, column, width, indent, start, end = cell
    return table >= 0 and column >= 0 and width > 0 and indent >= 0 and 0 <= start < end <= length


def _is_on_page(layout: PageLayout, length: int, word: tuple[int, int, float, float, float, float]) -> bool:
    start, end, left, top, right, bottom = word
    return (
        0 <= start < end <= length
        and -MARGIN <= left <= right <= layout.width + MARGIN
        and -MARGIN <= top <= bottom <= layout.height + MARGIN
    )
