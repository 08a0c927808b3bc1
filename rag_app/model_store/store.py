"""What a person does with models: list, pull, verify, add, remove, use, carry them to another machine."""

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from ingestion.errors import InvalidInput, ModelError, UnknownName
from rag_app.model_store import bundle_import
from rag_app.model_store.adding import described
from rag_app.model_store.choosing import SETTING, write_setting
from rag_app.model_store.lock import Fault, LockedModel, ModelLock
from rag_app.model_store.manifest import (
    ROLES,
    ModelEntry,
    add_own,
    all_entries,
    own_entries,
    remove_own,
)
from rag_app.model_store.memory import Fit, memory_here
from rag_app.model_store.puller import PART
from rag_app.model_store.pulling import PullProgress, fetch
from rag_app.model_store.resolving import resolve

if TYPE_CHECKING:
    from rag_app.config.settings import Settings

OnProgress = Callable[[PullProgress], None]
Cancelled = Callable[[], bool]


class Presence(StrEnum):
    """Where a model stands on this machine."""

    BUILT_IN = "built in"
    VERIFIED = "verified"
    CHANGED = "changed"  # not what was recorded; not used
    UNRECORDED = "unrecorded"  # in the Hugging Face cache of this machine, where nothing is recorded
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class ModelState:
    """A model of the lists. `bytes` is what it takes in the models folder."""

    entry: ModelEntry
    presence: Presence
    added: bool
    in_use: bool
    fit: Fit
    bytes: int
    commit: str | None


@dataclass(frozen=True, slots=True)
class Verified:
    """A recorded model and what is wrong with its files."""

    model: LockedModel
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Used:
    """What `use` did: `setting` was written into `file`, or `command` is what remains to be run.

    `overridden_by` is a variable that the setting has no effect beside.
    """

    entry: ModelEntry
    fit: Fit
    setting: str | None
    file: Path | None
    overridden_by: str | None
    command: str | None


