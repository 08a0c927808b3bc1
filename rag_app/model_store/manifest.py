"""The lists of models: the application's `models.txt`, and a person's own in their models folder."""

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from ingestion.errors import InvalidInput, ModelError
from ingestion.regular_files import private_file
from ingestion.storage.durable import sync_folder

ROLES = ("embedder", "colbert", "reranker", "llm")
SCHEMES = ("package", "file", "hf")
FIELDS = ("role", "name", "source", "files", "licence", "download MB", "memory MB", "note")
SEPARATOR = " | "

OWN_MANIFEST = "models.txt"
_OWN_HEAD = "# Models that were added here; the packaged models.txt describes the fields.\n"
# The hub's names; they become folder names too.
_REPO = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*(@[\w-][\w./-]*)?", re.ASCII)

PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One line of models.txt, whose head describes the fields. Sizes are in 10^6 bytes."""

    role: str
    name: str
    source: str
    files: tuple[str, ...]
    licence: str
    download_mb: int
    memory_mb: int
    note: str

    @property
    def location(self) -> str:
        """The source without its scheme and revision: a package, a path, or OWNER/REPO."""
        where = self.source.partition(":")[2]
        return where.partition("@")[0] if self.source.startswith("hf:") else where

    @property
    def repo(self) -> str | None:
        """OWNER/REPO on the hub; None for a model that is not on the hub."""
        return self.location if self.source.startswith("hf:") else None

    @property
    def is_pulled(self) -> bool:
        """Whether `models pull` puts its files, from the hub or a package, into the models folder."""
        return self.repo is not None or (self.role == "llm" and self.source.startswith("package:"))

    @property
    def revision(self) -> str | None:
        """The commit, tag or branch that the source names; None without one."""
        return (self.source.partition("@")[2] or None) if self.repo else None

    @property
    def path(self) -> Path | None:
        """The path of a `file:` source; None for other sources."""
        return PACKAGE.parent / self.location if self.source.startswith("file:") else None

    @property
    def line(self) -> str:
        """The line of models.txt for this entry."""
        head, sizes = (self.role, self.name, self.source), (str(self.download_mb), str(self.memory_mb))
        return SEPARATOR.join((*head, " ".join(self.files), self.licence, *sizes, self.note))


def manifest_path() -> Path:
    """Return the packaged models.txt: inside the package in a wheel, above it in a source checkout."""
    packaged = PACKAGE / "models.txt"
    return packaged if packaged.is_file() else PACKAGE.parent / "models.txt"


def read_manifest(path: Path | None = None) -> tuple[ModelEntry, ...]:
    """Return the entries of a manifest in its order, by default of the packaged one.

    Raises:
        ModelError: The file cannot be read, or a line is wrong; it names file, line and fault.
    """
    path = path or manifest_path()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise ModelError(f"cannot read the list of models {path}: {fault}; reinstall rag-app") from fault
    entries: dict[tuple[str, str], ModelEntry] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            entry = parse_line(line)
        except ValueError as fault:
            raise ModelError(f"{path}, line {number}: {fault}") from fault
        key = entry.role, entry.name.lower()
        if key in entries:
            raise ModelError(
                f"{path}, line {number}: the {entry.role} {entry.name!r} is listed twice; remove a line"
            )
        entries[key] = entry
    return tuple(entries.values())


def parse_line(line: str) -> ModelEntry:
    """Return the entry of a line. Raises ValueError, which names the fault."""
    cells = [cell.strip() for cell in line.split(SEPARATOR)]
    if len(cells) != len(FIELDS):
        raise ValueError(f"{len(cells)} fields instead of {len(FIELDS)} ({SEPARATOR.join(FIELDS)})")
    for field, cell in zip(FIELDS[:-1], cells, strict=False):
        if not cell:
            raise ValueError(f"the field {field!r} is empty")
    role, name, source, files, licence, download, memory, note = cells
    if role not in ROLES:
        raise ValueError(f"unknown role {role!r}; roles are {', '.join(ROLES)}")
    scheme, _, location = source.partition(":")
    if scheme not in SCHEMES or not location:
        raise ValueError(f"unknown source {source!r}; sources are package:NAME, file:PATH and hf:OWNER/REPO")
    if scheme == "hf" and not _REPO.fullmatch(location):
        raise ValueError(f"the source {source!r} is not of the form hf:OWNER/REPO or hf:OWNER/REPO@REVISION")
    sizes = {"download MB": download, "memory MB": memory}
    for field, size in sizes.items():
        if not (size.isascii() and size.isdigit()):
            raise ValueError(f"{field} is {size!r}, not a whole number")
    return ModelEntry(role, name, source, tuple(files.split()), licence, int(download), int(memory), note)


def own_entries(folder: Path) -> tuple[ModelEntry, ...]:
    """Return the models that a person added to a models folder; relative paths start there.

    Raises ModelError like `read_manifest`.
    """
    path = folder / OWN_MANIFEST
    if not path.is_file():
        return ()
    return tuple(
        replace(entry, source=f"file:{(folder / entry.location).absolute()}") if entry.path else entry
        for entry in read_manifest(path)
    )


def all_entries(folder: Path | None = None) -> tuple[ModelEntry, ...]:
    """Return the packaged models, then the added ones without those that have a packaged model's name."""
    packaged = read_manifest()
    taken = {(entry.role, entry.name.lower()) for entry in packaged}
    own = own_entries(folder) if folder else ()
    return (*packaged, *(entry for entry in own if (entry.role, entry.name.lower()) not in taken))


def add_own(folder: Path, entry: ModelEntry) -> None:
    """Append an entry to the person's own models.txt. Raises InvalidInput for one that no line can hold."""
    try:
        held = parse_line(entry.line)
    except ValueError as fault:
        raise InvalidInput(f"this model cannot be listed: {fault}") from fault
    if held != entry or len(entry.line.splitlines()) != 1 or entry.line.lstrip().startswith("#"):
        raise InvalidInput(f"name, source and note may not contain a line break or {SEPARATOR.strip()!r}")
    path = folder / OWN_MANIFEST
    before = path.read_text(encoding="utf-8") if path.is_file() else _OWN_HEAD
    write_whole(path, before + ("" if before.endswith("\n") else "\n") + entry.line + "\n")


def remove_own(folder: Path, entry: ModelEntry) -> None:
    """Remove an entry from the person's own models.txt; other lines and comments stay."""
    path = folder / OWN_MANIFEST
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    write_whole(path, "".join(line for line in lines if not _names(line, entry)))


def write_whole(path: Path, text: str) -> None:
    """Write a file in one step: after a fault the old or the new file is there."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with private_file(new) as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(path)
    sync_folder(path.parent)


def _names(line: str, entry: ModelEntry) -> bool:
    cells = [cell.strip() for cell in line.split(SEPARATOR)]
    return cells[0] == entry.role and len(cells) > 1 and cells[1].lower() == entry.name.lower()
