"""Long documents: encoded and written in blocks, whole or not at all, in memory that does not grow."""

import errno
import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingestion.documents import Chunk
from ingestion.encoders import BLOCK_CHARACTERS, BLOCK_CHUNKS, Encoder, Encodings
from ingestion.errors import Cancelled, LibraryError
from ingestion.library import Library
from ingestion.maintenance.reindex import reindex
from ingestion.pipeline.document_vectors import document_vectors
from ingestion.pipeline.ingest import ingest
from ingestion.pipeline.progress import IngestProgress, IngestStage
from ingestion.storage.catalogue.records import Document
from ingestion.storage.tokens import store as store_module
from ingestion.storage.tokens import writing
from ingestion.storage.tokens.staged import StagedVectors
from ingestion.storage.tokens.stored import StoredVectors
from ingestion.storage.tokens.writing import SegmentData
from ingestion.storage.vectors.store import VectorStore
from tests.helpers.modelless_encoder import ModellessEncoder
from tests.helpers.processes import fork_server, linux_only
from tests.helpers.store_contents import assert_whole, everything, names_in


@pytest.fixture
def modelless(encoder: Encoder) -> ModellessEncoder:
    return ModellessEncoder(encoder)


@pytest.fixture
def library(tmp_path: Path, modelless: ModellessEncoder) -> Iterator[Library]:
    with Library.open(tmp_path / "library", modelless) as opened:
        yield opened


def paragraph(number: int) -> str:
    """A chunk of its own: 150 tokens and more."""
    return " ".join(f"Tree {number} of row {row} bears late." for row in range(number, number + 20))


def write(folder: Path, name: str, paragraphs: list[str]) -> Path:
    path = folder / name
    path.write_text("\n\n".join(paragraphs), "utf-8")
    return path


def only(library: Library) -> Document:
    (document,) = library.catalogue.documents()
    return document


def vectors_of(library: Library, document: Document) -> Encodings:
    file = library.representations.segment(document.id, library.representation().id)
    assert file is not None
    return library.tokens.read(library.folder / "tokens" / file, (document.id, document.version))


# Blocks


