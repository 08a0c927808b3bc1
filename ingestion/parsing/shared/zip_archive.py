"""Untrusted ZIP archives: Office files and EPUB."""

import lzma
import posixpath
import zipfile
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

from lxml import etree

from ingestion.documents import FileProperties, Status
from ingestion.parsing.frames import RefusalError
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.shared.properties import cleaned_properties
from ingestion.parsing.shared.xml import local_name, parse_xml
from ingestion.text.cleaning import one_line

MAX_REASON_CHARACTERS = 200
_BLOCK_BYTES = 1024 * 1024
_ENCRYPTED_FLAG = 0x1
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # old Office files, and new ones with a password
_OLE_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")

# What an Office file says of itself: our name for it, its part, and its element there.
_PROPERTIES = (
    ("author", "core-properties", "creator"),
    ("organisation", "extended-properties", "company"),
    ("subject", "core-properties", "subject"),
)

# Exceptions of zipfile on broken archives.
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,  # a compression that zipfile does not know
    ValueError,  # impossible offsets
)


class Archive:
    """An archive whose parts are unpacked one by one, all together to at most `limits.max_bytes`.

    Raises:
        RefusalError: The file is no archive, of another kind, or needs a password.
    """

    def __init__(self, path: Path, limits: ParseLimits) -> None:
        self.name = path.name
        self._limits = limits
        self._left = limits.max_bytes
        self._refuse_other_kinds(path)
        try:
            self._zip = zipfile.ZipFile(path)
        except BROKEN as error:
            raise self.corrupt(f"it is no whole ZIP archive: {error}") from error
        self._names = {name.casefold(): name for name in self._zip.namelist()}  # Office ignores case

    def __contains__(self, name: str) -> bool:
        return name.casefold() in self._names

    def declared_size(self, name: str) -> int:
        """The size of a part in bytes as the archive declares it; 0 without the part."""
        found = self._names.get(name.casefold())
        return self._zip.getinfo(found).file_size if found is not None else 0

    def corrupt(self, why: str) -> RefusalError:
        """The error for a file that is damaged or of another format."""
        reason = one_line(why, MAX_REASON_CHARACTERS)  # a library's words may quote the file
        return RefusalError(
            Status.CORRUPT, f"{self.name!r} is damaged or not what its suffix says ({reason}); get a new copy"
        )

    def read(self, name: str) -> bytes:
        """One part, unpacked.

        Raises:
            RefusalError: It is missing, broken, encrypted, or larger than what is left of the limit.
        """
        found = self._names.get(name.casefold())
        if found is None:
            raise self.corrupt(f"{name!r} is missing")
        info = self._zip.getinfo(found)
        if info.flag_bits & _ENCRYPTED_FLAG:
            raise RefusalError(
                Status.NEEDS_PASSWORD,
                f"{self.name!r} is an archive with a password, which cannot be used here; save it anew",
            )
        if info.file_size > self._left:
            raise self._too_large()
        blocks = []
        try:
            with self._zip.open(info) as part:
                while block := part.read(_BLOCK_BYTES):
                    self._left -= len(block)
                    if self._left < 0:
                        raise self._too_large()
                    blocks.append(block)
        except BROKEN as error:
            raise self.corrupt(f"{name!r}: {error}") from error
        return b"".join(blocks)

    def xml(self, name: str) -> etree._Element:
        """One part as a tree.

        Raises:
            RefusalError: As for `read`, or it is not well-formed, or nested too deeply.
        """
        try:
            return parse_xml(self.read(name))
        except etree.XMLSyntaxError as error:
            raise self.corrupt(f"{name!r}: {error.msg}") from error

    def check_unpacked_size(self) -> None:
        """Check the declared size before a library unpacks the parts: zipfile never gives more than that.

        Raises:
            RefusalError: The parts declare more than the limit.
        """
        if sum(info.file_size for info in self._zip.infolist()) > self._left:
            raise self._too_large()

    def _too_large(self) -> RefusalError:
        return RefusalError(
            Status.TOO_LARGE,
            f"{self.name!r} unpacks to more than the limit of {self._limits.max_bytes} bytes; split it",
        )

    def _refuse_other_kinds(self, path: Path) -> None:
        with path.open("rb") as file:
            beginning = file.read(8)
            if beginning.startswith(b"%PDF-"):
                raise RefusalError(
                    Status.UNSUPPORTED, f"{self.name!r} is a PDF by its content; rename it to end in .pdf"
                )
            if beginning != _OLE:
                return
            file.seek(0)
            has_password = _OLE_ENCRYPTED in file.read()
        if has_password:
            raise RefusalError(
                Status.NEEDS_PASSWORD,
                f"{self.name!r} is protected by a password, which cannot be used here; save it without one",
            )
        raise RefusalError(
            Status.UNSUPPORTED,
            f"{self.name!r} is a file of an old Office program by its content; save it as .docx, .pptx or "
            ".xlsx",
        )


