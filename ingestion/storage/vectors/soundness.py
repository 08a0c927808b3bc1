"""Whether Chroma's files are those of its last closing; others are looked at before it opens them.

A damaged index kills the process that reads it. So a note lies among the files from one clean closing to the
next opening: it has each file's size, time, inode and CRC-32. Where it is missing or differs, the indexes'
links are checked, and a child process opens Chroma and searches every index. Later changes by others, while
Chroma is open, are noticed at closing, which then leaves no note.
"""

import json
import logging
import os
import sqlite3
import zlib
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from ingestion.errors import LibraryDamaged, LibraryError
from ingestion.storage.disk_space import is_disk_full, no_space
from ingestion.storage.vectors.hnsw import check_index
from ingestion.storage.vectors.probing import probe_fault, run_probe

DATABASE = "chroma.sqlite3"
_NOTE = "closed.json"
_BLOCK = 1 << 20
CHROMA_ADVICE = "the strategies colbert and bm25 still work; to repair it, run: rag-app repair"

_logger = logging.getLogger(__name__)


class FileNote(NamedTuple):
    """A file as it was at the last closing."""

    size: int
    mtime_ns: int
    inode: int
    crc: int

    def same_file(self, info: os.stat_result) -> bool:
        """Return whether a file has this size, time and inode."""
        return (self.size, self.mtime_ns, self.inode) == (info.st_size, info.st_mtime_ns, info.st_ino)


class ChromaFiles:
    """The files in Chroma's folder, from before it is opened until after it is closed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._left: dict[str, FileNote] = {}
        self._seen: dict[str, tuple[int, int, int]] = {}
        self._foreign = False  # another program has changed the indexes while Chroma was open

    def admit(self) -> None:
        """Look at the files before Chroma is opened. Raises LibraryDamaged where it must not be."""
        left = self._noted()
        if left is None or not self._are(left):
            try:
                self._look_closely()
            except LibraryDamaged as error:
                if is_disk_full(error, self._folder):
                    raise no_space(self._folder.parent, "Chroma cannot be opened") from error
                reason = " ".join(str(error).split())  # SQLite's has several lines
                raise LibraryDamaged(
                    f"Chroma cannot open {self._folder}: {reason}; {CHROMA_ADVICE}"
                ) from error
            except OSError as error:
                raise LibraryError(
                    f"Chroma's files in {self._folder} cannot be looked at: {error}; "
                    "the strategies colbert and bm25 still work; free memory and room on the disk"
                ) from error
            if left is not None:
                _logger.warning(
                    "Chroma's files changed since the library was closed; they can be read; "
                    "to compare them with the documents, run: rag-app verify"
                )
        (self._folder / _NOTE).unlink(missing_ok=True)
        self._left = left or {}
        self._foreign = False
        self.look()

    def look(self) -> None:
        """Remember how the indexes are after a call. No call may be under way."""
        self._seen = self._indexes()

    def look_again(self) -> None:
        """Notice what others have changed since `look`."""
        if not self._foreign and self._seen != self._indexes():
            self._foreign = True
            _logger.warning(
                "another program changed Chroma's files; to compare them with the documents, "
                "run: rag-app verify"
            )

    def leave(self) -> None:
        """Note the files after Chroma was closed, unless others changed them.

        Where they are not noted, the next opening looks closely.
        """
        if self._foreign:
            return
        note = self._folder / _NOTE
        new = note.with_suffix(".new")
        try:
            states = {name: self._state(name, path) for name, path in self._files().items()}
            with new.open("w", encoding="utf-8") as stream:
                json.dump(states, stream)
            new.replace(note)
        except OSError:
            _logger.warning("Chroma's files are not noted; the next opening looks closely", exc_info=True)

    def _files(self) -> dict[str, Path]:
        """Return the files of the database and of the indexes by their names in the folder."""
        found = [*self._folder.glob(f"{DATABASE}*"), *self._folder.glob("*/*")]
        return {path.relative_to(self._folder).as_posix(): path for path in sorted(found) if path.is_file()}

    def _indexes(self) -> dict[str, tuple[int, int, int]]:
        states: dict[str, tuple[int, int, int]] = {}
        for path in self._folder.glob("*/*"):
            try:
                info = path.stat()
            except OSError:  # a collection is being removed
                continue
            states[f"{path.parent.name}/{path.name}"] = (info.st_size, info.st_mtime_ns, info.st_ino)
        return states

    def _noted(self) -> dict[str, FileNote] | None:
        try:
            noted = json.loads((self._folder / _NOTE).read_bytes())
            return {name: FileNote(*map(int, state)) for name, state in noted.items()}
        except (OSError, ValueError, TypeError, AttributeError):  # none, or half of one
            return None

    def _are(self, left: Mapping[str, FileNote]) -> bool:
        """Return whether the files are those that were left. Indexes are read: Chroma reads them anyway."""
        files = self._files()
        try:
            return files.keys() == left.keys() and all(
                (left[name].same_file(path.stat()) and name == DATABASE) or left[name].crc == _crc(path)
                for name, path in files.items()
            )
        except OSError:
            return False

    def _state(self, name: str, path: Path) -> FileNote:
        info, left = path.stat(), self._left.get(name)
        crc = left.crc if left and left.same_file(info) else _crc(path)
        return FileNote(info.st_size, info.st_mtime_ns, info.st_ino, crc)

    def _look_closely(self) -> None:
        if check_folder(self._folder):
            _logger.info("Chroma was not closed, or its files changed: a child process opens it first")
            lines, ended = run_probe({"folder": str(self._folder)})
            if fault := probe_fault(lines, ended):
                raise LibraryDamaged(fault)


def check_folder(folder: Path) -> int:
    """Check Chroma's database and the links of all indexes, without Chroma; return the number of vectors
    that the indexes hold.

    Raises:
        LibraryDamaged: Something is missing, or cannot be what Chroma wrote.
    """
    if not folder.exists():
        return 0
    indexes = {path.name: path for path in folder.iterdir() if path.is_dir() and any(path.iterdir())}
    database = folder / DATABASE
    if not database.exists() or not database.stat().st_size:
        if indexes:
            raise LibraryDamaged(f"{DATABASE} is missing or empty")
        return 0
    known, written = _vector_indexes(database)
    if lost := sorted(written - indexes.keys()):
        raise LibraryDamaged(f"the index {lost[0]} is missing")
    # A folder that Chroma does not know is left of a collection that was removed; nothing reads it.
    return sum(check_index(path) for name, path in sorted(indexes.items()) if name in known)


def _vector_indexes(database: Path) -> tuple[set[str], set[str]]:
    """Return the indexes that Chroma's database knows, and those of them that Chroma has written to files."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(database))}?mode=rw", uri=True)) as connection:
            ((found,),) = connection.execute("PRAGMA quick_check(1)")
            known = {row[0] for row in connection.execute("SELECT id FROM segments WHERE scope = 'VECTOR'")}
            written = {row[0] for row in connection.execute("SELECT segment_id FROM max_seq_id")}
    except sqlite3.Error as error:
        raise LibraryDamaged(f"{DATABASE} cannot be read: {error}") from error
    if found != "ok":
        raise LibraryDamaged(f"{DATABASE} is malformed: {found}")
    return known, known & written


def _crc(path: Path) -> int:
    crc = 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            crc = zlib.crc32(block, crc)
    return crc
