"""Pages to chunks: exact text, nothing lost, within the limits."""

import random
import re
from collections.abc import Sequence

import pytest

from ingestion.chunking import ChunkLimits, chunk_pages
from ingestion.documents import Chunk, Heading, Page
from ingestion.encoders import Encoder


class Words:
    """A tokenizer of which one can count: a token a word or mark."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]


SMALL = ChunkLimits(text_tokens=20, context_tokens=5, characters=200)


def chunked(
    *texts: str, headings: Sequence[Heading] = (), limits: ChunkLimits = SMALL, title: str = "T"
) -> list[Chunk]:
    pages = [Page(number, text) for number, text in enumerate(texts, start=1)]
    return chunk_pages(pages, headings, Words(), title=title, limits=limits)


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


def test_a_long_context_is_cut_after_a_token() -> None:
    heading = Heading("four five six seven", 1, 1, 0)
    chunks = chunked("Text.", headings=[heading], title="one two three")
    assert chunks[0].context == "one two three › four"
    assert chunks[0].heading == heading.title


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
