"""Whether a library's catalogue is there, where there is something that it should know of."""

from pathlib import Path

from ingestion.errors import REBUILD, LibraryDamaged
from ingestion.storage.cards import Cards
from ingestion.storage.catalogue.catalogue import Catalogue
from ingestion.storage.catalogue.representations import RepresentationTable
from ingestion.storage.catalogue.snapshots import Snapshots

CATALOGUE = "catalogue.sqlite3"
_HASH_LENGTH = 64


def refuse_lost(folder: Path) -> None:
    """Raises LibraryDamaged where the catalogue is missing or empty beside what remains of documents: a new
    one would say that nothing is there."""
    file = folder / CATALOGUE
    lost = "missing" if not file.exists() else "empty" if not file.stat().st_size else None
    beside = held(folder) if lost else []
    if lost and beside:
        raise LibraryDamaged(f"the catalogue {file} is {lost}, and beside it lie {_ways_back(beside)}")


def refuse_emptied(folder: Path, catalogue: Catalogue) -> None:
    """Raises LibraryDamaged where the catalogue knows no document, and beside it lie originals or token
    segments that its journal does not name either: those are deleted documents, waiting to be erased."""
    if catalogue.has_documents():
        return
    known = RepresentationTable(catalogue.database).segment_table.known()
    for entry in catalogue.journal.entries():
        known |= {entry.sha256, *(file for _, file in entry.segments)}
    found = [*kept_originals(folder), *absent_marks(folder), *_segments(folder)]
    if all(path.name.removesuffix(".absent") in known for path in found):
        return
    raise LibraryDamaged(
        f"the catalogue {folder / CATALOGUE} knows no document, and beside it lie {_ways_back(held(folder))}"
    )


def kept_originals(folder: Path) -> list[Path]:
    """Return the documents' own bytes that a library keeps."""
    found = (folder / "originals").glob("*")
    return sorted(path for path in found if len(path.name) == _HASH_LENGTH and not path.suffix)


def absent_marks(folder: Path) -> list[Path]:
    """Return the marks of documents that came without their own bytes."""
    found = (folder / "originals").glob("*.absent")
    return sorted(path for path in found if len(path.stem) == _HASH_LENGTH)


def held(folder: Path) -> list[str]:
    """Return what of documents lies in a library's folder beside the catalogue, in words."""
    counted = {
        ("original", "originals"): len(kept_originals(folder)),
        ("mark of a document without an original", "marks of documents without an original"): len(
            absent_marks(folder)
        ),
        ("token segment", "token segments"): len(_segments(folder)),
        ("card of a document", "cards of documents"): len(Cards(folder).known()),
        ("copy of the catalogue", "copies of the catalogue"): len(Snapshots(folder).all()),
    }
    parts = [f"{count} {one if count == 1 else many}" for (one, many), count in counted.items() if count]
    if (folder / "chroma" / "chroma.sqlite3").exists():
        parts.append("Chroma's vectors")
    return parts


def _segments(folder: Path) -> list[Path]:
    return sorted((folder / "tokens").glob("*.tok"))


def _ways_back(beside: list[str]) -> str:
    what = " and ".join([", ".join(beside[:-1]), beside[-1]] if beside[1:] else beside)
    return (
        f"{what}; put the catalogue back from a backup, or make the library anew from what is there: "
        f"{REBUILD}"
    )
