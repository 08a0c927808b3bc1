"""Many small files: how fast a library takes notes in, beside the encoder's own rate over the same texts.

What `benchmarks/ingest.py` measures of them. The encoder gets the passages of the notes as the library cuts
them, as many at a time as ingestion encodes together at most; the two take turns.
"""

import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from report import Result, compare, figure

from ingestion.chunking.chunker import chunk_pages
from ingestion.documents import Chunk, Page, name_as_words
from ingestion.encoders import BLOCK_CHUNKS, Encoder, builtin_encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest

WORDS_A_NOTE = 220
_SENTENCE = 14  # words, about
_PARAGRAPH = 4  # sentences
_WORDS = """
harbour ferry crane tide berth cargo pilot lamp rope deck north south early late clear rough calm
empty loaded moves waits leaves returns carries lifts needs holds shows meets before after until
during without under along the the the a a of of and in to on for with two three seven morning
evening week month engine crew office letter report price ticket number weather signal repair
storage schedule customer company plan answer question
"""


def write_notes(folder: Path, count: int) -> list[Path]:
    """Write so many made-up notes of 220 words; the same ones each time."""
    generator = random.Random(count)
    files = []
    for number in range(count):
        file = folder / f"note-{number:04}.txt"
        file.write_text(f"Note {number}\n\n" + "\n\n".join(_paragraphs(generator)), "utf-8")
        files.append(file)
    return files


def _paragraphs(generator: random.Random) -> Iterator[str]:
    sentences = []
    for _ in range(WORDS_A_NOTE // _SENTENCE):
        sentences.append(" ".join(generator.choices(_WORDS.split(), k=_SENTENCE)).capitalize() + ".")
    for first in range(0, len(sentences), _PARAGRAPH):
        yield " ".join(sentences[first : first + _PARAGRAPH])


def notes_results(count: int, rounds: int) -> list[Result]:
    """Let ingestion and the encoder alone take turns over the same notes."""
    encoder = builtin_encoder()
    encoder.encode_query("warm up")
    ours, alone, shares = [], [], []
    with TemporaryDirectory() as place:
        folder = Path(place)
        files = write_notes(folder, count)
        chunks = _chunks(files, encoder)
        _ingested(files[:4], folder / "warm", encoder)  # Chroma takes seconds to import
        for number in range(rounds):
            alone.append(count / _encoded(chunks, encoder))
            ours.append(count / _ingested(files, folder / str(number), encoder))
            alone.append(count / _encoded(chunks, encoder))
            shares.append(ours[-1] / ((alone[-1] + alone[-2]) / 2))
    return [
        compare("ingest/notes/files-per-second/encoder-alone", "files/s", ours, alone, "encoder-alone"),
        figure("ingest/notes/share-of-encoder", "of the encoder's rate beside it", shares),
    ]


def _chunks(files: Sequence[Path], encoder: Encoder) -> list[Chunk]:
    pages = [(file, Page(1, file.read_text("utf-8"))) for file in files]
    return [
        chunk
        for file, page in pages
        for chunk in chunk_pages((page,), (), encoder, title=name_as_words(file.name))
    ]


def _encoded(chunks: Sequence[Chunk], encoder: Encoder) -> float:
    """Return the seconds that the encoder takes."""
    started = time.perf_counter()
    for first in range(0, len(chunks), BLOCK_CHUNKS):
        some = chunks[first : first + BLOCK_CHUNKS]
        encoder.encode([chunk.text for chunk in some], [chunk.context for chunk in some])
    return time.perf_counter() - started


def _ingested(files: Sequence[Path], folder: Path, encoder: Encoder) -> float:
    """Return the seconds that a new library takes for the files."""
    with Library.open(folder, encoder) as library:
        started = time.perf_counter()
        results = list(ingest(library, files))
        seconds = time.perf_counter() - started
    if any(result.document_id is None for result in results):
        raise SystemExit(f"notes were not ingested: {results[0].status}, {results[0].error}")
    return seconds
