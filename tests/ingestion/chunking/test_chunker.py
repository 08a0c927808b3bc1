"""Pages to chunks: exact text, nothing lost, within the limits."""

import random
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingestion.chunking.chunker import ChunkLimits, _without, chunk_pages
from ingestion.chunking.headers_footers import header_footer_lines
from ingestion.documents import Chunk, Heading, Page
from ingestion.encoders import Encoder
from ingestion.parsing import parse


class Words:
    """A tokenizer of which one can count: a token a word or mark."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]


SMALL = ChunkLimits(text_tokens=20, context_tokens=5, characters=200)


def chunked(
    *texts: str, headings: Sequence[Heading] = (), limits: ChunkLimits = SMALL, title: str = "T"
) -> list[Chunk]:
    pages = [Page(number, text) for number, text in enumerate(texts, start=1)]
    return list(chunk_pages(pages, headings, Words(), title=title, limits=limits))


def assert_exact(texts: Sequence[str], chunks: Sequence[Chunk]) -> None:
    """Every chunk is its page's text, and what lies between chunks is white space."""
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    for number, text in enumerate(texts, start=1):
        here = [chunk for chunk in chunks if chunk.page == number]
        assert all(chunk.text == text[chunk.start : chunk.end] for chunk in here)
        edges = [0, *(edge for chunk in here for edge in (chunk.start, chunk.end)), len(text)]
        assert edges == sorted(edges)
        assert all(not text[a:b].strip() for a, b in zip(edges[::2], edges[1::2], strict=True))
    assert len(chunks) == sum(chunk.page in range(1, len(texts) + 1) for chunk in chunks)


def size(chunk: Chunk) -> int:
    return len(Words().offsets(chunk.text))


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_lost_and_limits_hold(seed: int) -> None:
    generator = random.Random(seed)
    vocabulary = ["a", "word", "x" * 90, "1,234", "12%", "End.", "Then", "\n", "\n\n", "\f", "•", "é", "Dr."]
    for _ in range(60):
        texts = [
            " ".join(generator.choices(vocabulary, k=generator.randrange(120)))
            for _ in range(generator.randrange(4))
        ]
        headings = [
            Heading("H", 1, page, generator.randrange(len(text) + 1))
            for page, text in enumerate(texts, start=1)
            if generator.random() < 0.7
        ]
        chunks = chunked(*texts, headings=headings)
        assert_exact(texts, chunks)
        assert all(size(chunk) <= SMALL.text_tokens for chunk in chunks)
        assert all(len(chunk.text) <= SMALL.characters for chunk in chunks)


def test_pages_without_text_give_no_chunks() -> None:
    assert chunked("", " \n\f ") == []
    assert [chunk.page for chunk in chunked("", "Text.", " ")] == [2]


def test_a_page_is_divided_evenly() -> None:
    # Five sentences of 6 tokens: 30 tokens are 2 chunks of about 15, not 18 and 12, nor 24 and 6.
    text = " ".join("The tree stands right there." for _ in range(5))
    assert [size(chunk) for chunk in chunked(text)] == [18, 12]
    text = " ".join("It stands." for _ in range(10))
    assert [size(chunk) for chunk in chunked(text)] == [15, 15]


def test_a_chunk_ends_with_a_paragraph_rather_than_in_one() -> None:
    # 26 tokens are 2 chunks of about 13: 10 of them are enough where a paragraph ends, not elsewhere.
    first = "One two three four five six seven eight nine."
    rest = "Ten ten. Eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen. Nine ten eleven."
    assert [size(chunk) for chunk in chunked(f"{first}\n\n{rest}")] == [10, 16]
    assert [size(chunk) for chunk in chunked(f"{first} {rest}")] == [13, 13]


def test_a_sentence_longer_than_a_chunk_is_cut_between_words() -> None:
    text = " ".join(f"word{i}" for i in range(50))
    chunks = chunked(text)
    assert_exact([text], chunks)
    assert max(map(size, chunks)) == SMALL.text_tokens
    assert " ".join(chunk.text for chunk in chunks) == text


