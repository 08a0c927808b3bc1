"""The documents' own bytes, kept under their SHA-256: for page images, and to parse them again.

A document from an archive may have come without its bytes: an empty file `<sha256>.absent` in their place
says that they are not lost.
"""

import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath

from ingestion.errors import SourceChanged
from ingestion.regular_files import open_regular
from ingestion.storage.durable import sync_folder

_PICTURES = (
    (b"\x89PNG", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"II*\0", ".tiff"),
    (b"MM\0*", ".tiff"),
)


@dataclass(frozen=True, slots=True)
class Source:
    """A file to ingest: its path, its displayed name, the hash and size of its content.

    `file` is None where the document comes without its own bytes.
    """

    path: str
    name: str
    sha256: str
    bytes: int
    file: Path | None


_OPEN_DOCUMENTS = {b"text": ".odt", b"spreadsheet": ".ods", b"presentation": ".odp"}


def absent_mark(original: Path) -> Path:
    """Return the empty file that says that the library never had the original."""
    return original.with_suffix(".absent")


def unpacking_folder(folder: Path) -> Path:
    """Return the folder with the unpacked files of a running import."""
    return folder / "import"


def keep_original(source: Source, original: Path, *, flush_folder: bool = True) -> None:
    """Copy the file's bytes, if they are still the bytes that were parsed.

    Without `flush_folder` the caller flushes the folder's entries to the disk.

    Raises:
        SourceChanged: The file has other bytes now, or is gone.
    """
    mark = absent_mark(original)
    if source.file is None or (mark.exists() and not source.file.exists()):
        mark.touch(mode=0o600)
        if flush_folder:
            sync_folder(original.parent)
        return
    temporary = original.with_suffix(".tmp")
    try:
        reader = open_regular(source.file)
    except OSError as error:
        raise SourceChanged(
            f"{source.path} cannot be read any more: {error.strerror}; ingest it again"
        ) from error
    with reader, temporary.open("w+b") as writer:
        shutil.copyfileobj(reader, writer, 1 << 20)
        writer.flush()
        os.fsync(writer.fileno())
        writer.seek(0)
        if hashlib.file_digest(writer, "sha256").hexdigest() != source.sha256:
            raise SourceChanged(f"{source.path} changed while it was ingested; ingest it again")
    temporary.replace(original)
    mark.unlink(missing_ok=True)
    if flush_folder:
        sync_folder(original.parent)


def under_its_name(original: Path, name: str, folder: Path) -> Path:
    """Put an original into a folder under the name of its document, whose suffix says how it is read."""
    lent = folder / (PurePath(name).name or "document")
    link_or_copy(original, lent)
    return lent


def link_or_copy(file: Path, new: Path) -> None:
    """Give a file another name without copying it, where the system can."""
    try:
        new.hardlink_to(file)
    except OSError:  # a file system without links, or another one
        shutil.copyfile(file, new)


def hash_file(file: Path) -> tuple[str, int]:
    """Return a file's SHA-256 and how many bytes it has."""
    with open_regular(file) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest(), stream.seek(0, 2)


def guess_suffix(file: Path) -> str:
    """Guess a file's suffix from its bytes: the name that had it is lost."""
    head = b""
    with suppress(OSError), file.open("rb") as stream:
        head = stream.read(1024)
    if head.startswith(b"%PDF"):
        return ".pdf"
    if head.startswith(b"{\\rtf"):
        return ".rtf"
    for start, suffix in _PICTURES:
        if head.startswith(start):
            return suffix
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return ".webp"
    if head.startswith(b"PK"):
        return next(_office_suffixes(file), ".zip")
    return ".html" if b"<html" in head.lower() else ".txt"


def _office_suffixes(file: Path) -> Iterator[str]:
    with suppress(OSError, zipfile.BadZipFile, RuntimeError), zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        if "content.xml" in names and "mimetype" in names:
            with archive.open("mimetype") as mimetype:
                kind = mimetype.read(100).rpartition(b".")[2]
            yield from (suffix for name, suffix in _OPEN_DOCUMENTS.items() if kind == name)
        for part, suffix in (("word/", ".docx"), ("ppt/", ".pptx"), ("xl/", ".xlsx"), ("META-INF/", ".epub")):
            if any(name.startswith(part) for name in names):
                yield suffix


def readable(name: str) -> str:
    """Return a file's name or path with the escapes that Python makes of bytes that are no UTF-8
    spelled out: as they are, they can neither be stored nor printed."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