class ModelStore:
    """The models of a person's data folder. Needs no library, and takes no lock of one."""

    def __init__(self, settings: "Settings") -> None:
        self.settings = settings
        self.folder = settings.models_folder
        self.lock = ModelLock(self.folder)

    def states(self) -> list[ModelState]:
        """Return every model that is known here. Raises ModelError where a list or record is damaged."""
        own = {(entry.role, entry.name) for entry in own_entries(self.folder)}
        locked, memory = self.lock.read(), memory_here()
        states = []
        for entry in all_entries(self.folder):
            held = self.lock.of(entry)
            known = locked.get((entry.role, entry.name.lower())) if held else None
            states.append(
                ModelState(
                    entry,
                    self._presence(entry, held),
                    (entry.role, entry.name) in own,
                    self._in_use(entry),
                    memory.fit(entry.memory_mb * 10**6) if entry.memory_mb else Fit.UNKNOWN,
                    sum(file.bytes for file in held.files) if held else 0,
                    known.commit if known else None,
                )
            )
        return states

    def entry(self, name: str, role: str | None = None) -> ModelEntry:
        """Return the model of a name. Raises UnknownName, InvalidInput where two roles have the name."""
        if role is not None and role not in ROLES:
            raise UnknownName("role", role, ROLES)
        entries = [entry for entry in all_entries(self.folder) if role in (None, entry.role)]
        wanted = name.lower()
        found = [entry for entry in entries if entry.name.lower() == wanted]
        found = found or [entry for entry in entries if (entry.repo or "").lower() == wanted]
        if not found:
            advice = "rag-app models add takes up another one"
            raise UnknownName(role or "model", name, {entry.name for entry in entries}, advice=advice)
        if len(found) > 1:
            roles = ", ".join(entry.role for entry in found)
            raise InvalidInput(f"{name!r} is the name of several models ({roles}); say which with --role")
        return found[0]

    def pull(
        self,
        name: str,
        *,
        role: str | None = None,
        on_progress: OnProgress | None = None,
        cancelled: Cancelled | None = None,
    ) -> LockedModel:
        """Fetch a model from the hub, or what is missing of it. A whole one is not asked for again.

        Raises what `entry` raises, InvalidInput for a model that is not on the hub, ModelError, Cancelled.
        """
        entry = self.entry(name, role)
        if not entry.repo:
            raise InvalidInput(
                f"the {entry.role} {entry.name!r} is on this machine; there is nothing to pull"
            )
        held = self.lock.of(entry)
        if held and not self.lock.check(held, full=True, cancelled=cancelled):
            return held
        return fetch(self.lock, entry, on_progress=on_progress, cancelled=cancelled)

    def verify(
        self, names: Sequence[str] = (), *, role: str | None = None, cancelled: Cancelled | None = None
    ) -> list[Verified]:
        """Hash every file of the named models, by default of all that are recorded.

        Raises UnknownName, InvalidInput for one that nothing is recorded of, Cancelled.
        """
        models = list(self.lock.read().values()) if not names else [self._held(n, role)[1] for n in names]
        return [
            Verified(model, tuple(self.lock.check(model, full=True, cancelled=cancelled))) for model in models
        ]

    def add(
        self,
        name: str,
        *,
        role: str,
        source: str,
        files: Sequence[str] = (),
        cancelled: Cancelled | None = None,
    ) -> ModelEntry:
        """List another model: `file:PATH`, which is hashed and recorded, or `hf:OWNER/REPO[@REV]`.

        Raises InvalidInput for a name that is taken or a source that cannot be listed, ModelError.
        """
        if role not in ROLES:
            raise UnknownName("role", role, ROLES)
        for known in all_entries(self.folder):
            if (known.role, known.name.lower()) == (role, name.strip().lower()):
                raise InvalidInput(f"there is a {role} named {known.name!r} already; choose another name")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        entry, locked = described(name, role, source, tuple(files), cancelled)
        add_own(self.folder, entry)
        if locked:
            self.lock.put(locked)
        return entry

    def remove(self, name: str, *, role: str | None = None) -> tuple[ModelEntry, int]:
        """Forget a model, and delete its files where they lie in the models folder.

        Returns it, and the bytes that were freed. Raises InvalidInput for a built-in one and for one that is
        not here.
        """
        entry = self.entry(name, role)
        key = entry.role, entry.name.lower()
        held = self.lock.read().get(key)
        added = entry.name in {own.name for own in own_entries(self.folder) if own.role == entry.role}
        if not entry.repo and not added:
            raise InvalidInput(f"the {entry.role} {entry.name!r} is built in; it cannot be removed")
        if not held and not added:
            raise InvalidInput(f"the {entry.role} {entry.name!r} was not pulled; there is nothing to remove")
        self.lock.drop(key)  # first: what is listed as here is whole
        freed = self._delete(held) if held else 0
        if entry.repo:
            for part in (self.folder / "hub" / entry.repo.replace("/", "--")).glob(f"*{PART}"):
                shutil.rmtree(part)
        if added:
            remove_own(self.folder, entry)
        return entry, freed

    def use(self, name: str, *, role: str | None = None) -> Used:
        """Write a model into the settings file, or return the command that encodes passages with it.

        Raises ModelError where it is not on this machine, InvalidInput where the file cannot be read.
        """
        entry = self.entry(name, role)
        resolve(entry.name, role=entry.role, folder=self.folder)
        fit = memory_here().fit(entry.memory_mb * 10**6) if entry.memory_mb else Fit.UNKNOWN
        setting = SETTING.get(entry.role)
        if setting is None:
            builtin = not entry.repo and entry not in own_entries(self.folder)
            made = f"rag-app reindex --representation {quote(entry.name)} --model {quote(entry.name)}"
            return Used(entry, fit, None, None, None, None if builtin else made)
        file = write_setting(setting, entry.name)
        variable = f"RAG_APP_{setting.upper()}"
        overridden = variable if os.environ.get(variable) else None
        if overridden is None:
            self.settings = self.settings.model_copy(update={setting: entry.name})
        return Used(entry, fit, setting, file, overridden, None)

    def bundle(
        self,
        path: Path,
        names: Sequence[str] = (),
        *,
        force: bool = False,
        on_progress: OnProgress | None = None,
        cancelled: Cancelled | None = None,
    ) -> tuple[list[ModelEntry], int]:
        """Write models, by default all that are recorded, into one file; returns them and its bytes.

        Raises InvalidInput, UnknownName, ModelError, Cancelled; then there is no file, or the old one.
        """
        held = [self._held(name) for name in names]
        if not names:
            pairs = ((entry, self.lock.of(entry)) for entry in all_entries(self.folder))
            held = [(entry, locked) for entry, locked in pairs if locked]
        if not held:
            raise InvalidInput("no model was pulled or added, so there is nothing to carry")
        written = bundle_import.pack(
            path, self.lock, held, force=force, on_progress=on_progress, cancelled=cancelled
        )
        return [entry for entry, _ in held], written

    def unbundle(
        self, path: Path, *, on_progress: OnProgress | None = None, cancelled: Cancelled | None = None
    ) -> list[ModelEntry]:
        """Take up the models of a bundle; returns them. Nothing is changed before all of it is checked.

        Raises InvalidInput for a damaged or hostile bundle and for one that contradicts what is recorded
        here, ModelError, Cancelled.
        """
        return bundle_import.unpack(path, self.lock, on_progress=on_progress, cancelled=cancelled)

    def _held(self, name: str, role: str | None = None) -> tuple[ModelEntry, LockedModel]:
        entry = self.entry(name, role)
        locked = self.lock.of(entry)
        if locked is None:
            advice = f"run: rag-app models pull {entry.name}" if entry.repo else "it came with rag-app"
            raise InvalidInput(f"nothing is recorded of the {entry.role} {entry.name!r}; {advice}")
        return entry, locked

    def _presence(self, entry: ModelEntry, held: LockedModel | None) -> Presence:
        if held:
            return Presence.CHANGED if self.lock.check(held) else Presence.VERIFIED
        try:
            resolve(entry.name, role=entry.role, folder=self.folder)
        except ModelError:
            return Presence.ABSENT
        return Presence.UNRECORDED if entry.repo else Presence.BUILT_IN

    def _in_use(self, entry: ModelEntry) -> bool:
        setting = SETTING.get(entry.role)
        if setting is None:  # what a library was encoded with besides, only the library knows
            return not entry.repo and entry not in own_entries(self.folder)
        value = getattr(self.settings, setting)
        return bool(value) and value.lower() in (entry.name.lower(), (entry.repo or entry.name).lower())

    def _delete(self, model: LockedModel) -> int:
        """Delete a model's files that no other model shares; returns their bytes."""
        root = self.lock.root(model)
        if not root.is_relative_to(self.folder):
            return 0
        shared = {
            file.path for other in self.lock.read().values() if other.folder == model.folder
            for file in other.files
        }  # fmt: skip
        freed = 0
        for file in model.files:
            if file.path in shared:
                continue
            (root / file.path).unlink(missing_ok=True)
            freed += file.bytes
        for folder in sorted((root, *(f for f in root.rglob("*") if f.is_dir())), reverse=True):
            with suppress(OSError):  # not empty
                folder.rmdir()
        return freed
