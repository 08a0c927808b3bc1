"""Plain text and Markdown, inside the child process."""

import codecs
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from ingestion.documents import Heading, Page, Status
from ingestion.parsing.cleaning import MAX_CONTROL_SHARE, clean, control_share, one_line
from ingestion.parsing.frames import MAX_HEADINGS, Frame, PageCount, RefusalError, TextDone, Title
from ingestion.parsing.limits import ParseLimits

# The mark of UTF-32 (little-endian) begins with that of UTF-16, so it is tried first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# About ten printed pages: a citation of one leads somewhere, and a passage's text is cheap to read.
PART_CHARACTERS = 50_000

# Metadata of Jekyll, Hugo, Obsidian: Markdown would take its last line for an underlined heading.
_FRONT_MATTER = re.compile(r"\A---\n.*?^(?:---|\.\.\.)$", re.DOTALL | re.MULTILINE)


def read_text(path: Path, *, markdown: bool, limits: ParseLimits) -> Iterator[Frame]:
    """The frames of a text file: headings come from Markdown only.

    A form feed begins a new page; a text without them is one page, or, if it is long, one for each
    PART_CHARACTERS or so, cut between paragraphs.

    Raises:
        RefusalError: The file is binary or broken, or the number of pages exceeds its limit.
    """
    size = min(PART_CHARACTERS, limits.max_page_characters)
    pages = [part for page in _decode(path).split("\f") for part in _parts(clean(page), size)]
    if len(pages) > 1 and not pages[-1].strip():
        pages.pop()  # many files end with a form feed
    if len(pages) > limits.max_pages:
        raise RefusalError(
            Status.TOO_LARGE,
            f"{path.name!r} has {len(pages)} pages (parts between form feeds, or long ones cut), and the "
            f"limit is {limits.max_pages}; split the file",
        )
    yield PageCount(len(pages))
    for number, text in enumerate(pages, 1):
        yield Page(number, text)
    yield TextDone()
    if markdown:
        yield from _outline(pages)


def _parts(text: str, size: int) -> Iterator[str]:
    """Cut a page into parts of at most `size` characters: before a blank line, else a line, else anywhere."""
    start = 0
    while len(text) - start > size:
        end = start + size
        cut = text.rfind("\n\n", start + size // 2, end)
        if cut < 0:
            cut = text.rfind("\n", start + size // 2, end)
        cut = end if cut < 0 else cut + 1
        yield text[start:cut]
        start = cut
    yield text[start:]


def _decode(path: Path) -> str:
    data = path.read_bytes()
    if data.startswith(b"%PDF-"):
        raise RefusalError(
            Status.UNSUPPORTED, f"{path.name!r} is a PDF by its content; rename it to end in .pdf"
        )
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(encoding)
            except UnicodeDecodeError as error:
                raise RefusalError(
                    Status.CORRUPT,
                    f"{path.name!r} says that it is {encoding.upper()}, but byte {error.start + len(mark)} "
                    "is not; save it again as UTF-8",
                ) from error
    text = _decode_unmarked(data)
    if b"\0" in data or control_share(text) > MAX_CONTROL_SHARE:
        raise RefusalError(
            Status.UNSUPPORTED,
            f"{path.name!r} is not text but binary data (or UTF-16 without a mark); save it as UTF-8 text",
        )
    return text


def _decode_unmarked(data: bytes) -> str:
    for encoding in ("utf-8", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")  # takes every byte


def _outline(pages: list[str]) -> Iterator[Frame]:
    headings = itertools.chain.from_iterable(_headings(text, number) for number, text in enumerate(pages, 1))
    title = None
    for heading in itertools.islice(headings, MAX_HEADINGS):
        if title is None and heading.level == 1:
            title = heading.title
            yield Title(title)
        yield heading


def _headings(text: str, page: int) -> Iterator[Heading]:
    from markdown_it import MarkdownIt

    # Only blocks are parsed for the whole page; what stands inside a line is of interest in headings alone.
    parser = MarkdownIt("commonmark").disable("inline")
    inline = MarkdownIt("commonmark")
    starts = [0, *itertools.accumulate(len(line) + 1 for line in text.split("\n"))]
    source = _FRONT_MATTER.sub(lambda match: "\n" * match.group().count("\n"), text)
    for opening, content in itertools.pairwise(parser.parse(source)):
        if opening.type != "heading_open" or opening.map is None:
            continue
        (parsed,) = inline.parseInline(content.content)
        words = "".join(child.content or " " * (child.type == "softbreak") for child in parsed.children or ())
        if title := one_line(words):
            yield Heading(title, int(opening.tag[1]), page, starts[opening.map[0]])
