"""ZIP archives of documents: a list of their files, which are documents of their own."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ingestion.documents import Status
from ingestion.parsing.frames import MAX_ATTACHMENTS, Attachment, Frame, RefusalError, TextDone
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.shared.attached_files import own_names, sent
from ingestion.parsing.shared.page_writer import LINE, PageWriter
from ingestion.parsing.shared.zip_archive import BROKEN, MAX_REASON_CHARACTERS
from ingestion.text.cleaning import one_line
from ingestion.text.leftovers import leftover_kind

# Looks like the sign between folders, but may stand in the name of a file.
_SLASH = "∕"
_ENCRYPTED = 0x1
_UTF_8 = 0x800
# A file that unpacks to more than both is a bomb: the most regular tables shrink to a hundredth.
_MOST_RATIO = 200
_BOMB_BYTES = 10_000_000
_BLOCK_BYTES = 1024 * 1024
_EXPORTED = re.compile(r"documents/\d{1,9}\.json")
_OTHER_KINDS = ("[Content_Types].xml", "META-INF/container.xml", "META-INF/manifest.xml")


@dataclass
class _Members:
    """The files of an archive, and how many were passed over as programs leave them beside documents."""

    files: list[tuple[str, zipfile.ZipInfo]] = field(default_factory=list)
    passed_over: int = 0


def read_zip(path: Path, limits: ParseLimits) -> Iterator[Frame]:
    """Read the names of an archive's files; `send_members` gives the files.

    Raises:
        RefusalError: The archive is broken, needs a password, or is a file of another format.
    """
    with _opened(path) as archive:
        members = _members(archive)
    names = [name for name, _ in members.files]
    if names and all(info.flag_bits & _ENCRYPTED for _, info in members.files):
        raise RefusalError(
            Status.NEEDS_PASSWORD,
            f"{path.name!r} is an archive with a password, which cannot be used here; unpack it, and add its "
            "files",
        )
    writer = PageWriter(path.name, limits)
    for name in names:
        writer.block(name, LINE)
    left = limits.max_bytes
    for name, info in members.files:
        if reason := _why_not(info, left):
            writer.warn(f"The file {name!r} of the archive is not unpacked: {reason}.")
        else:
            left -= info.file_size
    if len(names) > MAX_ATTACHMENTS:
        writer.warn(
            f"The archive has {len(names)} files; only the first {MAX_ATTACHMENTS} are read. Split it."
        )
    if members.passed_over:
        writer.warn(f"Passed over: {members.passed_over} hidden files and files that programs leave behind.")
    for number, name in enumerate(_attached(members), 1):
        yield Attachment(number, name)
    yield from writer.frames(None)


def send_members(path: Path, _password: str | None, limits: ParseLimits) -> Iterator[Frame]:
    """Yield the files of an archive; see `ingestion.parsing.formats.sender`."""
    left = limits.max_bytes
    with _opened(path) as archive:
        members = _members(archive)
        for number, (name, (_, info)) in enumerate(zip(_attached(members), members.files, strict=False), 1):
            data = None if _why_not(info, left) else _data(archive, info)
            left -= len(data or b"")
            yield from sent(number, name, data)
    yield TextDone()


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(path)
    except BROKEN as error:
        raise RefusalError(
            Status.CORRUPT,
            f"{path.name!r} is damaged or no ZIP archive "
            f"({one_line(str(error), MAX_REASON_CHARACTERS)}); get a new copy",
        ) from error
    names = set(archive.namelist())
    if "manifest.json" in names and any(map(_EXPORTED.fullmatch, names)):
        archive.close()
        raise RefusalError(
            Status.UNSUPPORTED,
            f"{path.name!r} is an export of a library; rag-app import brings its documents in",
        )
    if not names.isdisjoint(_OTHER_KINDS):
        archive.close()
        raise RefusalError(
            Status.UNSUPPORTED,
            f"{path.name!r} is an Office file or a book by its content; give it its own suffix, as .docx",
        )
    return archive


def _members(archive: zipfile.ZipFile) -> _Members:
    found = _Members()
    for info in archive.infolist():
        parts = [part for part in _name(info).replace("\\", "/").split("/") if part not in ("", ".", "..")]
        if info.is_dir() or not parts:
            continue
        hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
        if hidden or leftover_kind(parts[-1]):
            found.passed_over += 1
        else:
            found.files.append((one_line("/".join(parts)), info))
    return found


def _name(info: zipfile.ZipInfo) -> str:
    """The name of a member. Many programs write UTF-8 and do not say so."""
    if info.flag_bits & _UTF_8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _attached(members: _Members) -> Iterator[str]:
    """The names of the members as plain file names, which show their folders."""
    return own_names(name.replace("/", _SLASH) for name, _ in members.files[:MAX_ATTACHMENTS])


def _why_not(info: zipfile.ZipInfo, left: int) -> str:
    """Why a member is not unpacked; "" if it is."""
    if info.flag_bits & _ENCRYPTED:
        return "it needs a password, which cannot be used here"
    if info.file_size > max(_BOMB_BYTES, _MOST_RATIO * info.compress_size):
        return f"it unpacks to {info.file_size} bytes from {info.compress_size}, as no document does"
    return "the archive unpacks to more bytes than the limit; split it" if info.file_size > left else ""


def _data(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | None:
    """The bytes of a member, at most as many as it declares; None if they are damaged."""
    blocks = []
    try:
        with archive.open(info) as member:
            while block := member.read(_BLOCK_BYTES):
                blocks.append(block)
    except (*BROKEN, RuntimeError):  # RuntimeError: a member whose own header says that it is encrypted
        return None
    return b"".join(blocks)
