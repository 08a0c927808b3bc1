"""Many small files: how fast a library takes notes in, beside the encoder's own rate over the same texts.

What `benchmarks/ingest.py` measures of them. The encoder gets the passages of the notes as the library cuts
them, as many at a time as ingestion encodes together at most; the two take turns. Where other programs run on
the machine, processor time says more than rates; that of the children that parse is in it.
"""

import os
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

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


class Cost(NamedTuple):
    """What a run takes, in seconds."""

    seconds: float
    processor: float


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
    ours: list[Cost] = []
    alone: list[Cost] = []
    shares = []
    with TemporaryDirectory() as place:
        folder = Path(place)
        files = write_notes(folder, count)
        chunks = _chunks(files, encoder)
        _ingested(files[:4], folder / "warm", encoder)  # Chroma takes seconds to import
        for number in range(rounds):
            alone.append(_encoded(chunks, encoder))
            ours.append(_ingested(files, folder / str(number), encoder))
            alone.append(_encoded(chunks, encoder))
            shares.append((alone[-1].seconds + alone[-2].seconds) / 2 / ours[-1].seconds)
    rates, peer_rates = ([count / cost.seconds for cost in costs] for costs in (ours, alone))
    times, peer_times = ([1000 * cost.processor / count for cost in costs] for costs in (ours, alone))
    peer = "encoder-alone"
    return [
        compare(f"ingest/notes/files-per-second/{peer}", "files/s", rates, peer_rates, peer),
        compare(f"ingest/notes/processor-time/{peer}", "ms/file", times, peer_times, peer),
        figure("ingest/notes/share-of-encoder", "of the encoder's rate beside it", shares),
    ]


def _chunks(files: Sequence[Path], encoder: Encoder) -> list[Chunk]:
    pages = [(file, Page(1, file.read_text("utf-8"))) for file in files]
    return [
        chunk
        for file, page in pages
        for chunk in chunk_pages((page,), (), encoder, title=name_as_words(file.name))
    ]


def _processor() -> float:
    """Return the processor time of this process and of its children that have ended, in seconds."""
    return sum(os.times()[:4])


def _encoded(chunks: Sequence[Chunk], encoder: Encoder) -> Cost:
    """Return what the encoder takes."""
    started, used = time.perf_counter(), _processor()
    for first in range(0, len(chunks), BLOCK_CHUNKS):
        some = chunks[first : first + BLOCK_CHUNKS]
        encoder.encode([chunk.text for chunk in some], [chunk.context for chunk in some])
    return Cost(time.perf_counter() - started, _processor() - used)


def _ingested(files: Sequence[Path], folder: Path, encoder: Encoder) -> Cost:
    """Return what a new library takes for the files."""
    with Library.open(folder, encoder) as library:
        started, used = time.perf_counter(), _processor()
        results = list(ingest(library, files))
        cost = Cost(time.perf_counter() - started, _processor() - used)
    if any(result.document_id is None for result in results):
        raise SystemExit(f"notes were not ingested: {results[0].status}, {results[0].error}")
    return cost
