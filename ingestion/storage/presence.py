"""Whether a library's catalogue is there, where there is something that it should know of."""

from pathlib import Path

from ingestion.errors import REBUILD, LibraryDamaged
from ingestion.storage.catalogue.catalogue import Catalogue

CATALOGUE = "catalogue.sqlite3"
_HASH_LENGTH = 64


def refuse_lost(folder: Path) -> None:
    """Raises LibraryDamaged where the catalogue is missing or empty beside documents' bytes or vectors: a new
    one would say that nothing is there."""
    file = folder / CATALOGUE
    lost = "missing" if not file.exists() else "empty" if not file.stat().st_size else None
    beside = held(folder) if lost else []
    if lost and beside:
        raise LibraryDamaged(f"the catalogue {file} is {lost}, and beside it lie {_ways_back(beside)}")


def refuse_emptied(folder: Path, catalogue: Catalogue) -> None:
    """Raises LibraryDamaged where the catalogue knows no document, nor one on its way, beside originals."""
    originals = kept_originals(folder)
    if not originals or catalogue.has_documents() or catalogue.journal.entries():
        return
    raise LibraryDamaged(
        f"the catalogue {folder / CATALOGUE} knows no document, and beside it lie {_ways_back(held(folder))}"
    )


def kept_originals(folder: Path) -> list[Path]:
    """Return the documents' own bytes that a library keeps."""
    found = (folder / "originals").glob("*")
    return sorted(path for path in found if len(path.name) == _HASH_LENGTH and not path.suffix)


def held(folder: Path) -> list[str]:
    """Return what of documents lies in a library's folder beside the catalogue, in words."""
    counted = {
        "originals": len(kept_originals(folder)),
        "token segments": len(list((folder / "tokens").glob("*.tok"))),
    }
    parts = [f"{count} {what}" for what, count in counted.items() if count]
    if (folder / "chroma" / "chroma.sqlite3").exists():
        parts.append("Chroma's vectors")
    return parts


def _ways_back(beside: list[str]) -> str:
    what = " and ".join([", ".join(beside[:-1]), beside[-1]] if beside[1:] else beside)
    return (
        f"{what}; put the catalogue back from a backup, or make the library anew from what is there: "
        f"{REBUILD}"
    )
