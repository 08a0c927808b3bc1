"""What the stages of one ingestion share: the library and collection, limits, progress, cancelling."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ingestion.documents import Status
from ingestion.errors import Cancelled
from ingestion.library import Library
from ingestion.parsing import TEXT_SUFFIXES, ParseLimits
from ingestion.pipeline.progress import IngestProgress, IngestResult, IngestStage
from ingestion.pipeline.reuse import is_current
from ingestion.storage.originals import Source
from ingestion.text.names import UPLOAD, is_gone


@dataclass(frozen=True, slots=True)
class IngestTask:
    """A file to ingest.

    Attributes:
        file: Where it lies.
        source: The path that it is known by.
        password: Opens an encrypted file.
        encoding: The encoding that a person gives; it counts for text files only.
    """

    file: Path
    source: str
    password: str | None = None
    encoding: str | None = None

    @property
    def told(self) -> str | None:
        """The encoding, of a file that is text."""
        return self.encoding if self.file.suffix.lower() in TEXT_SUFFIXES else None


@dataclass
class IngestContext:
    """One ingestion. `files` is the number of its files; `stopping` ends it early."""

    library: Library
    collection_id: int
    limits: ParseLimits
    files: int
    on_progress: Callable[[IngestProgress], None] | None = None
    cancelled: Callable[[], bool] | None = None
    stopping: bool = False

    def report(self, number: int, name: str, stage: IngestStage, done: int, total: int) -> None:
        """Tell how far a file is."""
        if self.on_progress:
            self.on_progress(IngestProgress(number, self.files, name, stage, done, total))

    def is_cancelled(self) -> bool:
        """Whether the work must stop: the caller has cancelled it, or has gone."""
        return self.stopping or bool(self.cancelled and self.cancelled())

    def check_cancelled(self) -> None:
        """Raises Cancelled where the work must stop."""
        if self.is_cancelled():
            raise Cancelled("ingestion")

    def encoding_of(self, task: IngestTask, source: Source) -> str | None:
        """Return the encoding that a person gives for a file, or gave when the same bytes were ingested."""
        if task.told is not None:
            return task.told
        known = self.library.catalogue.by_content(source.sha256, self.collection_id)
        return known.encoding if known else None

    def known_result(self, source: Source, number: int, task: IngestTask) -> IngestResult | None:
        """Return the result for bytes that the collection holds already, read and cut as they are now.

        Bytes under a new path become a further path of their document.
        """
        catalogue = self.library.catalogue
        document = catalogue.by_content(source.sha256, self.collection_id)
        if document is None or not is_current(document) or task.told not in (None, document.encoding):
            return None
        result = IngestResult(
            path=source.path,
            name=source.name,
            status=Status.PARTIAL if document.status == Status.PARTIAL else Status.UNCHANGED,
            error=document.error,
            document_id=document.id,
            sha256=source.sha256,
            pages=document.pages,
            pages_failed=document.pages_failed,
            chunks=document.chunks,
            file=number,
            warnings=document.warnings,
        )
        if source.path in catalogue.sources.of(document.id):
            return result
        # An upload never had a path that it could have left.
        gone = [path for path in document.paths if not path.startswith(UPLOAD) and is_gone(path)]
        with self.library.changing:
            if catalogue.by_content(source.sha256, self.collection_id) != document:
                return None  # deleted or replaced meanwhile
            self.library.link(self.collection_id, source, document, instead_of=gone)
        same = f"has the same bytes as {document.name} ({document.path})"
        if len(gone) == len(document.paths):
            same += ", which is gone from there; the document goes by the new name"
        return replace(result, status=Status.DUPLICATE, error=same)