class OfficePackage(Archive):
    """An archive whose parts are joined by relationships, as those of Office are."""

    def related(self, source: str) -> dict[str, tuple[str, str]]:
        """The parts that a part refers to: id -> (kind, part). "" as `source` is the package itself.

        References to outside the package are left out, as nothing is fetched.
        """
        folder = posixpath.dirname(source)
        found = {}
        for element in self._relationships(source):
            kind = (element.get("Type") or "").rpartition("/")[2]
            identifier, target = element.get("Id"), element.get("Target")
            if identifier and target and element.get("TargetMode") != "External":
                found[identifier] = (kind, resolve(folder, target))
        return found

    def links(self, source: str) -> dict[str, str]:
        """The addresses outside the package that a part links to, by relationship id."""
        return {
            element.get("Id") or "": element.get("Target") or ""
            for element in self._relationships(source)
            if element.get("TargetMode") == "External"
        }

    def _relationships(self, source: str) -> Iterable[etree._Element]:
        folder, base = posixpath.split(source)
        name = posixpath.join(folder, "_rels", f"{base}.rels")
        return self.xml(name) if name in self else ()

    def part(self, source: str, kind: str) -> str | None:
        """The part of this kind that `source` refers to; None if the archive has none."""
        parts = [part for related, part in self.related(source).values() if related == kind]
        return next((part for part in parts if part in self), None)

    def main_part(self, root_name: str) -> tuple[str, etree._Element]:
        """The name and the tree of the document's main part, whose root is `root_name`.

        Raises:
            RefusalError: There is none: the archive has another format.
        """
        name = self.part("", "officeDocument")
        if name is None:
            raise self.corrupt("there is no document in it")
        root = self.xml(name)
        if local_name(root) != root_name:
            raise self.corrupt(f"its main part is {local_name(root)!r}, not {root_name!r}")
        return name, root

    def title(self) -> str | None:
        """The title in the file's properties, unchanged."""
        return self._property("core-properties", "title")

    def properties(self) -> FileProperties:
        """What the file's properties say of its author, company and subject. A broken part says nothing."""
        said: dict[str, str | None] = {}
        for ours, part, name in _PROPERTIES:
            with suppress(RefusalError):
                said[ours] = self._property(part, name)
        return cleaned_properties(**said)

    def _property(self, kind: str, name: str) -> str | None:
        part = self.part("", kind)
        if part is None:
            return None
        return next((element.text for element in self.xml(part) if local_name(element) == name), None)


def resolve(folder: str, target: str) -> str:
    """The full name of a part from its relative name `target` in a part in `folder`."""
    joined = posixpath.normpath(posixpath.join("/", folder, unquote(target)))
    return joined.lstrip("/")


def relationship_id(element: etree._Element) -> str | None:
    """The attribute `r:id`; there may also be an attribute `id` without a namespace."""
    for key, value in element.attrib.items():
        if str(key).startswith("{") and str(key).endswith("}id"):
            return str(value)
    return None
