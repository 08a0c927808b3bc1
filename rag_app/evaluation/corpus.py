"""The corpus of a data set: a library of its own, kept for the next evaluation."""

import glob
import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from ingestion.chunking.chunker import chunk_pages
from ingestion.documents import Chunk, Heading, Page, ParsedDocument, Status
from ingestion.encoders import CHUNKER_VERSION, Encoder, load_encoder
from ingestion.errors import Cancelled, InvalidInput
from ingestion.library import Library
from ingestion.maintenance.reindex import ReindexProgress, reindex
from ingestion.parsing import READER_VERSION, ParseLimits
from ingestion.pipeline.folder_sync import find_files
from ingestion.pipeline.ingest import ingest
from ingestion.pipeline.progress import IngestProgress
from ingestion.storage.catalogue.catalogue import DEFAULT_COLLECTION
from ingestion.storage.catalogue.records import Document, Scope, StoredChunk
from ingestion.storage.lock import read_holder
from ingestion.storage.originals import Source
from ingestion.text.terms import ANALYSER
from rag_app.evaluation.datasets import CorpusPassage, Dataset, page_id

# A BEIR corpus is stored as documents with a page for each passage. So many passages share a document,
# because each document takes a transaction.
_PASSAGES = 1000
_LONGEST_NAME = 60  # characters of a data set's name in its folder's name

# stage, done, total
OnProgress = Callable[[str, int, int], None]
IsCancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Corpus:
    """A library that holds a data set.

    Attributes:
        collections: the collections that are searched; none: the default collection.
        labels: names of documents by id, where the data set uses other names than the library.
        parts: the places of the passages that each document of a BEIR corpus holds.
    """

    library: Library
    dataset: Dataset
    collections: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    parts: Sequence[Sequence[int]] = ()

    def unit(self, chunk: StoredChunk) -> str:
        """Return the id of a chunk's passage or page."""
        return self.unit_of(chunk.document_id, chunk.document, chunk.page)

    def unit_of(self, document_id: str, document: str, page: int) -> str:
        """Return the id of the passage or page that a page of a document is."""
        if self.dataset.unit == "page":
            return page_id(self.labels.get(document_id, document), page)
        return self.dataset.passages[self.parts[int(document)][page - 1]].id

    def scope(self) -> Scope:
        """Return the scope of the searches."""
        return self.library.catalogue.scope(self.collections)

    def documents(self) -> list[Document]:
        """Return the documents of the scope."""
        wanted = set(self.scope().collections)
        return [one for one in self.library.catalogue.documents() if one.collection_id in wanted]


@contextmanager
def open_corpus(
    dataset: Dataset,
    folder: Path,
    encoder: Encoder,
    *,
    limits: ParseLimits = ParseLimits(),
    load: Callable[[str], Encoder] = load_encoder,
    by_article: bool = False,
    on_progress: OnProgress | None = None,
    cancelled: IsCancelled | None = None,
) -> Iterator[Corpus]:
    """Yield the data set as a library under `folder`.

    The library of the last evaluation is used again where data and encoder are the same, and brought up to
    date with the documents' files. What was encoded before an error stays.

    Args:
        load: Gives the model of an added representation by its source.
        by_article: Store each article of a BEIR corpus, the passages of one title, as a document of its own.

    Raises:
        InvalidInput: A file cannot be ingested.
        LibraryInUse: Another evaluation of the same data runs.
        Cancelled: `cancelled` returned true.
    """
    identity = (
        f"{dataset.corpus} {dataset.unit} {encoder.fingerprint} {CHUNKER_VERSION} {ANALYSER} {READER_VERSION}"
    )
    source = str(dataset.folder.resolve()) if dataset.folder else ""
    source += " by article" if by_article else ""
    parts = _parts(dataset.passages, by_article)
    place = folder / f"{dataset.name[:_LONGEST_NAME]}-{_digest(source)}-{_digest(identity)}"
    with Library.open(place, encoder, load=load) as library:
        if dataset.documents is not None:
            _ingest(library, dataset.documents, limits, on_progress, cancelled)
            dataset, labels = _labelled(library, dataset, dataset.documents)
        else:
            _add(library, dataset.passages, parts, on_progress, cancelled)
            labels = {}
        _remove_former(place)
        yield Corpus(library, dataset, labels=labels, parts=parts)


def _parts(passages: Sequence[CorpusPassage], by_article: bool) -> list[Sequence[int]]:
    """Return the places of the passages of each document. An article without a title is named in the ids of
    its passages, ARTICLE-NUMBER."""
    if not by_article:
        count = len(passages)
        return [range(first, min(first + _PASSAGES, count)) for first in range(0, count, _PASSAGES)]
    articles: dict[str, list[int]] = {}
    for place, passage in enumerate(passages):
        articles.setdefault(passage.title or passage.id.rpartition("-")[0] or passage.id, []).append(place)
    return list(articles.values())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def add_representation(
    library: Library,
    name: str,
    source: str,
    on_progress: OnProgress | None = None,
    cancelled: IsCancelled | None = None,
) -> None:
    """Encode the corpus with another model too, unless an earlier evaluation did."""
    if any(
        index.name == name and index.record.source == source for index in library.open_representations.ready()
    ):
        return

    def tell(progress: ReindexProgress) -> None:
        if on_progress:
            on_progress(f"encoding for {name}", progress.done, progress.total)

    reindex(library, name, source=source, on_progress=tell, cancelled=cancelled)


