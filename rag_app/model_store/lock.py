"""What was fetched, once and for all: commit and SHA-256 of every file, in `models.lock.json`.

A damaged GGUF often loads without a word, so a model is used only while its files are those recorded.
Reading gigabytes at every start would take too long: a file is hashed again only when its size or its
modification time is another than recorded.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath

from filelock import FileLock

from ingestion.errors import Cancelled, ModelError
from rag_app.model_store.manifest import ModelEntry, write_whole

LOCK_FILE = "models.lock.json"
_FORMAT = 1
_BLOCK = 2**20

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class LockedFile:
    """One file as it was recorded; `path` is relative to the model's folder, with forward slashes."""

    path: str
    bytes: int
    sha256: str
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class LockedModel:
    """One model as it was recorded.

    `folder` is relative to the models folder where it lies inside. `commit` is None for a `file:` source.
    """

    role: str
    name: str
    source: str
    commit: str | None
    folder: str
    files: tuple[LockedFile, ...]

    @property
    def key(self) -> Key:
        """What it is recorded under."""
        return self.role, self.name.lower()


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that is not as recorded, and how: "missing" or "damaged"."""

    file: str
    state: str
    detail: str


class ModelLock:
    """The record of a models folder. Other processes may write it at the same time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / LOCK_FILE

    def read(self) -> dict[Key, LockedModel]:
        """Return what is recorded. Raises ModelError where the file cannot be read."""
        try:
            held = json.loads(self.path.read_text(encoding="utf-8"))
            if held["format"] != _FORMAT:
                raise ModelError(f"{self.path} is of another version of rag-app ({held['format']}); upgrade")
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
        """Return the record of an entry, None where there is none from its present source."""
        found = self.read().get((entry.role, entry.name.lower()))
        return found if found and (not entry.repo or found.source == entry.source) else None

    def put(self, *models: LockedModel) -> None:
        """Record models, in place of what was recorded under their names."""
        with self._changing() as held:
            held.update({model.key: model for model in models})

    def drop(self, key: Key) -> None:
        """Forget a model."""
        with self._changing() as held:
            held.pop(key, None)

    def sha256(self, file: Path) -> str | None:
        """Return what is recorded of a file, None where nothing is or where it looks changed since."""
        file = file.resolve()
        for model in self.read().values():
            for held in model.files:
                if (self.root(model) / held.path).resolve() == file:
                    stat = file.stat()
                    unchanged = (stat.st_size, stat.st_mtime_ns) == (held.bytes, held.mtime_ns)
                    return held.sha256 if unchanged else None
        return None

    def root(self, model: LockedModel) -> Path:
        """Return the folder that a model's files lie in."""
        return self.folder / model.folder

    def check(
        self, model: LockedModel, *, full: bool = False, cancelled: Callable[[], bool] | None = None
    ) -> list[Fault]:
        """Return what is not as recorded; `full` hashes every file, else only those that look changed.

        The new modification time of a file that proved whole is recorded.
        """
        faults, files = [], []
        for file in model.files:
            now, fault = _look(self.root(model), file, full, cancelled)
            files.append(now)
            faults += [fault] if fault else []
        seen = replace(model, files=tuple(files))
        if seen != model:
            with suppress(OSError):  # a folder that cannot be written: it is hashed again next time
                self.put(seen)
        return faults

    @contextmanager
    def _changing(self) -> Iterator[dict[Key, LockedModel]]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(self.folder / f"{LOCK_FILE}.lock"):
            held = self.read()
            yield held
            models = [asdict(held[key]) for key in sorted(held)]
            write_whole(self.path, json.dumps({"format": _FORMAT, "models": models}, indent=1) + "\n")


def parse_locked(fields: dict[str, object]) -> LockedModel:
    """Return the record that its JSON fields say.

    Raises ValueError, KeyError or TypeError; a file's path that leaves the folder is one of the reasons.
    """
    listed = fields["files"]
    if not isinstance(listed, list) or not listed:
        raise ValueError("a model without files")
    files = tuple(LockedFile(**file) for file in listed)
    for file in files:
        check_relative(file.path)
        if not (isinstance(file.bytes, int) and file.bytes >= 0 and len(bytes.fromhex(file.sha256)) == 32):
            raise ValueError(f"the record of {file.path!r} is damaged")
    model = LockedModel(**{**fields, "files": files})  # type: ignore[arg-type]
    if not all(isinstance(text, str) for text in (model.role, model.name, model.source, model.folder)):
        raise ValueError("a record without a name")
    return model


def check_relative(path: str) -> None:
    """Raise ValueError for a path that could lead out of its folder, on any system."""
    parts = PurePosixPath(path).parts
    if not parts or path != "/".join(parts) or ".." in parts or any(c in path for c in '\\:\0"<>|?*\n\r'):
        raise ValueError(f"the path {path!r} does not stay in its folder")
    if path.startswith("/"):
        raise ValueError(f"the path {path!r} is absolute")


def record(root: Path, path: str, *, cancelled: Callable[[], bool] | None = None) -> LockedFile:
    """Return a file as it is now. Raises OSError, Cancelled."""
    file = root / path
    stat = file.stat()
    return LockedFile(path, stat.st_size, sha256_of(file, cancelled=cancelled), stat.st_mtime_ns)


def sha256_of(file: Path, *, cancelled: Callable[[], bool] | None = None) -> str:
    """Return a file's SHA-256 as hexadecimal digits. Raises OSError, Cancelled."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            if cancelled and cancelled():
                raise Cancelled("checking models")
    return digest.hexdigest()


def _look(
    root: Path, file: LockedFile, full: bool, cancelled: Callable[[], bool] | None
) -> tuple[LockedFile, Fault | None]:
    """Return the file as it may be recorded now, and what is wrong with it."""
    path = root / file.path
    try:
        stat = path.stat()
        if stat.st_size != file.bytes:
            return file, Fault(file.path, "damaged", f"it has {stat.st_size} bytes instead of {file.bytes}")
        if not full and stat.st_mtime_ns == file.mtime_ns:
            return file, None
        found = sha256_of(path, cancelled=cancelled)
    except FileNotFoundError:
        return file, Fault(file.path, "missing", "it is not there")
    except OSError as fault:
        return file, Fault(file.path, "damaged", f"it cannot be read: {fault.strerror or fault}")
    if found != file.sha256:
        what = f"its SHA-256 is {found} instead of {file.sha256}"
        # Without the old time, or the next look would take the file for whole again.
        return replace(file, mtime_ns=0), Fault(file.path, "damaged", what)
    return replace(file, mtime_ns=stat.st_mtime_ns), None
