"""What the stages of one ingestion share: the library and collection, limits, progress, cancelling."""

import errno
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ingestion.documents import Status
from ingestion.errors import Cancelled, RagError
from ingestion.library import Library
from ingestion.parsing import TEXT_SUFFIXES, ParseLimits
from ingestion.pipeline.progress import IngestProgress, IngestResult, IngestStage
from ingestion.pipeline.reuse import is_current
from ingestion.storage.catalogue.records import Document
from ingestion.storage.disk_space import is_disk_full, no_space
from ingestion.storage.originals import Source, readable
from ingestion.text.names import UPLOAD, composed, is_gone

_LONGEST_REASON = 200

_logger = logging.getLogger(__name__)


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

    def unforeseen(
        self, number: int, task: IngestTask, error: BaseException, *, where: str, source: Source | None = None
    ) -> IngestResult:
        """Log an error that no code foresaw; return how the file ends by it, so that the others go on.

        Raises:
            RagError: The error itself, which concerns the other files as well.
            DiskFull: The disk has no room; the other files would meet the same.
        """
        if isinstance(error, (RagError, GeneratorExit)):
            raise error
        if is_disk_full(error, self.library.folder):
            raise no_space(self.library.folder) from error
        with suppress(Exception):  # memory may be lacking for this as well
            _logger.error("file %d of %d: unforeseen error, %s", number, self.files, where, exc_info=error)
        error.with_traceback(None)  # its frames hold what the file took of memory
        name = source.name if source else composed(readable(task.file.name))
        return IngestResult(
            source.path if source else readable(task.source),
            name,
            Status.FAILED,
            _in_words(name, error, where),
            sha256=source.sha256 if source else None,
            file=number,
            is_fault=True,
        )

    def encoding_of(self, task: IngestTask, source: Source) -> str | None:
        """Return the encoding that a person gives for a file, or gave when the same bytes were ingested."""
        if task.told is not None:
            return task.told
        known = self.library.catalogue.by_content(source.sha256, self.collection_id)
        return known.encoding if known else None

    def known_document(self, source: Source, task: IngestTask) -> Document | None:
        """Return the collection's document with these bytes, if they were read and cut as they are now."""
        document = self.library.catalogue.by_content(source.sha256, self.collection_id)
        if document is None or not is_current(document) or task.told not in (None, document.encoding):
            return None
        return document

    def known_result(self, source: Source, number: int, task: IngestTask) -> IngestResult | None:
        """Return the result for bytes that the collection holds already, read and cut as they are now.

        Bytes under a new path become a further path of their document.
        """
        catalogue = self.library.catalogue
        document = self.known_document(source, task)
        if document is None:
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


def is_interrupt(error: BaseException) -> bool:
    """Whether an error is a person's interrupt: Python raises these in the main thread alone."""
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and isinstance(error, (KeyboardInterrupt, SystemExit))


def _in_words(name: str, error: BaseException, where: str) -> str:
    if isinstance(error, MemoryError):
        return (
            f"{name} needs more memory than is free ({where}); close other programs, or split the file, then "
            "try it again"
        )
    if isinstance(error, RecursionError):
        return f"{name} is nested too deeply ({where}); save it in a simpler form, then try it again"
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return (
            f"{name} could not be opened: too many files are open ({where}); try it again, or raise the "
            "limit of open files (ulimit -n)"
        )
    said = (getattr(error, "strerror", None) or str(error))[:_LONGEST_REASON]
    return (
        f"an error that the application did not foresee ended the work on {name} ({where}): "
        f"{type(error).__name__}{': ' if said else ''}{said}; try it again. The log file has the details"
    )