def _ingest(
    library: Library,
    documents: Path,
    limits: ParseLimits,
    on_progress: OnProgress | None,
    cancelled: IsCancelled | None,
) -> None:
    done: dict[int, float] = {}

    def tell(progress: IngestProgress) -> None:
        if on_progress:
            share = progress.done / progress.total if progress.total else 0.0
            done[progress.file] = max(
                done.get(progress.file, 0.0), share if progress.stage == "encoding" else 0
            )
            on_progress("ingesting documents, percent", int(100 * sum(done.values()) / progress.files), 100)

    wanted: set[str] = set()
    for result in ingest(library, [documents], limits=limits, on_progress=tell, cancelled=cancelled):
        done[result.file] = 1.0
        wanted.add(result.path)
        if not result.status.is_success and result.status is not Status.PARTIAL:
            raise InvalidInput(
                f"{result.path} cannot be evaluated: {result.error}; repair the file, or remove it and its "
                "questions"
            )
    for document in library.catalogue.documents():
        if wanted.isdisjoint(library.catalogue.sources.of(document.id)):
            library.delete(document)


def _labelled(library: Library, dataset: Dataset, documents: Path) -> tuple[Dataset, dict[str, str]]:
    """Return the data set and the documents' labels by id. A label is a file's path below the folder; files
    with the same bytes are one document with one label."""
    collection = library.catalogue.ensure_collection(DEFAULT_COLLECTION)
    labels: dict[str, str] = {}
    names: dict[str, str] = {}
    for file in find_files([documents]):
        document = library.catalogue.by_source(collection, str(file.resolve()))
        if document:
            name = file.relative_to(documents).as_posix()
            names[name] = labels.setdefault(document.id, name)
    qrels: dict[str, dict[str, int]] = {}
    for question, pages in dataset.qrels.items():
        renamed = qrels.setdefault(question, {})
        for page, grade in pages.items():
            name, _, number = page.rpartition("#page=")
            unit = page_id(names.get(name, name), int(number))
            renamed[unit] = max(grade, renamed.get(unit, grade))
    return replace(dataset, qrels=qrels), labels


def _add(
    library: Library,
    passages: Sequence[CorpusPassage],
    parts: Sequence[Sequence[int]],
    on_progress: OnProgress | None,
    cancelled: IsCancelled | None,
) -> None:
    collection = library.catalogue.ensure_collection(DEFAULT_COLLECTION)
    present = {document.name for document in library.catalogue.documents()}
    done = 0
    for number, places in enumerate(parts):
        part, first = [passages[place] for place in places], done
        done += len(part)
        if str(number) in present:
            continue
        if cancelled and cancelled():
            raise Cancelled("the evaluation")
        pages, headings, chunks = _chunked(part, library.encoder)
        encodings = library.encoder.encode(
            [chunk.text for chunk in chunks],
            [chunk.context for chunk in chunks],
            on_progress=_share(on_progress, first, len(part), len(passages)),
            cancelled=cancelled,
        )
        text = "\n".join(f"{passage.id} {passage.title} {passage.text}" for passage in part).encode()
        source = Source(
            path=f"passages:{number}",
            name=str(number),
            sha256=hashlib.sha256(text).hexdigest(),
            bytes=len(text),
            file=None,
        )
        parsed = ParsedDocument(
            Status.OK, page_count=len(pages), pages=tuple(pages), headings=tuple(headings)
        )
        library.add(collection, source, parsed, chunks, {library.representation().id: encodings})


def _share(
    on_progress: OnProgress | None, first: int, size: int, whole: int
) -> Callable[[int, int], None] | None:
    """Return a function that reports the progress of a part as progress of the whole."""
    if on_progress is None:
        return None
    return lambda done, total: on_progress("encoding passages", first + size * done // max(total, 1), whole)


def _chunked(
    passages: Sequence[CorpusPassage], encoder: Encoder
) -> tuple[list[Page], list[Heading], list[Chunk]]:
    """Return a page for each passage, with its title as heading unless the text begins with it.

    Passages are chunked one by one: a line that many pages repeat is a header or footer, a line that many
    passages repeat is not.
    """
    pages: list[Page] = []
    headings: list[Heading] = []
    chunks: list[Chunk] = []
    for number, passage in enumerate(passages, start=1):
        page = Page(number, passage.text if passage.text.strip() else passage.title)
        begins = " ".join(page.text.split()).startswith(passage.title)
        titles = [Heading(passage.title, 1, number, 0)] if passage.title and not begins else []
        for chunk in chunk_pages([page], titles, encoder, title=""):
            chunks.append(replace(chunk, ordinal=len(chunks)))
        pages.append(page)
        headings += titles
    return pages, headings, chunks


def _remove_former(place: Path) -> None:
    """Remove the libraries that the same data set had with an earlier encoder or content."""
    name = place.name.rpartition("-")[0]
    for other in place.parent.glob(f"{glob.escape(name)}-" + "[0-9a-f]" * 12):
        if other != place and read_holder(other) is None:
            shutil.rmtree(other, ignore_errors=True)