def test_a_word_longer_than_a_chunk_is_cut_by_characters() -> None:
    text = "x" * 450  # one token
    chunks = chunked(text)
    assert_exact([text], chunks)
    assert [len(chunk.text) for chunk in chunks] == [200, 200, 50]


def test_signs_without_tokens_stay_together() -> None:
    class Nothing:
        def offsets(self, text: str) -> list[tuple[int, int]]:
            return []

    text = "\ue001\n\n" * 40
    chunks = chunk_pages([Page(1, text)], (), Nothing(), title="", limits=SMALL)
    assert [chunk.text for chunk in chunks] == [text.strip()]


def test_the_nearest_heading_before_a_chunk_is_its_context() -> None:
    text = "Preface.\n\nApples\n\nThe tree stands.\n\nPears\n\nIt ripens."
    headings = [
        Heading("Pears", 2, 1, text.index("Pears")),
        Heading("Apples", 2, 1, text.index("Apples")),
        Heading("Plums", 2, 3, 0),
    ]
    chunks = chunked(text, "More of it.", "Plums. They too.", headings=headings, title="Notes")
    assert [(chunk.page, chunk.heading, chunk.context) for chunk in chunks] == [
        (1, None, "Notes"),
        (1, "Apples", "Notes › Apples"),
        (1, "Pears", "Notes › Pears"),
        (2, "Pears", "Notes › Pears"),
        (3, "Plums", "Notes › Plums"),
    ]
    assert [chunk.text.split()[0] for chunk in chunks] == ["Preface.", "Apples", "Pears", "More", "Plums."]


def test_a_context_names_the_headings_above() -> None:
    text = "Part. Note. Leases. Debt. Part."
    headings = [
        Heading("Part I", 1, 1, 0),
        Heading("Note 4", 2, 1, 6),
        Heading("Leases", 4, 1, 12),  # a level is left out
        Heading("Debt", 3, 1, 20),
        Heading("Part II", 1, 1, 26),
    ]
    limits = ChunkLimits(text_tokens=2, context_tokens=40, characters=200)
    assert [(chunk.heading, chunk.context) for chunk in chunked(text, headings=headings, limits=limits)] == [
        ("Part I", "T › Part I"),
        ("Note 4", "T › Part I › Note 4"),
        ("Leases", "T › Part I › Note 4 › Leases"),
        ("Debt", "T › Part I › Note 4 › Debt"),
        ("Part II", "T › Part II"),
    ]


@pytest.mark.parametrize(
    ("limit", "context"),
    [
        (9, "T › Part one › Note 4 › Debt"),
        (8, "T › Note 4 › Debt"),
        (6, "T › Note 4 › Debt"),
        (5, "T › Debt"),
        (3, "T › Debt"),
    ],
)
def test_of_a_long_context_the_innermost_is_kept(limit: int, context: str) -> None:
    headings = [Heading("Part one", 1, 1, 0), Heading("Note 4", 2, 1, 0), Heading("Debt", 3, 1, 0)]
    limits = ChunkLimits(text_tokens=20, context_tokens=limit, characters=200)
    assert [chunk.context for chunk in chunked("Text.", headings=headings, limits=limits)] == [context]


@pytest.mark.parametrize(
    ("title", "heading", "context"),
    [
        ("one two three", "four five six seven", "one two › four five"),  # half of the room for each
        ("one", "four five six seven", "one › four five six"),
        ("one two three four five six", "seven", "one two three › seven"),
        ("one two three four five six", "", "one two three four five"),
    ],
)
def test_title_and_heading_are_cut_after_a_token(title: str, heading: str, context: str) -> None:
    headings = [Heading(heading, 1, 1, 0)] if heading else []
    (chunk,) = chunked("Text.", headings=headings, title=title)
    assert (chunk.context, chunk.heading or "") == (context, heading)


