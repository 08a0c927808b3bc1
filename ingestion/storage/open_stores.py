"""The stores of one data folder, opened and closed together: catalogue, Chroma, token segments, originals."""

import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ingestion.encoders import Encoder, load_encoder
from ingestion.errors import DiskFull, LibraryDamaged, LibraryError
from ingestion.storage.cards import Cards
from ingestion.storage.catalogue.catalogue import Catalogue
from ingestion.storage.catalogue.records import Scope
from ingestion.storage.catalogue.representations import RepresentationTable
from ingestion.storage.catalogue.snapshots import Snapshots
from ingestion.storage.disk_space import SMALL_BYTES, SpaceReserve
from ingestion.storage.document_fields import DocumentFieldTable
from ingestion.storage.folder_swap import finish_rebuild, finish_swap
from ingestion.storage.journal_cleaner import JournalCleaner
from ingestion.storage.lock import LibraryLock
from ingestion.storage.open_representations import BUILTIN_NAME, OpenRepresentation, OpenRepresentations
from ingestion.storage.presence import CATALOGUE, refuse_emptied, refuse_lost
from ingestion.storage.segment_merging import Merger
from ingestion.storage.tokens.store import TokenStore
from ingestion.storage.vectors.exact import VectorScan
from ingestion.storage.vectors.soundness import CHROMA_ADVICE, DATABASE
from ingestion.storage.vectors.store import VectorStore, embedded_chroma

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

_UNPACKED = "unpacked"


class OpenStores:
    """Open stores, and what reads them. `ingestion.library.Library` adds the changes.

    `changing` is the lock that changes take in turns; searching needs none.
    """

    def __init__(
        self,
        folder: Path,
        catalogue: Catalogue,
        vectors: VectorStore,
        encoder: Encoder,
        lock: LibraryLock,
        load: Callable[[str], Encoder],
    ) -> None:
        self.folder = folder
        self.catalogue = catalogue
        self.vectors = vectors
        self.scan = VectorScan()
        self.encoder = encoder
        self.changing = threading.RLock()
        tokens = folder / "tokens"
        self.representations = RepresentationTable(catalogue.database)
        self.open_representations = OpenRepresentations(self.representations, tokens, encoder, load)
        self.reserve = SpaceReserve(folder)
        self.fields = DocumentFieldTable(catalogue)
        self.cards = Cards(folder)
        self.snapshots = Snapshots(folder)
        self.journal_cleaner = JournalCleaner(folder, catalogue, vectors, self.open_representations)
        self.merger = Merger(tokens, catalogue.database, self.open_representations, self.changing)
        self._lock = lock

    # Opening and closing

    @classmethod
    def open(cls, folder: Path, encoder: Encoder, *, load: Callable[[str], Encoder] = load_encoder) -> Self:
        """Open or create the stores in `folder`; finish or undo what a crash left half done.

        Args:
            folder: The data folder.
            encoder: The built-in encoder.
            load: Gives the model of another representation by its source.

        Raises:
            LibraryInUse: Another process has the library open.
            LibraryError: The folder cannot be used.
            LibraryDamaged: A store cannot be read.
        """
        lock = _acquire(folder)
        try:
            catalogue = _open_catalogue(folder)
        except BaseException:
            lock.release()
            raise
        vectors = VectorStore(partial(_open_chroma, folder / "chroma", catalogue), folder / "chroma")
        stores = cls(folder, catalogue, vectors, encoder, lock, load)
        try:
            stores._recover()
        except BaseException:
            stores.close()
            raise
        return stores

    def _recover(self) -> None:
        self.open_representations.open_all(self.catalogue.database)
        # A version that cannot be erased now is invisible and stays in the journal for the next time.
        with suppress(LibraryError, OSError):
            self.journal_cleaner.erase_all()
        with suppress(LibraryError, OSError):
            self.cards.complete(self.catalogue)
        self.reserve.restore()
        self.keep_snapshot()
        self.merger.recover()
        for opened in self.open_representations.all():
            dead = self.representations.segment_table.dead(opened.id)
            opened.tokens.attach(self.representations.segments(opened.id), dead)

    def close(self) -> None:
        """Stop merging, close the stores and release the folder."""
        try:
            self.merger.stop()
            self.keep_snapshot(closing=True)
            self.vectors.close()
        finally:
            self.catalogue.close()
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def keep_snapshot(self, *, closing: bool = False) -> None:
        """Copy the catalogue where the newest copy is more than a day old; see `Snapshots`."""
        # ProgrammingError: the catalogue is closed already.
        with suppress(LibraryError, sqlite3.ProgrammingError):
            if self.snapshots.are_due(closing=closing) and self.catalogue.has_documents():
                with self.catalogue.database.reading() as connection:
                    self.snapshots.take(connection)

    # Looking things up

    def original(self, sha256: str) -> Path:
        """Return where the bytes of a document are kept."""
        return self.folder / "originals" / sha256

    def unpacking(self) -> TemporaryDirectory[str]:
        """Return a new folder for files unpacked during ingestion. Opening removes what a crash left."""
        place = self.folder / _UNPACKED
        _make_folder(place)
        return TemporaryDirectory(dir=place)

    @property
    def tokens(self) -> TokenStore:
        """The built-in representation's token vectors."""
        return self.representation().tokens

    def representation(self, name: str = BUILTIN_NAME) -> OpenRepresentation:
        """Return a representation that can be searched. Raises UnknownName."""
        return self.open_representations.named(name)

    def damaged(self) -> list[LibraryDamaged]:
        """Return why Chroma, or token vectors, could not be read when they were last needed."""
        chroma = [self.vectors.fault] if self.vectors.fault else []
        return chroma + self.damaged_tokens()

    def damaged_tokens(self) -> list[LibraryDamaged]:
        """Return why token vectors could not be read when they were last needed."""
        return [
            fault for opened in self.open_representations.all() for fault in opened.tokens.faults().values()
        ]

    def segments(self, scope: Scope, opened: OpenRepresentation | None = None) -> list[str]:
        """Return the token segments within the scope."""
        return self.representations.segments((opened or self.representation()).id, scope)


def _acquire(folder: Path) -> LibraryLock:
    """Take the folder's lock; where the disk is full, with room of the reserve."""
    lock, reserve = LibraryLock(folder), SpaceReserve(folder)
    try:
        lock.acquire()
    except DiskFull:
        if not reserve.give(SMALL_BYTES):
            raise
        lock.acquire()
    reserve.make_room()
    return lock


def _open_catalogue(folder: Path) -> Catalogue:
    finish_rebuild(folder)
    finish_swap(folder)
    refuse_lost(folder)
    shutil.rmtree(folder / _UNPACKED, ignore_errors=True)
    for name in ("tokens", "originals", "chroma"):
        _make_folder(folder / name)
    catalogue = Catalogue(folder / CATALOGUE)
    try:
        refuse_emptied(folder, catalogue)
    except BaseException:
        catalogue.close()
        raise
    return catalogue


def _open_chroma(folder: Path, catalogue: Catalogue) -> "ClientAPI":
    """Open Chroma. Raises LibraryDamaged where it holds nothing and the catalogue has chunks."""
    if not (folder / DATABASE).exists() and catalogue.database.rows("SELECT 1 FROM chunks LIMIT 1"):
        raise LibraryDamaged(f"Chroma's files are missing in {folder}; {CHROMA_ADVICE}")
    return embedded_chroma(folder)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(
            f"the data folder {folder} cannot be made: {error.strerror}; "
            "choose another with --data-dir or RAG_APP_DATA_DIR"
        ) from error
