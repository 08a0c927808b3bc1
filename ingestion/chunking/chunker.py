"""Cuts pages into chunks that end with sentences and paragraphs and fit the encoder."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingestion.chunking.chunk_context import (
    ChunkContexts,
    Tokenizer,
    looks_like_heading,
    page_title,
    table_context,
    table_head,
)
from ingestion.chunking.headers_footers import header_footer_lines
from ingestion.chunking.headings import find_headings
from ingestion.chunking.page_chunks import PageChunks
from ingestion.chunking.source_code import block_spans
from ingestion.documents import Chunk, Heading, Page
from ingestion.tables.reading import tables_of
from ingestion.text.line_numbers import first_line, lines_between
from ingestion.text.sentences import SentenceSpan, sentence_spans

# A section smaller than this share of a chunk, mostly a heading above a heading, joins the next section.
SMALL_SHARE = 0.1

MAX_HEADING_LINES = 3  # in a row; more are a list or a table of words


@dataclass(frozen=True, slots=True)
class ChunkLimits:
    """Sizes in wordpieces of the encoder.

    The built-in model reads 256: [CLS], [SEP], up to 40 of context and up to 200 of text leave a
    little room for a word that splits otherwise at a chunk's edge.
    """

    text_tokens: int = 200
    context_tokens: int = 40
    # The token store keeps spans as 16-bit numbers.
    characters: int = 60_000


def chunk_pages(
    pages: Sequence[Page],
    headings: Sequence[Heading],
    tokenizer: Tokenizer,
    *,
    title: str,
    limits: ChunkLimits = ChunkLimits(),
) -> Sequence[Chunk]:
    """Cut pages into chunks, none across two pages.

    Chunks leave out only white space and running headers and footers. A page is divided evenly, without a
    scrap at its end.

    Args:
        pages: The pages in order.
        headings: The document's outline; if it is empty, headings are found in the text.
        tokenizer: The encoder's, which measures chunks and context lines.
        title: The document's title. With the nearest heading at or before a chunk and the headings above
            that one, it makes the chunk's context line.
        limits: The largest chunk, in wordpieces and characters.

    Returns:
        The chunks in order, with `chunk.text == page.text[chunk.start:chunk.end]`.
    """
    if pages and all(first_line(page.label) for page in pages):
        return _chunk_source_code(pages, tokenizer, title, limits)
    chunks = PageChunks(pages)
    contexts = ChunkContexts(headings or find_headings(pages), title, tokenizer, limits.context_tokens)
    running = header_footer_lines(pages)
    every = tables_of(pages)
    for page in pages:
        parts = _without(running.get(page.number, ()), page.text)
        starts = contexts.starts(page.number)
        top, top_end = page_title(page.text, *parts[0])
        tables = [table for table in every if table.page == page.number]
        for piece in _chunk_spans(page.text, parts, starts, _Ruler(page.text, tokenizer), limits):
            above = top if piece.start >= top_end else ""
            columns = table_context(tables, page.text, piece.start, above) or (
                table_head(page.text, piece.start) if piece.is_cut else ""
            )
            heading, context = contexts.at(page.number, piece.place, above, columns)
            chunks.add(page.number, piece.start, piece.end, heading, context)
    return chunks


def _chunk_source_code(
    pages: Sequence[Page], tokenizer: Tokenizer, title: str, limits: ChunkLimits
) -> Sequence[Chunk]:
    """Cut source code between its blocks. Each chunk has its lines for a heading, which is not encoded."""
    chunks = PageChunks(pages)
    _, context = ChunkContexts((), title, tokenizer, limits.context_tokens).at(1, 0)
    for page in pages:
        ruler = _Ruler(page.text, tokenizer)
        units = [
            piece
            for span in block_spans(page.text)
            for piece in _split_long(page.text, span, ruler.starts, limits)
        ]
        for start, end in _divide(page.text, units, ruler, limits) if units else ():
            lines = lines_between(page.label, page.text, start, end)
            chunks.add(page.number, start, end, lines, context)
    return chunks


@dataclass(frozen=True, slots=True)
class _ChunkSpan:
    """The characters `start` to `end` of a chunk.

    `place` is where its own section begins, after joined headings; `is_cut` means that it continues the
    section of the span before.
    """

    start: int
    end: int
    place: int
    is_cut: bool


class _Ruler:
    """Counts the tokens in parts of one page."""

    def __init__(self, text: str, tokenizer: Tokenizer) -> None:
        self.starts = [start for start, _ in tokenizer.offsets(text)]

    def tokens(self, start: int, end: int) -> int:
        return bisect_left(self.starts, end) - bisect_left(self.starts, start)


def _without(running: Sequence[tuple[int, int]], text: str) -> list[tuple[int, int]]:
    """The parts of a page between its running lines; the whole page if they are its only text."""
    edges = [0, *(edge for span in running for edge in span), len(text)]
    parts = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if text[a:b].strip()]
    return parts or [(0, len(text))]


def _chunk_spans(
    text: str,
    parts: Sequence[tuple[int, int]],
    heading_starts: Sequence[int],
    ruler: _Ruler,
    limits: ChunkLimits,
) -> Iterator[_ChunkSpan]:
    for part_start, part_end in parts:
        spans = [
            SentenceSpan(part_start + span.start, part_start + span.end, span.paragraph)
            for span in sentence_spans(text[part_start:part_end])
        ]
        spans = list(_cut_before_headings(text, spans, heading_starts))
        for place, section in _joined(list(_sections(spans, heading_starts)), ruler, limits):
            units = [piece for span in section for piece in _split_long(text, span, ruler.starts, limits)]
            for number, (start, end) in enumerate(_divide(text, units, ruler, limits)):
                yield _ChunkSpan(start, end, place if start <= place < end else start, number > 0)


def _divide(
    text: str, units: Sequence[SentenceSpan], ruler: _Ruler, limits: ChunkLimits
) -> list[tuple[int, int]]:
    """Group units into chunks of about the same size."""

    def fits(first: SentenceSpan, last: SentenceSpan) -> bool:
        return (
            ruler.tokens(first.start, last.end) <= limits.text_tokens
            and last.end - first.start <= limits.characters
        )

    total = ruler.tokens(units[0].start, units[-1].end) or 1  # signs that the tokenizer drops have none
    target = total / -(-total // limits.text_tokens)
    groups: list[list[SentenceSpan]] = [[]]
    for unit in units:
        current = groups[-1]
        if current and (
            not fits(current[0], unit)
            or _is_full(ruler.tokens(current[0].start, current[-1].end), target, current[-1], unit)
        ):
            kept = _before_headings(text, current)
            if kept < len(current) and not fits(current[kept], unit):
                kept = len(current)
            groups[-1:] = [current[:kept], current[kept:]]
        groups[-1].append(unit)
    scrap = ruler.tokens(groups[-1][0].start, groups[-1][-1].end) < SMALL_SHARE * limits.text_tokens
    if scrap and len(groups) > 1 and fits(groups[-2][0], groups[-1][-1]):
        groups[-2:] = [groups[-2] + groups[-1]]
    return [(group[0].start, group[-1].end) for group in groups]


def _is_full(size: int, target: float, last: SentenceSpan, unit: SentenceSpan) -> bool:
    """A chunk ends near its share of the page, a little sooner where a paragraph ends."""
    share = 0.75 if unit.paragraph != last.paragraph else 0.95
    return size >= share * target


def _before_headings(text: str, units: Sequence[SentenceSpan]) -> int:
    """The number of units left when trailing headings move to the next chunk."""
    kept = len(units)
    while kept and _looks_like_heading(text, units[kept - 1]):
        kept -= 1
    return kept if kept > 0 and len(units) - kept <= MAX_HEADING_LINES else len(units)


def _looks_like_heading(text: str, unit: SentenceSpan) -> bool:
    """Whether a unit is a short line of its own and no sentence, list item or row of numbers."""
    if not looks_like_heading(text[unit.start : unit.end]) or "\n" in text[unit.start : unit.end]:
        return False
    line_start = text.rfind("\n", 0, unit.start) + 1
    line_end = text.find("\n", unit.end)
    before, after = text[line_start : unit.start], text[unit.end : None if line_end < 0 else line_end]
    return not before.strip() and not after.strip()


def _cut_before_headings(
    text: str, spans: Sequence[SentenceSpan], heading_starts: Sequence[int]
) -> Iterator[SentenceSpan]:
    """Cut sentences before a line that is a heading. `heading_starts` rise."""
    for span in spans:
        start = span.start
        first, last = bisect_right(heading_starts, start), bisect_left(heading_starts, span.end)
        for heading in heading_starts[first:last]:
            before = text[start:heading]
            if before.rstrip(" \t").endswith("\n"):
                yield SentenceSpan(start, start + len(before.rstrip()), span.paragraph)
                start = heading
        yield SentenceSpan(start, span.end, span.paragraph)


def _sections(spans: Sequence[SentenceSpan], heading_starts: Sequence[int]) -> Iterator[list[SentenceSpan]]:
    """Group sentences into sections that begin with a heading. `heading_starts` rise."""
    section: list[SentenceSpan] = []
    for span in spans:
        if section:
            next_heading = bisect_left(heading_starts, section[-1].end)
            if next_heading < len(heading_starts) and heading_starts[next_heading] <= span.start:
                yield section
                section = []
        section.append(span)
    if section:
        yield section


def _joined(
    sections: Sequence[list[SentenceSpan]], ruler: _Ruler, limits: ChunkLimits
) -> Iterator[tuple[int, list[SentenceSpan]]]:
    """Join small sections to the next; yield each with the start of its last part."""
    joined: list[SentenceSpan] = []
    for number, section in enumerate(sections):
        joined += section
        size = ruler.tokens(joined[0].start, joined[-1].end)
        if size >= SMALL_SHARE * limits.text_tokens or number == len(sections) - 1:
            yield section[0].start, joined
            joined = []


def _split_long(
    text: str, span: SentenceSpan, token_starts: Sequence[int], limits: ChunkLimits
) -> Iterator[SentenceSpan]:
    """Cut a sentence longer than a chunk: between lines, else between words, where it has any."""
    first, last = bisect_left(token_starts, span.start), bisect_left(token_starts, span.end)
    start = span.start
    while last - first > limits.text_tokens or span.end - start > limits.characters:
        beyond = first + limits.text_tokens
        by_tokens = token_starts[beyond] if beyond < last else span.end
        stop = max(start + 1, min(by_tokens, start + limits.characters))
        middle = start + (stop - start) // 2
        cut = next((at for sign in "\n " if (at := text.rfind(sign, start + 1, stop)) > middle), stop)
        end = cut
        while end > start + 1 and text[end - 1].isspace():
            end -= 1
        yield SentenceSpan(start, end, span.paragraph)
        start = cut
        while start < span.end and text[start].isspace():
            start += 1
        first = bisect_left(token_starts, start)
        if start >= span.end:
            return
    yield SentenceSpan(start, span.end, span.paragraph)
