"""Folders: what there is to ingest, what has changed since, and what is changing now."""

import os
import stat
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingestion.documents import Status
from ingestion.errors import InvalidInput
from ingestion.library import Library
from ingestion.parsing import READ_SUFFIXES, SUPPORTED_SUFFIXES
from ingestion.pipeline.reuse import is_current
from ingestion.storage.catalogue.records import Document
from ingestion.storage.originals import hash_file, readable
from ingestion.text.leftovers import PassedOver, Unreadable, leftover_kind, passed_over_kind
from ingestion.text.names import as_on_disk, composed, is_gone


@dataclass(frozen=True, slots=True)
class Listing:
    """The files to ingest, in order, what could not be searched for them, and what is no document."""

    files: tuple[Path, ...]
    unreadable: tuple[Unreadable, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """What makes a collection hold what a folder holds.

    `add` are files that are not known, `replace` those to be read again: their bytes have changed, or
    they were read in part, or read or cut by an older version. `remove` are paths of documents whose files
    are gone.
    """

    folder: Path
    collection: str
    add: tuple[Path, ...] = ()
    replace: tuple[Path, ...] = ()
    unchanged: tuple[Path, ...] = ()
    remove: tuple[str, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What has happened in a folder: files that are new or other than before, paths that are gone, and new
    folders that cannot be read.

    A path that is gone may have been a folder, and a change may be missed while the machine is busy, so
    that they say when to `sync` rather than what to do.
    """

    changed: tuple[Path, ...]
    gone: tuple[Path, ...]
    unreadable: tuple[Unreadable, ...] = ()


# Finding


def find_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files to ingest: named files as they are, folders searched for supported ones.

    Hidden files and folders are passed over, as are links to folders, leftovers of programs and empty
    files. Raises InvalidInput for a folder with nothing to ingest or to pass over.
    """
    return list(list_files(paths).files)


def list_files(paths: Sequence[Path]) -> Listing:
    """Return what `find_files` does, and what could not be searched. Raises InvalidInput as it does."""
    files: dict[Path, None] = {}
    unreadable: list[Unreadable] = []
    passed_over: list[PassedOver] = []
    for path in map(as_on_disk, paths):
        if not _is_folder(path):
            files[path.absolute()] = None
            continue
        listing = list_folder(path.absolute())
        if not (listing.files or listing.unreadable or listing.passed_over):
            raise InvalidInput(
                f"the folder {path} holds nothing to ingest; files that can be read end in {READ_SUFFIXES}"
            )
        files.update(dict.fromkeys(listing.files))
        unreadable.extend(listing.unreadable)
        passed_over.extend(listing.passed_over)
    return Listing(tuple(files), tuple(unreadable), tuple(dict.fromkeys(passed_over)))


def list_folder(folder: Path) -> Listing:
    """Return the supported files of a folder and of those below it, sorted by path."""
    files: list[Path] = []
    unreadable: list[Unreadable] = []
    passed_over: list[PassedOver] = []
    open_folders = [folder]
    while open_folders:
        current = open_folders.pop()
        try:
            entries = list(os.scandir(current))
        except OSError as error:
            unreadable.append(_unreadable(current, error))
            continue
        for entry in entries:
            path = current / entry.name
            try:
                kind = _passed_over_kind(entry)
                if kind is not None:
                    passed_over.append(PassedOver(readable(str(path)), kind))
                elif entry.name.startswith("."):
                    continue
                elif entry.is_dir(follow_symlinks=False):
                    open_folders.append(path)
                elif _is_supported(entry.name) and stat.S_ISREG(entry.stat().st_mode):
                    files.append(path)
            except FileNotFoundError:
                continue  # gone since, or a link to nothing
            except OSError as error:  # a loop of links
                unreadable.append(_unreadable(path, error))
    passed_over.sort(key=lambda one: one.path)
    return Listing(tuple(sorted(files)), tuple(unreadable), tuple(passed_over))


def _passed_over_kind(entry: "os.DirEntry[str]") -> str | None:
    """Return why an entry of a folder is not read: it is a leftover, or an empty file of a type that is."""
    if entry.is_dir(follow_symlinks=False):
        return leftover_kind(entry.name) if _holds_download(entry.name) else None
    if not _is_supported(entry.name):
        return leftover_kind(entry.name)
    state = entry.stat()
    return passed_over_kind(entry.name, state.st_size) if stat.S_ISREG(state.st_mode) else None


def _holds_download(folder: str) -> bool:
    """Return whether a browser keeps a file in this folder, as report.pdf.download, until it is whole."""
    return folder.lower().endswith(".download") and _is_supported(Path(folder).stem)


def _is_supported(name: str) -> bool:
    return Path(name).suffix.lower() in SUPPORTED_SUFFIXES


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # no right to look, a NUL in the name: it is refused as a file
        return False


def _unreadable(path: Path, error: OSError) -> Unreadable:
    return Unreadable(readable(str(path)), error.strerror or str(error))


# Following


def sync(library: Library, folder: Path, collection: str) -> SyncPlan:
    """Return what makes the collection hold what the folder holds; nothing is changed yet.

    Only documents whose path lies under the folder are looked at. What could not be searched counts as
    there. Raises InvalidInput where the folder cannot be read, or has lost every file that is known from
    it: a drive that is not there looks like that.
    """
    root = _root(folder)
    listing = list_folder(root)
    collection_id = library.catalogue.collections().get(collection)
    known = _known(library, root, collection_id)
    _check(root, listing, known)
    by_name = {composed(path): document for path, document in known.items()}
    by_id = {d.id: d for d in library.catalogue.documents([collection_id])} if collection_id else {}
    sorted_in: dict[str, list[Path]] = {"add": [], "replace": [], "unchanged": []}
    for file in listing.files:
        path = readable(str(file.resolve()))
        document = by_id.get(known.get(path) or by_name.get(composed(path), ""))
        kind = "add" if document is None else "unchanged" if _is_current(document, file) else "replace"
        sorted_in[kind].append(file)
    return SyncPlan(
        folder=root,
        collection=collection,
        add=tuple(sorted_in["add"]),
        replace=tuple(sorted_in["replace"]),
        unchanged=tuple(sorted_in["unchanged"]),
        remove=tuple(path for path in known if is_gone(path)),
        unreadable=listing.unreadable,
        passed_over=listing.passed_over,
    )


def remove_gone(library: Library, folder: Path, collection: str) -> list[str]:
    """Forget the files under the folder that are gone, their documents with them; return their paths.

    Looks anew: after a plan has been carried out, a file that was moved is known by its new path, so
    that its document stays. Raises InvalidInput as `sync` does.
    """
    root = _root(folder)
    collection_id = library.catalogue.collections().get(collection)
    known = _known(library, root, collection_id)
    _check(root, list_folder(root), known)
    gone = [path for path in known if is_gone(path)]
    for path in gone:
        assert collection_id is not None
        library.unlink(collection_id, path)
    return gone


def _root(folder: Path) -> Path:
    try:
        root = as_on_disk(folder).resolve()
        with os.scandir(root):
            return root
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidInput(
            f"the folder {folder} cannot be read: {reason}; nothing was removed. Is its drive connected?"
        ) from error


def _known(library: Library, root: Path, collection_id: int | None) -> dict[str, str]:
    """Return the document's id for every known path under the folder."""
    if collection_id is None:
        return {}
    prefix = composed(readable(str(root)).rstrip(os.sep) + os.sep)
    paths = library.catalogue.sources.all(collection_id)
    return {path: document for path, document in paths.items() if composed(path).startswith(prefix)}


def _check(root: Path, listing: Listing, known: dict[str, str]) -> None:
    if any(unreadable.path == readable(str(root)) for unreadable in listing.unreadable):
        raise InvalidInput(f"the folder {root} cannot be read; nothing was removed. Check its rights")
    if known and all(is_gone(path) for path in known) and not listing.files:
        files = "the file" if len(known) == 1 else f"all {len(known)} files"
        raise InvalidInput(
            f"the folder {root} is empty, and {files} known from it would be removed; nothing was done. "
            "Is its drive connected? Documents that are no longer wanted go with: rag-app delete"
        )


def _is_current(document: Document, file: Path) -> bool:
    if document.status is not Status.OK or not is_current(document):
        return False
    try:
        return file.stat().st_size == document.bytes and hash_file(file)[0] == document.sha256
    except OSError:
        return False  # ingesting it says what is wrong with it


# Watching


@dataclass(slots=True)
class _Settling:
    """Changed files, with their size and time when last looked at: still written, until these stay."""

    seconds: float
    looks: dict[Path, tuple[tuple[int, int], float]] = field(default_factory=dict)

    def changed(self, path: Path) -> None:
        self.looks[path] = ((-1, -1), 0.0)

    def settled(self) -> list[Path]:
        """Return the files that have stayed as they are for long enough, and forget them."""
        now, found = time.monotonic(), []
        for path, (before, since) in list(self.looks.items()):
            try:
                info = path.stat()
            except OSError:
                del self.looks[path]
                if not is_gone(str(path)):  # reading it says what is wrong; that it is gone is another change
                    found.append(path)
                continue
            look = (info.st_size, info.st_mtime_ns)
            if look != before:
                self.looks[path] = (look, now)
            elif now - since >= self.seconds:
                del self.looks[path]
                found.append(path)
        return sorted(found)


def watch(
    *folders: Path,
    stop: threading.Event,
    settle_seconds: float = 1.0,
    poll: bool | None = None,
) -> Iterator[Changes]:
    """Yield what changes in the folders, some changes at a time, until `stop` is set.

    A file that is being written waits until its size and time have stayed the same for `settle_seconds`.
    `poll` looks at every file again and again instead of asking the system, which knows nothing of changes
    on some network drives; None: where the system needs it. Raises InvalidInput for a folder that cannot
    be read.
    """
    from watchfiles import Change
    from watchfiles import watch as watch_files

    roots = [_root(folder) for folder in folders]
    settling = _Settling(settle_seconds)
    gone: list[Path] = []
    unreadable: list[Unreadable] = []
    for changes in watch_files(
        *roots,
        watch_filter=_visible_under(roots),
        stop_event=stop,
        debounce=400,
        step=50,
        rust_timeout=max(50, int(250 * settle_seconds)),
        yield_on_timeout=True,
        force_polling=poll,
        ignore_permission_denied=True,
    ):
        for change, name in sorted(changes):
            path = Path(name)
            if change is Change.deleted and is_gone(name):
                gone.append(path)
            elif _is_folder(path):
                listing = list_folder(path)
                unreadable.extend(listing.unreadable)
                for file in listing.files:
                    settling.changed(file)
            elif _is_supported(path.name):
                settling.changed(path)
        settled = settling.settled()
        if (settled or gone or unreadable) and not stop.is_set():
            yield Changes(tuple(settled), tuple(dict.fromkeys(gone)), tuple(dict.fromkeys(unreadable)))
            gone.clear()
            unreadable.clear()


def _visible_under(roots: Sequence[Path]) -> Callable[[object, str], bool]:
    """Return a filter for what `list_folder` would find, or a folder that holds it."""

    def visible(_: object, name: str) -> bool:
        path = Path(name)
        root = next((root for root in roots if path.is_relative_to(root)), None)
        if root is None:
            return False
        parts = path.relative_to(root).parts
        if any(part.startswith(".") or _holds_download(part) for part in parts) or leftover_kind(path.name):
            return False
        return _is_supported(path.name) or not path.is_file()

    return visible
