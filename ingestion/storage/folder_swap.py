"""Swaps a folder of a library for a new one that was built beside it; a crash leaves one of the two.

    chroma.new is complete → chroma becomes chroma.old → chroma.new becomes chroma → chroma.old is removed

No single step does this on every system, but "old" exists only once "new" is complete.
"""

import os
import shutil
from pathlib import Path

from ingestion.storage.durable import sync_folder

CHROMA = "chroma"


def beside(folder: Path, kind: str) -> Path:
    """Return a folder beside Chroma's: "new", "old", or "probe", a copy that is looked at."""
    return folder / f"{CHROMA}.{kind}"


def swap(folder: Path) -> None:
    """Put the complete "new" folder in Chroma's place. The former folder must not be open."""
    current, new, old = folder / CHROMA, beside(folder, "new"), beside(folder, "old")
    _sync(new)
    if old.exists():
        shutil.rmtree(old)
    current.mkdir(mode=0o700, exist_ok=True)
    current.rename(old)
    new.rename(current)
    sync_folder(folder)
    shutil.rmtree(old)


def finish_swap(folder: Path) -> None:
    """Finish or undo a swap that a crash interrupted. Must run before Chroma is opened."""
    current, new, old = folder / CHROMA, beside(folder, "new"), beside(folder, "old")
    if new.exists() and old.exists():
        if current.exists():
            shutil.rmtree(current)  # made empty since
        new.rename(current)
        sync_folder(folder)
    for leftover in (new, old, beside(folder, "probe")):
        if leftover.exists():
            shutil.rmtree(leftover)


def _sync(folder: Path) -> None:
    """Flush a folder with all that is in it to the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDWR)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        else:
            sync_folder(path)
    sync_folder(folder)


# A whole library swapped for one that was rebuilt from its readable parts:
#
#     rebuild/complete is written → each store becomes <replaced>/…, rebuild's takes its place → rebuild goes

_STORES = ("tokens", "originals", "chroma", "names", "catalogue.sqlite3")
_LOGS = ("catalogue.sqlite3-wal", "catalogue.sqlite3-shm")
_COMPLETE = "complete"


def rebuild_folder(folder: Path) -> Path:
    """Return the folder in which a library is rebuilt."""
    return folder / "rebuild"


def complete_rebuild(folder: Path, replaced: str) -> None:
    """Mark the rebuilt library as whole. The stores that it replaces will go into the folder `replaced`."""
    rebuilt = rebuild_folder(folder)
    _sync(rebuilt)
    mark = rebuilt / _COMPLETE
    mark.with_suffix(".new").write_text(replaced, "utf-8")
    mark.with_suffix(".new").replace(mark)
    sync_folder(rebuilt)


def finish_rebuild(folder: Path) -> None:
    """Put a rebuilt library in place, or go on after a crash. The library must not be open."""
    rebuilt = rebuild_folder(folder)
    mark = rebuilt / _COMPLETE
    if not mark.exists():
        return
    replaced = folder / mark.read_text("utf-8")
    replaced.mkdir(mode=0o700, exist_ok=True)
    for name in _LOGS:
        if (folder / name).exists():
            (folder / name).rename(replaced / name)
    for name in _STORES:
        new, current = rebuilt / name, folder / name
        if new.exists():
            if current.exists():
                current.rename(replaced / name)
            new.rename(current)
    sync_folder(folder)
    shutil.rmtree(rebuilt)
