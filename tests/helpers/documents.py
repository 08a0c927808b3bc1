"""Small documents, and libraries of them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ingestion.encoders import Encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from ingestion.pipeline.progress import IngestResult

ORCHARD = """# Orchard notes

## Apples

The Bramley apple tree stands by the north wall. It was planted in 1921 by Ada Finch.

## Pears

The Conference pear ripens in October. Its fruit keeps until January in a cool cellar.
"""

HARBOUR = """# Harbour log

## Tides

High water at the pier was 4.2 metres on 3 March 1987. The ferry sailed at noon.

## Repairs

The crane's cable was replaced after it broke on 9 May 1987. Nobody was hurt.
"""


def write_documents(folder: Path) -> Path:
    """Write two small documents about unlike things into a new folder."""
    folder.mkdir()
    (folder / "orchard.md").write_text(ORCHARD, "utf-8")
    (folder / "harbour.md").write_text(HARBOUR, "utf-8")
    return folder


def ingest_apart(library: Library, folder: Path) -> list[IngestResult]:
    """Ingest the files of a folder each by a call of its own, so that each has a token segment of its own."""
    return [result for file in sorted(folder.iterdir()) for result in ingest(library, [file])]


@contextmanager
def library_of(documents: Mapping[str, str], folder: Path, encoder: Encoder) -> Iterator[Library]:
    """Yield a new library of the documents, by their names."""
    files = folder / "files"
    files.mkdir()
    for name, text in documents.items():
        (files / name).write_text(text, "utf-8")
    with Library.open(folder / "library", encoder) as opened:
        assert {result.status for result in ingest(opened, [files])} == {"ok"}
        yield opened
