"""The format of a bundle, one file with models for a machine without a network.

A bundle is an uncompressed tar, because weights do not compress. It begins with `bundle.json`, which has each
model's line of models.txt and its record; the files follow in that order, as `MODEL NUMBER/PATH`. A reader
takes only regular files that the first member names, in its order and with its sizes, so a bundle cannot
write anywhere else.
"""

import hashlib
import json
import os
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from ingestion.errors import Cancelled, InvalidInput, ModelError
from ingestion.storage.durable import sync_folder
from rag_app.model_store.lock import LockedModel, check_relative, parse_locked
from rag_app.model_store.manifest import ModelEntry, parse_line

_FORMAT = 1
_INDEX = "bundle.json"
_MOST_INDEX_BYTES = 10 * 2**20
_BLOCK = 2**20

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class BundledModel:
    """One model of a bundle; `number` is its folder in the bundle."""

    number: int
    entry: ModelEntry
    locked: LockedModel


def write_bundle(
    path: Path,
    models: Sequence[tuple[ModelEntry, LockedModel, Path]],
    *,
    tell: Tell | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> int:
    """Write models, each with the folder of its files, into a new file; return its bytes.

    Raises:
        ModelError: A file differs from its record.
        Cancelled, OSError: As for ModelError, no file is left.
    """
    listed = [{"line": entry.line, "locked": asdict(locked)} for entry, locked, _ in models]
    index = json.dumps({"format": _FORMAT, "models": listed}).encode()
    total = sum(file.bytes for _, locked, _ in models for file in locked.files)
    new, done = path.with_name(f"{path.name}.new"), 0
    try:
        with open(new, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as stream:
            with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
                tar.addfile(_member(_INDEX, len(index)), BytesIO(index))
                for number, (entry, locked, root) in enumerate(models):
                    for file in locked.files:
                        with (root / file.path).open("rb") as source:
                            reader = _Counted(source, done, total, entry.name, tell, cancelled)
                            _expect_size(root / file.path, file.bytes)
                            tar.addfile(_member(f"{number}/{file.path}", file.bytes), reader)
                        done += file.bytes
                        if reader.digest.hexdigest() != file.sha256:
                            raise ModelError(_not_recorded(root / file.path))
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(path)
        sync_folder(path.absolute().parent)
    finally:
        new.unlink(missing_ok=True)
    return path.stat().st_size


def read_bundle(
    path: Path,
    folder: Path,
    *,
    accept: Callable[[list[BundledModel]], None],
    tell: Tell | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[BundledModel]:
    """Unpack a bundle into an empty folder, as `NUMBER/PATH`, check every hash, and return its models.

    Args:
        accept: Gets the list before anything is unpacked, and raises to refuse it.

    Raises:
        InvalidInput: The file is no bundle, or damaged or hostile.
        Cancelled, OSError: The folder may hold a part of the files.
    """
    try:
        with tarfile.open(path, mode="r:") as tar:
            members = iter(tar)
            models = _index(tar, members)
            accept(models)
            total = sum(file.bytes for model in models for file in model.locked.files)
            done = 0
            for model in models:
                for file in model.locked.files:
                    member = _next(members, f"{model.number}/{file.path}", file.bytes)
                    source = tar.extractfile(member)
                    assert source
                    reader = _Counted(source, done, total, model.entry.name, tell, cancelled)
                    _unpack(reader, folder / str(model.number) / file.path)
                    done += file.bytes
                    if reader.digest.hexdigest() != file.sha256:
                        raise InvalidInput(f"the bundle {path} is damaged: {file.path} has another SHA-256")
            if extra := next(members, None):
                raise InvalidInput(f"the bundle {path} holds {extra.name!r}, which its list does not name")
            return models
    except (tarfile.TarError, EOFError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} is no bundle of models, or damaged: {error}") from error
    except _NotInList as error:
        raise InvalidInput(f"the bundle {path} is damaged or hostile: {error}") from error


class _NotInList(ValueError):
    """A member differs from the list."""


class _Counted:
    """Reads a file, hashes it, and reports progress."""

    def __init__(
        self,
        stream: IO[bytes],
        done: int,
        total: int,
        name: str,
        tell: Tell | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self.digest = hashlib.sha256()
        self._stream, self._done, self._total, self._name = stream, done, total, name
        self._tell, self._cancelled = tell, cancelled

    def read(self, size: int = -1) -> bytes:
        if self._cancelled and self._cancelled():
            raise Cancelled("the bundle")
        block = self._stream.read(size)
        self.digest.update(block)
        self._done += len(block)
        if self._tell and block:
            self._tell(self._name, self._done, self._total)
        return block


def _index(tar: tarfile.TarFile, members: Iterator[tarfile.TarInfo]) -> list[BundledModel]:
    """Return the models that the first member lists, after a check that their paths stay in the folder."""
    first = next(members, None)
    if first is None or first.name != _INDEX or not first.isreg() or first.size > _MOST_INDEX_BYTES:
        raise _NotInList(f"it does not begin with {_INDEX}")
    source = tar.extractfile(first)
    assert source
    try:
        held: dict[str, Any] = json.loads(source.read())
        if held["format"] != _FORMAT:
            raise _NotInList(f"it has format {held['format']}, not {_FORMAT}; upgrade rag-app")
        models = [
            BundledModel(number, parse_line(each["line"]), parse_locked(each["locked"]))
            for number, each in enumerate(held["models"])
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise _NotInList(f"its list cannot be read: {error}") from error
    for model in models:
        if (model.entry.role, model.entry.name) != (model.locked.role, model.locked.name):
            raise _NotInList(f"{model.entry.name!r} and its record differ")
        for file in model.locked.files:
            check_relative(file.path)
    return models


def _next(members: Iterator[tarfile.TarInfo], name: str, size: int) -> tarfile.TarInfo:
    member = next(members, None)
    if member is None:
        raise _NotInList(f"it ends before {name}")
    if member.name != name or member.size != size or not member.isreg():
        raise _NotInList(f"it holds {member.name!r} where its list says {name}, of {size} bytes")
    return member


def _unpack(source: _Counted, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as stream:
        while block := source.read(_BLOCK):
            stream.write(block)
        stream.flush()
        os.fsync(stream.fileno())


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member


def _expect_size(path: Path, size: int) -> None:
    if path.stat().st_size != size:
        raise ModelError(_not_recorded(path))


def _not_recorded(path: Path) -> str:
    return f"{path} differs from its record; run rag-app models verify, and repair the model first"