def test_headings_above_headings_go_with_the_text_below() -> None:
    """The chunk begins with all of them and stands under the last."""
    text = "Part\nItem\nThe tree stands right there."
    headings = [Heading("Part", 1, 1, 0), Heading("Item", 2, 1, 5)]
    (chunk,) = chunked(text, headings=headings)
    assert (chunk.text, chunk.heading, chunk.context) == (text, "Item", "T › Part › Item")


def test_a_line_like_a_heading_goes_with_what_follows() -> None:
    first = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen."
    rest = "The apples of this garden are ripe in October and keep until the spring."
    assert [chunk.text for chunk in chunked(f"{first}\nApples and pears\n{rest}")] == [
        first,
        f"Apples and pears\n{rest}",
    ]
    # Not if it is a row, a list item or the end of a sentence, nor with more than three of them.
    for line in ("Apples 12 13", "• the apples", "Apples and pears."):
        assert chunked(f"{first}\n{line}\n{rest}")[0].text == f"{first}\n{line}"


def test_a_scrap_goes_with_the_chunk_before() -> None:
    # 16 tokens of 17 are nearly all of what a chunk may have; the last one is not worth a chunk.
    text = f"{'word ' * 15}end.\n\nSeen"
    assert [size(chunk) for chunk in chunked(text)] == [18]


def test_headings_are_found_in_the_text_of_a_document_without() -> None:
    limits = ChunkLimits(text_tokens=20, context_tokens=10, characters=200)
    text = "Preface and more of it.\nItem 7. Discussion\nThe tree stands right there."
    chunks = chunked(text, limits=limits)
    assert [(chunk.text.split()[0], chunk.context) for chunk in chunks] == [
        ("Preface", "T"),
        ("Item", "T › Item 7. Discussion"),
    ]


def test_a_cut_table_keeps_the_years_of_its_columns() -> None:
    rows = [f"Item{letter} {n},000 {n},500" for n, letter in enumerate("ABCDEFGH", start=1)]
    text = "\n".join(["The figures are these.", "In millions 2022 2021", *rows])
    limits = ChunkLimits(text_tokens=30, context_tokens=10, characters=400)
    first, *others = chunked(text, limits=limits)
    assert first.context == "T"
    assert len(others) >= 1
    assert {chunk.context for chunk in others} == {"T › In millions 2022 2021"}
    assert all(chunk.text.startswith("Item") for chunk in others)  # no row is cut
    few = ChunkLimits(text_tokens=30, context_tokens=4, characters=400)
    assert {chunk.context for chunk in chunked(text, limits=few)} == {"T"}


def test_the_lines_above_a_pages_matter_are_in_the_context_of_its_later_chunks() -> None:
    rows = [f"Item{letter} {n},000 {n},500" for n, letter in enumerate("ABCDEFGH", start=1)]
    statement = "\n".join(["The Crane Company", "Balance Sheets", "(in millions)", *rows])
    limits = ChunkLimits(text_tokens=30, context_tokens=20, characters=400)
    first, *others = chunked(statement, limits=limits)
    assert first.context == "T"  # it has them in its text
    assert len(others) >= 1
    assert {chunk.context for chunk in others} == {"T › The Crane Company Balance Sheets"}

    # Under the nearest heading of an earlier page; not beside one of the same page.
    headings = [Heading("Item 8", 1, 1, 0)]
    later = chunked("Item 8", statement, headings=headings, limits=limits)[2:]
    assert {chunk.context for chunk in later} == {"T › Item 8 › The Crane Company Balance Sheets"}
    headings.append(Heading("Balance Sheets", 2, 2, statement.index("Balance")))
    later = chunked("Item 8", statement, headings=headings, limits=limits)[2:]
    assert {chunk.context for chunk in later} <= {"T › Item 8", "T › Item 8 › Balance Sheets"}

    # A page that goes on with the matter of the one before has no title.
    prose = "\n".join([f"and goes on with sentence number {n} of them all." for n in range(8)])
    assert {chunk.context for chunk in chunked(prose, limits=limits)} == {"T"}
    prose = f"Germany was the first country to sign it and\n{prose}"
    assert {chunk.context for chunk in chunked(prose, limits=limits)} == {"T"}