class Passing:
    """Notes the most that passes at once through what a document's length could fill."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows: dict[str, int] = {}
        self._monkeypatch = monkeypatch
        self._follow(VectorStore, "upsert", lambda _, __, ___, ids, *____: len(ids))
        self._follow(StagedVectors, "append", lambda _, encodings: len(encodings))
        self._follow(StagedVectors, "_read", lambda _, __, first, last: last - first)
        real = writing.write_segment

        def write_segment(path: Path, file: SegmentData) -> None:
            for name, section in file.sections.items():
                parts = self._noting(name, section.parts)
                object.__setattr__(section, "parts", parts)
            real(path, file)

        monkeypatch.setattr(store_module, "write_segment", write_segment)

    def _noting(self, name: str, parts: Any) -> Iterator[Any]:
        for part in parts:
            self._note(name, part.nbytes)
            yield part

    def _note(self, name: str, size: int) -> None:
        self.rows[name] = max(self.rows.get(name, 0), size)

    def _follow(self, owner: Any, name: str, size: Any) -> None:
        real = getattr(owner, name)

        def follow(*arguments: Any, **options: Any) -> Any:
            self._note(name, size(*arguments))
            return real(*arguments, **options)

        self._monkeypatch.setattr(owner, name, follow)


def test_no_more_than_a_block_passes_at_once_however_long_a_document_is(
    library: Library, modelless: ModellessEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passing = Passing(monkeypatch)
    most: list[dict[str, int]] = []
    for count in (1, 3):
        path = write(tmp_path, f"{count}.txt", [paragraph(n) for n in range(count * BLOCK_CHUNKS + 20)])
        (result,) = ingest(library, [path])
        assert (str(result.status), result.chunks > count * BLOCK_CHUNKS) == ("ok", True)
        most.append(dict(passing.rows))
    assert_whole(library)
    assert max(modelless.calls) == BLOCK_CHUNKS
    row = modelless.tokens * modelless.token_dimension
    assert most[0] == most[1] | {"offsets": most[0]["offsets"]}  # eight bytes a chunk
    assert most[0]["upsert"] == most[0]["append"] == BLOCK_CHUNKS
    assert most[0]["codes"] == BLOCK_CHUNKS * row


def test_a_block_has_few_characters_too(library: Library, modelless: ModellessEncoder) -> None:
    long = [Chunk(n, 1, 0, 60_000, f"{n} ".ljust(60_000, "x")) for n in range(25)]
    staged = document_vectors(library.representation(), long)
    assert isinstance(staged, StagedVectors)
    with closing(staged) as vectors:
        assert len(vectors) == 25
    assert [count * 60_000 <= BLOCK_CHARACTERS for count in modelless.calls] == [True] * 4
    assert sum(modelless.calls) == 25


def test_vectors_of_a_long_document_are_those_of_its_chunks(
    library: Library, modelless: ModellessEncoder, tmp_path: Path
) -> None:
    paragraphs = [paragraph(n) for n in range(BLOCK_CHUNKS + 40)]
    paragraphs[20:20] = [paragraph(3)] * 5  # equal ones, within a block and across
    (result,) = ingest(library, [write(tmp_path, "a.txt", [*paragraphs, paragraph(3), paragraph(7)])])
    assert_whole(library)
    chunks = list(library.catalogue.chunks_of(only(library)))
    assert result.chunks == len(chunks) > BLOCK_CHUNKS
    different = {(chunk.context, chunk.text) for chunk in chunks}
    assert sum(modelless.calls) == len(different) < len(chunks)
    expected = modelless.encode([chunk.text for chunk in chunks], [chunk.context for chunk in chunks])
    found = vectors_of(library, only(library))
    np.testing.assert_array_equal(found.cls, expected.cls)
    np.testing.assert_array_equal(found.offsets, expected.offsets)
    np.testing.assert_allclose(found.tokens, expected.tokens, atol=0.3)
    ids = only(library).chunk_ids()
    held, vectors = library.vectors.read(1, "mean", ids)
    assert held == ids
    np.testing.assert_allclose(vectors, expected.mean, atol=1e-6)


def test_a_changed_page_of_a_long_document_is_all_that_is_encoded_again(
    library: Library, modelless: ModellessEncoder, tmp_path: Path
) -> None:
    paragraphs = [paragraph(n) for n in range(BLOCK_CHUNKS + 60)]
    path = write(tmp_path, "a.txt", paragraphs)
    list(ingest(library, [path]))
    before = vectors_of(library, only(library))
    modelless.calls.clear()
    paragraphs[300] = paragraph(9999)
    (result,) = ingest(library, [write(tmp_path, "a.txt", paragraphs)])
    assert str(result.status) == "ok"
    assert_whole(library)
    assert 0 < sum(modelless.calls) < 20
    after = vectors_of(library, only(library))
    np.testing.assert_array_equal(after.tokens[:1000], before.tokens[:1000])
    assert max(modelless.calls) <= BLOCK_CHUNKS


def test_a_long_document_is_converted_block_by_block(
    library: Library, modelless: ModellessEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(ingest(library, [write(tmp_path, "a.txt", [paragraph(n) for n in range(BLOCK_CHUNKS + 60)])]))
    modelless.calls.clear()
    parts: list[int] = []
    real = StoredVectors.part

    def part(self: StoredVectors, first: int, last: int) -> Encodings:
        parts.append(last - first)
        return real(self, first, last)

    monkeypatch.setattr(StoredVectors, "part", part)
    result = reindex(library, codec="int4")
    assert (result.documents, result.converted, modelless.calls) == (1, 1, [])
    assert max(parts) == BLOCK_CHUNKS
    monkeypatch.undo()
    assert_whole(library)


# Whole or not at all


def test_progress_moves_within_a_long_document(library: Library, tmp_path: Path) -> None:
    events: list[IngestProgress] = []
    path = write(tmp_path, "a.txt", [paragraph(n) for n in range(2 * BLOCK_CHUNKS)])
    list(ingest(library, [path], on_progress=events.append))
    for stage, some in groupby(events, key=lambda event: event.stage):
        steps = [(event.done, event.total) for event in some]
        assert steps == sorted(steps)
        assert steps[-1][0] == steps[-1][1] > 0
        assert stage is IngestStage.PARSING or len(set(steps)) > 4


@pytest.mark.parametrize("stage", [IngestStage.ENCODING, IngestStage.WRITING])
def test_a_long_document_is_cancelled_in_its_middle(
    library: Library, tmp_path: Path, stage: IngestStage
) -> None:
    list(ingest(library, [write(tmp_path, "old.txt", [paragraph(1)])]))
    before = everything(library)
    path = write(tmp_path, "a.txt", [paragraph(n) for n in range(3 * BLOCK_CHUNKS)])
    seen: list[IngestProgress] = []

    def is_in_the_middle() -> bool:
        return any(event.stage is stage and event.done > BLOCK_CHUNKS for event in seen)

    with pytest.raises(Cancelled):
        list(ingest(library, [path], on_progress=seen.append, cancelled=is_in_the_middle))
    last = [event for event in seen if event.stage is stage][-1]
    assert BLOCK_CHUNKS < last.done < last.total
    assert everything(library) == before
    assert_whole(library)


@pytest.mark.parametrize("step", ["append", "segment"])
def test_a_full_disk_in_the_middle_leaves_the_library_as_it_was(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    list(ingest(library, [write(tmp_path, "old.txt", [paragraph(1)])]))
    before = everything(library)
    path = write(tmp_path, "a.txt", [paragraph(n) for n in range(2 * BLOCK_CHUNKS)])
    real, calls = getattr(StagedVectors, step), []

    def failing(*arguments: Any) -> Any:
        calls.append(step)
        if len(calls) == 2 or step == "segment":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*arguments)

    monkeypatch.setattr(StagedVectors, step, failing)
    with pytest.raises(
        LibraryError, match=r"No space left on (the disk of .*; delete documents|device; check the disk)"
    ):
        list(ingest(library, [path]))
    monkeypatch.undo()
    assert everything(library) == before
    assert_whole(library)
    assert [str(result.status) for result in ingest(library, [path])] == ["ok"]
    assert_whole(library)


# Processes of their own

_INGEST = """
import json, os, resource, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from ingestion.encoders import builtin_encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from tests.helpers.modelless_encoder import ModellessEncoder

