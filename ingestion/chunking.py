"""Pages to chunks: sentence- and paragraph-bounded, within the encoder's limit, exact spans."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ingestion.documents import Chunk, Heading, Page
from ingestion.sentences import Span, sentence_spans


class Tokenizer(Protocol):
    """The encoder's own tokenizer, as far as chunking needs it."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the character span of each wordpiece of `text`, without special tokens."""
        ...


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
) -> list[Chunk]:
    """Cut `pages` into chunks, none across two pages; `chunk.text == page.text[start:end]`.

    `title` and the nearest heading at or before a chunk make its context line. Nothing but white
    space is left out. A page is divided evenly rather than leaving a scrap at its end.
    """
    chunks: list[Chunk] = []
    ordered = sorted(headings, key=lambda heading: (heading.page, heading.start))
    places = [(heading.page, heading.start) for heading in ordered]
    for page in pages:
        heading_starts = [start for number, start in places if number == page.number]
        for start, end in _page_spans(page.text, heading_starts, tokenizer, limits):
            nearest = bisect_left(places, (page.number, start + 1)) - 1
            heading = ordered[nearest].title if nearest >= 0 else None
            context = " › ".join(part for part in (title, heading) if part)
            chunks.append(
                Chunk(
                    ordinal=len(chunks),
                    page=page.number,
                    start=start,
                    end=end,
                    text=page.text[start:end],
                    heading=heading,
                    context=_shorten(context, tokenizer, limits.context_tokens),
                )
            )
    return chunks


def _shorten(text: str, tokenizer: Tokenizer, limit: int) -> str:
    offsets = tokenizer.offsets(text)
    return text if len(offsets) <= limit else text[: offsets[limit - 1][1]]


def _page_spans(
    text: str, heading_starts: Sequence[int], tokenizer: Tokenizer, limits: ChunkLimits
) -> Iterator[tuple[int, int]]:
    token_starts = [start for start, _ in tokenizer.offsets(text)]

    def tokens(start: int, end: int) -> int:
        return bisect_left(token_starts, end) - bisect_left(token_starts, start)

    for section in _sections(sentence_spans(text), heading_starts):
        units = [piece for span in section for piece in _split_long(text, span, token_starts, limits)]
        total = tokens(units[0].start, units[-1].end) or 1  # signs that the tokenizer drops have none
        parts = -(-total // limits.text_tokens)
        target = total / parts
        current: list[Span] = []
        for unit in units:
            if current and (
                tokens(current[0].start, unit.end) > limits.text_tokens
                or unit.end - current[0].start > limits.characters
                or _is_full(tokens(current[0].start, current[-1].end), target, current[-1], unit)
            ):
                yield current[0].start, current[-1].end
                current = []
            current.append(unit)
        yield current[0].start, current[-1].end


def _is_full(size: int, target: float, last: Span, unit: Span) -> bool:
    """A chunk ends near its share of the page, a little sooner where a paragraph ends."""
    share = 0.75 if unit.paragraph != last.paragraph else 0.95
    return size >= share * target


def _sections(spans: Sequence[Span], heading_starts: Sequence[int]) -> Iterator[list[Span]]:
    """Group sentences so that a heading begins a group."""
    section: list[Span] = []
    starts = set(heading_starts) - {0}
    for span in spans:
        if section and any(section[-1].end <= start <= span.start for start in starts):
            yield section
            section = []
        section.append(span)
    if section:
        yield section


def _split_long(text: str, span: Span, token_starts: Sequence[int], limits: ChunkLimits) -> Iterator[Span]:
    """Cut a sentence longer than a chunk, between words where it has any."""
    first, last = bisect_left(token_starts, span.start), bisect_left(token_starts, span.end)
    start = span.start
    while last - first > limits.text_tokens or span.end - start > limits.characters:
        beyond = first + limits.text_tokens
        by_tokens = token_starts[beyond] if beyond < last else span.end
        stop = max(start + 1, min(by_tokens, start + limits.characters))
        space = max(text.rfind(" ", start + 1, stop), text.rfind("\n", start + 1, stop))
        cut = space if space > start + (stop - start) // 2 else stop
        end = cut
        while end > start + 1 and text[end - 1].isspace():
            end -= 1
        yield Span(start, end, span.paragraph)
        start = cut
        while start < span.end and text[start].isspace():
            start += 1
        first = bisect_left(token_starts, start)
        if start >= span.end:
            return
    yield Span(start, span.end, span.paragraph)
