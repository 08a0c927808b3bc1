"""Give back the room of what was deleted.

SQLite keeps free pages for later, and Chroma keeps everything: a deleted vector stays in the file of its
graph, marked, its place is never used again, and a dropped Chroma collection leaves its folder. So the
catalogue is rewritten, and Chroma's folder is built anew from the segments and exchanged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ingestion.library import Library
from ingestion.maintenance.chroma import rebuild
from ingestion.maintenance.repairs import remove_unfinished
from ingestion.maintenance.report import MaintenanceProgress, Work


@dataclass(frozen=True, slots=True)
class StoreBytes:
    """What each store takes on the disk."""

    catalogue: int
    chroma: int
    tokens: int
    originals: int

    @property
    def total(self) -> int:
        return self.catalogue + self.chroma + self.tokens + self.originals


@dataclass(frozen=True, slots=True)
class Compaction:
    """What the stores took before and after."""

    before: StoreBytes
    after: StoreBytes


def compact(
    library: Library,
    *,
    on_progress: Callable[[MaintenanceProgress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Compaction:
    """Rewrite the catalogue and Chroma without the room of what was deleted.

    Files that belong to no document stay: only a repair that is told to moves them away.

    Needs their size again on the disk while it works; changes wait, searching goes on. Raises Cancelled,
    and LibraryDamaged for a segment that cannot be read: repair first. Interrupted at any point, the
    library is whole.
    """
    work = Work("compacting", on_progress, cancelled)
    return library.reserve.spend_on(lambda: _compact(library, work))


def _compact(library: Library, work: Work) -> Compaction:
    before = store_bytes(library.folder)
    library.merger.run(everything=True, check=work.check)
    with library.changing:
        library.journal_cleaner.erase_all()
        remove_unfinished(library)
        rebuild(library, work, skip_damaged=False)
        work.check()
        work.report("catalogue", 0, 1)
        with library.catalogue.database.transaction() as connection:
            # Deletions lie in the index of words as further entries until its parts are merged.
            connection.execute("INSERT INTO chunk_index (chunk_index) VALUES ('optimize')")
        library.catalogue.database.compact()
        work.report("catalogue", 1, 1)
        return Compaction(before, store_bytes(library.folder))


def store_bytes(folder: Path) -> StoreBytes:
    """Measure a library's folder."""
    return StoreBytes(
        catalogue=sum(path.stat().st_size for path in folder.glob("catalogue.sqlite3*")),
        chroma=_bytes(folder / "chroma"),
        tokens=_bytes(folder / "tokens"),
        originals=_bytes(folder / "originals"),
    )


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
