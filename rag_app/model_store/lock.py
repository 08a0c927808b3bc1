"""The record of fetched models, `models.lock.json`: commit and SHA-256 of every file.

A damaged GGUF file often loads without an error, so a model is used only while its files match the record.
Hashing gigabytes at every start takes too long: a file is hashed again only when its size or modification
time differs from the record.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath

from filelock import FileLock

from ingestion.errors import Cancelled, ModelError
from ingestion.regular_files import open_regular
from rag_app.config.folders import make_private
from rag_app.model_store.manifest import ModelEntry, write_whole

LOCK_FILE = "models.lock.json"
_FORMAT = 1
_BLOCK = 2**20

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class LockedFile:
    """The record of a file; `path` is relative to the model's folder, with forward slashes."""

    path: str
    bytes: int
    sha256: str
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class LockedModel:
    """The record of a model.

    Attributes:
        commit: None for a `file:` source.
        folder: Relative to the models folder where it lies inside, else absolute.
    """

    role: str
    name: str
    source: str
    commit: str | None
    folder: str
    files: tuple[LockedFile, ...]

    @property
    def key(self) -> Key:
        """The key of the record."""
        return self.role, self.name.lower()


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that differs from its record. `state` is "missing" or "damaged"."""

    file: str
    state: str
    detail: str


class ModelLock:
    """The records of a models folder. Other processes may write them at the same time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / LOCK_FILE

    def read(self) -> dict[Key, LockedModel]:
        """Return all records. Raises ModelError where the file cannot be read."""
        try:
            held = json.loads(self.path.read_text(encoding="utf-8"))
            if held["format"] != _FORMAT:
                raise ModelError(f"{self.path} has format {held['format']}, not {_FORMAT}; upgrade rag-app")
            models = [parse_locked(each) for each in held["models"]]
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise ModelError(
                f"the record of the models {self.path} cannot be read: {fault}; "
                "remove it, and pull or add the models again"
            ) from fault
        return {model.key: model for model in models}

    def of(self, entry: ModelEntry) -> LockedModel | None:
        """Return the record of an entry; None without a record from its present source."""
        found = self.read().get((entry.role, entry.name.lower()))
        return found if found and (not entry.repo or found.source == entry.source) else None

    def put(self, *models: LockedModel) -> None:
        """Record models, in place of earlier records of their names."""
        with self._changing() as held:
            held.update({model.key: model for model in models})

    def drop(self, key: Key) -> None:
        """Remove a record."""
        with self._changing() as held:
            held.pop(key, None)

    def sha256(self, file: Path) -> str | None:
        """Return the recorded hash of a file; None without a record, or for a file that looks changed."""
        file = file.resolve()
        for model in self.read().values():
            for held in model.files:
                if (self.root(model) / held.path).resolve() == file:
                    stat = file.stat()
                    unchanged = (stat.st_size, stat.st_mtime_ns) == (held.bytes, held.mtime_ns)
                    return held.sha256 if unchanged else None
        return None

    def root(self, model: LockedModel) -> Path:
        """Return the folder of a model's files."""
        return self.folder / model.folder

    def check(
        self, model: LockedModel, *, full: bool = False, cancelled: Callable[[], bool] | None = None
    ) -> list[Fault]:
        """Return the files that differ from the record.

        A file that proves whole gets its new modification time recorded.

        Args:
            full: Hash every file; else only those with another size or modification time.
        """
        faults, files = [], []
        for file in model.files:
            now, fault = _look(self.root(model), file, full, cancelled)
            files.append(now)
            faults += [fault] if fault else []
        seen = replace(model, files=tuple(files))
        if seen != model:
            with suppress(OSError):  # an unwritable folder: the next check hashes again
                self.put(seen)
        return faults

    @contextmanager
    def _changing(self) -> Iterator[dict[Key, LockedModel]]:
        make_private(self.folder)
        with FileLock(self.folder / f"{LOCK_FILE}.lock"):
            held = self.read()
            yield held
            models = [asdict(held[key]) for key in sorted(held)]
            write_whole(self.path, json.dumps({"format": _FORMAT, "models": models}, indent=1) + "\n")


def parse_locked(fields: dict[str, object]) -> LockedModel:
    """Return the record of its JSON fields.

    Raises:
        ValueError, KeyError, TypeError: A field is missing or wrong, or a file's path leaves the folder.
    """
    listed = fields["files"]
    if not isinstance(listed, list) or not listed:
        raise ValueError("a model has no files")
    files = tuple(LockedFile(**file) for file in listed)
    for file in files:
        check_relative(file.path)
        if not (isinstance(file.bytes, int) and file.bytes >= 0 and len(bytes.fromhex(file.sha256)) == 32):
            raise ValueError(f"the record of {file.path!r} is damaged")
    model = LockedModel(**{**fields, "files": files})  # type: ignore[arg-type]
    if not all(isinstance(text, str) for text in (model.role, model.name, model.source, model.folder)):
        raise ValueError("a record has no name")
    return model


def check_relative(path: str) -> None:
    """Raise ValueError for a path that may leave its folder, on any system."""
    parts = PurePosixPath(path).parts
    if not parts or path != "/".join(parts) or ".." in parts or any(c in path for c in '\\:\0"<>|?*\n\r'):
        raise ValueError(f"the path {path!r} leaves its folder")
    if path.startswith("/"):
        raise ValueError(f"the path {path!r} is absolute")


def record(root: Path, path: str, *, cancelled: Callable[[], bool] | None = None) -> LockedFile:
    """Return the record of a file as it is now. Raises OSError, Cancelled."""
    file = root / path
    stat = file.stat()
    return LockedFile(path, stat.st_size, sha256_of(file, cancelled=cancelled), stat.st_mtime_ns)


def sha256_of(file: Path, *, cancelled: Callable[[], bool] | None = None) -> str:
    """Return a file's SHA-256 as hexadecimal digits. Raises OSError, Cancelled."""
    digest = hashlib.sha256()
    with open_regular(file) as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            if cancelled and cancelled():
                raise Cancelled("checking models")
    return digest.hexdigest()


def _look(
    root: Path, file: LockedFile, full: bool, cancelled: Callable[[], bool] | None
) -> tuple[LockedFile, Fault | None]:
    """Return the record that a file may have now, and its fault."""
    path = root / file.path
    try:
        stat = path.stat()
        if stat.st_size != file.bytes:
            return file, Fault(file.path, "damaged", f"it has {stat.st_size} bytes instead of {file.bytes}")
        if not full and stat.st_mtime_ns == file.mtime_ns:
            return file, None
        found = sha256_of(path, cancelled=cancelled)
    except FileNotFoundError:
        return file, Fault(file.path, "missing", "it does not exist")
    except OSError as fault:
        return file, Fault(file.path, "damaged", f"it cannot be read: {fault.strerror or fault}")
    if found != file.sha256:
        what = f"its SHA-256 is {found} instead of {file.sha256}"
        # The time is cleared, so that the next check hashes the file again.
        return replace(file, mtime_ns=0), Fault(file.path, "damaged", what)
    return replace(file, mtime_ns=stat.st_mtime_ns), None
