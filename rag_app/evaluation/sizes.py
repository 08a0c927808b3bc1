"""The disk space of the stores that a strategy reads."""

from ingestion.library import Library
from ingestion.maintenance.stats import Stats, stats
from ingestion.storage.open_representations import BUILTIN_NAME
from retrievers.strategies import Strategy


class Sizes:
    """The sizes of one library's strategies, computed again only after the library has changed."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._known: tuple[int, Stats] | None = None

    def of(self, strategy: Strategy) -> int:
        """Return the size of the stores that a strategy reads, in bytes."""
        changes, known = self._library.catalogue.database.changes, self._known
        if known is None or known[0] != changes:
            known = self._known = changes, stats(self._library)
        return stored_bytes(known[1], strategy)


def stored_bytes(figures: Stats, strategy: Strategy) -> int:
    """Return the size of the stores that a strategy reads, in bytes.

    Counts its vectors' share of Chroma with the graph, the token vectors' files without the vectors that they
    keep for Chroma, and the full-text index.
    """
    _, _, name = strategy.name.partition("@")
    (one,) = (r for r in figures.representations if r.name == (name or BUILTIN_NAME))
    single = sum(
        len({"cls", "mean"}.intersection(r.readings)) * r.dimension * r.documents
        for r in figures.representations
    )
    pooled = sum(size for section, size in one.section_bytes.items() if section in ("cls", "mean"))
    sizes = {
        "words": figures.word_bytes,
        "tokens": one.bytes - pooled,
        "cls": round(figures.bytes.chroma * one.dimension * one.documents / single) if single else 0,
    }
    sizes["mean"] = sizes["cls"]
    return sum(sizes[reading] for reading in strategy.representation.split("+"))
