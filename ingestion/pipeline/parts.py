"""Files inside files: each is a document of its own, known by its container's path and its name in there.

    /home/ada/offer.pdf  holds  terms.txt   →   /home/ada/offer.pdf › terms.txt

A part comes, moves and goes with its container.
"""

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from ingestion.documents import ParsedDocument, Status
from ingestion.parsing import SUPPORTED_SUFFIXES, ParseLimits, parse, unpack
from ingestion.storage.originals import Source, hash_file
from ingestion.text.names import INSIDE

# A part of a part of a file is read; what lies deeper is named in a warning.
MAX_DEPTH = 2


@dataclass(frozen=True, slots=True)
class ContainedFile:
    """A file inside another, read: what it is known by, and its text."""

    source: Source
    parsed: ParsedDocument


def part_of(container: str, name: str) -> str:
    """Return the path, or the name, of a part by that of its container."""
    return f"{container}{INSIDE}{name}"


def with_absent_parts(parsed: ParsedDocument, source: Source, known: Container[str]) -> ParsedDocument:
    """Return a file that was read without the files inside it, with a warning for each of these whose path is
    not `known`."""
    absent = [name for name in parsed.attachments if part_of(source.path, name) not in known]
    warnings = (
        _absence(part_of(source.name, name), "ingest its container again to add it") for name in absent
    )
    return replace(parsed, warnings=(*parsed.warnings, *warnings))


def _absence(name: str, reason: str) -> str:
    return f"The attached file {name!r} is not in the library: {reason}."


class PartsReader:
    """Reads what lies inside one file, into a folder that must outlive what is made of it."""

    def __init__(
        self,
        folder: Path,
        *,
        password: str | None,
        limits: ParseLimits,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self._folder = folder
        self._password = password
        self._limits = limits
        self._cancelled = cancelled
        self._unpacked = 0
        self._bytes_left = limits.max_bytes  # of all that is unpacked: archives lie in archives
        self._characters = 0
        self.warnings: list[str] = []  # of the container: which parts are not read, and why

    def read(self, source: Source, parsed: ParsedDocument, depth: int = 1) -> Iterator[ContainedFile]:
        """Yield the parts of a file that have text, and theirs. Raises Cancelled."""
        if not parsed.attachments or source.file is None:
            return
        if depth > MAX_DEPTH:
            self._leave_out(source.name, "files inside it are not read: it lies too deep")
            return
        place = self._folder / str(self._unpacked)
        self._unpacked += 1
        place.mkdir(mode=0o700, parents=True)
        found = unpack(
            source.file,
            place,
            limits=replace(self._limits, max_bytes=max(1, self._bytes_left)),
            password=self._password,
            cancelled=self._cancelled,
        )
        self._bytes_left -= sum(one.file.stat().st_size for one in found if one.file is not None)
        for name in parsed.attachments:
            file = next((one.file for one in found if one.name == name), None)
            yield from self._read(source, name, file, depth)

    def _read(self, container: Source, name: str, file: Path | None, depth: int) -> Iterator[ContainedFile]:
        known_as = part_of(container.name, name)
        if PurePath(name).suffix.lower() not in SUPPORTED_SUFFIXES:
            self._leave_out(known_as, "files of its type are not read")
            return
        if file is None:
            self._leave_out(known_as, "it is empty, damaged or too large")
            return
        parsed = parse(file, limits=self._limits, password=self._password, cancelled=self._cancelled)
        sha256, size = hash_file(file)
        source = Source(part_of(container.path, name), known_as, sha256, size, file)
        characters = sum(len(page.text) for page in parsed.pages)
        if self._characters + characters > self._limits.max_characters:
            most = f"{self._limits.max_characters:,} characters"
            self._leave_out(known_as, f"the files inside its container have more than {most} together")
            return
        self._characters += characters
        if parsed.status in (Status.OK, Status.PARTIAL):
            yield ContainedFile(source, parsed)
        else:
            self._leave_out(known_as, parsed.error or parsed.status.replace("_", " "))
        yield from self.read(source, parsed, depth + 1)

    def _leave_out(self, name: str, reason: str) -> None:
        self.warnings.append(_absence(name, reason))