data, stage, *files = sys.argv[2:]

def follow(progress):
    if progress.stage == stage and progress.done > 256:
        os.kill(os.getpid(), signal.SIGKILL)

with Library.open(Path(data), ModellessEncoder(builtin_encoder(), 250)) as library:
    results = [str(result.status) for result in ingest(library, map(Path, files), on_progress=follow)]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([results, peak // 1024]))
"""


def run_ingest(library: Path, stage: str, *files: Path) -> tuple[int, str]:
    root = Path(__file__).parents[3]
    arguments = root, library, stage, *files
    with fork_server().start(arguments, code=_INGEST, stdout=subprocess.PIPE) as process:
        said, _ = process.communicate()
        return process.wait(), said


@pytest.mark.slow
@linux_only
@pytest.mark.parametrize("stage", ["encoding", "writing"])
def test_a_process_killed_in_the_middle_leaves_nothing(
    tmp_path: Path, modelless: ModellessEncoder, stage: str
) -> None:
    path = write(tmp_path, "a.txt", [paragraph(n) for n in range(2 * BLOCK_CHUNKS)])
    code, _ = run_ingest(tmp_path / "library", stage, path)
    assert code == -9
    with Library.open(tmp_path / "library", modelless) as library:
        assert library.catalogue.documents() == []
        assert_whole(library)
        assert names_in(library.folder / "tokens") == names_in(library.folder / "originals") == set()
        assert [str(result.status) for result in ingest(library, [path])] == ["ok"]
        assert_whole(library)


@pytest.mark.slow
@linux_only
@pytest.mark.soak
def test_peak_memory_does_not_grow_with_a_documents_length(tmp_path: Path) -> None:
    peaks = []
    for blocks in (2, 8):
        path = write(tmp_path, f"{blocks}.txt", [paragraph(n) for n in range(blocks * BLOCK_CHUNKS)])
        code, said = run_ingest(tmp_path / f"library-{blocks}", "", path)
        results, peak = json.loads(said)
        assert (code, results) == (0, ["ok"])
        peaks.append(peak)
    # Held whole, the token vectors of six blocks more take 187 MiB; text and Chroma's index take 15.
    assert peaks[1] - peaks[0] < 90
