"""Writes models into a bundle, and imports them from one."""

import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from ingestion.errors import InvalidInput, ModelError
from ingestion.storage.durable import sync_folder
from rag_app.config.folders import make_private
from rag_app.model_store.bundle import BundledModel, read_bundle, write_bundle
from rag_app.model_store.lock import LockedFile, LockedModel, ModelLock
from rag_app.model_store.manifest import ModelEntry, add_own, all_entries, read_manifest
from rag_app.model_store.pulling import PullProgress, hub_folder

# The folder of bundled models that are not on the hub.
ADDED = "added"
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_SPARE_BYTES = 200 * 2**20

OnProgress = Callable[[PullProgress], None]


def pack(
    path: Path,
    lock: ModelLock,
    held: Sequence[tuple[ModelEntry, LockedModel]],
    *,
    force: bool = False,
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> int:
    """Write models into a bundle; return its bytes. Raises InvalidInput, ModelError, Cancelled."""
    if path.exists() and not (force and path.is_file()):
        raise InvalidInput(f"{path} exists already; choose another name, or --force to replace a file")
    models = [(entry, locked, lock.root(locked)) for entry, locked in held]
    try:
        _check_space(path.absolute().parent, [locked for _, locked in held])
        return write_bundle(path, models, tell=_telling(on_progress), cancelled=cancelled)
    except OSError as error:
        name = error.filename or path
        raise ModelError(f"the bundle cannot be written: {name}: {error.strerror or error}") from error


def unpack(
    path: Path,
    lock: ModelLock,
    *,
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[ModelEntry]:
    """Import a bundle's models; return their entries here. Raises what `ModelStore.unbundle` raises."""
    if not path.is_file():
        raise InvalidInput(f"{path} is not a file; name a bundle that rag-app models bundle wrote")
    made = not lock.folder.exists()
    make_private(lock.folder)
    new = Path(tempfile.mkdtemp(prefix="unbundle-", dir=lock.folder))
    try:

        def accept(models: list[BundledModel]) -> None:
            for model in models:
                _accept(model, lock)
            _check_space(new, [model.locked for model in models])

        models = read_bundle(path, new, accept=accept, tell=_telling(on_progress), cancelled=cancelled)
        return [_place(model, new, lock) for model in models]
    except OSError as error:
        name = error.filename or path
        raise ModelError(f"the bundle cannot be imported: {name}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
        if made and not any(lock.folder.iterdir()):
            lock.folder.rmdir()


def _accept(model: BundledModel, lock: ModelLock) -> None:
    """Raise InvalidInput for a model that contradicts the lists or records here."""
    entry, locked = model.entry, model.locked
    key = entry.role, entry.name.lower()
    if entry.repo:
        if not (locked.commit and _COMMIT.fullmatch(locked.commit) and locked.source == entry.source):
            raise InvalidInput(f"the bundle's record of {entry.name!r} names no commit; make a new bundle")
    elif not entry.path and not entry.is_pulled:
        raise InvalidInput(f"{entry.name!r} is part of an installation, and may not be in a bundle")
    packaged = {(known.role, known.name.lower()): known for known in read_manifest()}.get(key)
    if packaged and packaged.source != entry.source:
        raise InvalidInput(
            f"the bundle's {entry.role} {entry.name!r} is from {entry.source}, but rag-app has that name "
            f"for {packaged.source}; bundle it under another name"
        )
    held = lock.read()
    if key in held and _hashes(held[key]) != _hashes(locked):
        raise InvalidInput(
            f"the bundle's {entry.role} {entry.name!r} differs from the record of that name here; "
            f"to replace it, first run: rag-app models remove {entry.name}"
        )
    recorded = {(other.folder, file.path): file.sha256 for other in held.values() for file in other.files}
    for file in locked.files:
        if recorded.get((_folder(model), file.path), file.sha256) != file.sha256:
            raise InvalidInput(f"the bundle's {file.path} of {entry.source} differs from the record here")


def _place(model: BundledModel, unpacked: Path, lock: ModelLock) -> ModelEntry:
    """Move a model to its folder, record it, and list it where it is not listed."""
    entry, folder = model.entry, _folder(model)
    files = []
    for file in model.locked.files:
        target = lock.folder / folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        (unpacked / str(model.number) / file.path).replace(target)
        sync_folder(target.parent)
        files.append(LockedFile(file.path, file.bytes, file.sha256, target.stat().st_mtime_ns))
    known = {(one.role, one.name.lower()): one for one in all_entries(lock.folder)}
    listed = known.get((entry.role, entry.name.lower()))
    if listed is None:
        listed = entry if entry.repo else replace(entry, source=f"file:{folder}{_within(model)}")
        add_own(lock.folder, listed)
    lock.put(replace(model.locked, source=listed.source, folder=folder, files=tuple(files)))
    return listed


def _folder(model: BundledModel) -> str:
    """Return the folder of a bundled model, relative to the models folder."""
    if model.entry.repo:
        assert model.locked.commit
        return hub_folder(model.entry.repo, model.locked.commit)
    return f"{ADDED}/{sha256(repr(sorted(_hashes(model.locked).items())).encode()).hexdigest()[:16]}"


def _within(model: BundledModel) -> str:
    """Return "/FILE" for a model whose source is one file, "" for a folder."""
    name = re.split(r"[/\\]", model.entry.location)[-1]
    files = model.locked.files
    return f"/{name}" if len(files) == 1 and files[0].path == name else ""


def _hashes(model: LockedModel) -> dict[str, str]:
    return {file.path: file.sha256 for file in model.files}


def _check_space(folder: Path, models: Sequence[LockedModel]) -> None:
    needed = sum(file.bytes for model in models for file in model.files)
    free = shutil.disk_usage(folder).free
    if free < needed + _SPARE_BYTES:
        raise ModelError(
            f"the models take {needed // 10**6} MB, and {folder} has {free // 10**6} MB free; free some space"
        )


def _telling(on_progress: OnProgress | None) -> Callable[[str, int, int], None] | None:
    if on_progress is None:
        return None
    return lambda name, done, total: on_progress(PullProgress(name, done, total))