def test_running_lines_are_in_no_chunk() -> None:
    def page(number: int) -> str:
        return f"Orchard Notes\nTree {'x' * number} stands there.\n\nIt ripens {'y' * number}\n{number}"

    texts = [page(number) for number in range(1, 9)]
    chunks = chunked(*texts)
    assert [chunk.page for chunk in chunks] == list(range(1, 9))
    assert all(chunk.text == texts[chunk.page - 1][chunk.start : chunk.end] for chunk in chunks)
    assert chunks[0].text.startswith("Orchard Notes\nTree x")  # the first one may be a title
    assert [chunk.text for chunk in chunks[1:]] == [
        f"Tree {'x' * number} stands there.\n\nIt ripens {'y' * number}" for number in range(2, 9)
    ]


def test_a_running_line_amid_a_page_ends_a_chunk() -> None:
    text = "Before it.\nHEADER\nAfter it."
    start = text.index("HEADER")
    assert [text[a:b].strip() for a, b in _without(((start, start + 6),), text)] == [
        "Before it.",
        "After it.",
    ]
    assert _without(((0, len(text)),), text) == [(0, len(text))]


def test_a_page_of_nothing_but_running_lines_is_kept() -> None:
    chunks = chunked(*(str(number) for number in range(1, 7)))
    assert [chunk.text for chunk in chunks] == ["1", "2", "3", "4", "5", "6"]


def test_a_long_unit_is_cut_between_lines_rather_than_words() -> None:
    limits = ChunkLimits(text_tokens=10, context_tokens=5, characters=200)
    lines = ["one two three four five six seven", "eight nine ten eleven twelve thirteen fourteen"]
    chunks = chunked("\n".join(lines), limits=limits)
    assert [chunk.text for chunk in chunks] == lines


@pytest.mark.slow
def test_real_filings_lose_running_lines_only(eval_data: Path) -> None:
    path = eval_data / "financebench-dev" / "documents" / "BESTBUY_2024Q2_10Q.pdf"
    document = parse(path)
    limits = ChunkLimits()
    chunks = chunk_pages(document.pages, document.headings, Words(), title="BESTBUY", limits=limits)
    running = header_footer_lines(document.pages)
    for page in document.pages:
        here = [chunk for chunk in chunks if chunk.page == page.number]
        assert all(chunk.text == page.text[chunk.start : chunk.end] for chunk in here)
        kept = "".join(chunk.text for chunk in here)
        lost = "".join(page.text[a:b] for a, b in running.get(page.number, ()))
        assert Counter((kept + lost).replace(" ", "").replace("\n", "")) == Counter(
            "".join(page.text.split())
        )
    assert any(chunk.context.startswith("BESTBUY › PART I") for chunk in chunks)
    assert all(size(chunk) <= limits.text_tokens for chunk in chunks)


def test_chunks_fit_the_built_in_encoder(encoder: Encoder) -> None:
    """The whole of each chunk is encoded: context, text and the two special tokens within 256."""
    generator = random.Random(0)
    words = [
        "antidisestablishmentarianism",
        "naïve",
        "12,345.67",
        "雨",
        "(a)",
        "tree",
        "Qx7",
        "…",
        "e.g.",
        "End.",
    ]
    text = " ".join(generator.choices(words, k=3000))
    heading = Heading(" ".join(words * 5), 1, 1, 0)
    chunks = chunk_pages([Page(1, text)], [heading], encoder, title="A title")
    assert_exact([text], chunks)
    assert len(chunks) > 10
    for chunk in chunks:
        assert len(encoder.offsets(f"{chunk.context}\n{chunk.text}")) + 2 <= encoder.max_tokens
