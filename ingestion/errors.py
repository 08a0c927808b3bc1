"""The one error tree of the application.

    RagError                    shown to people as one line; exit code 1
    ├── InvalidInput            what was asked for cannot be done as asked; exit code 2
    │   ├── UnknownName         no strategy, document, collection or model of that name
    │   └── EmptyQuestion       a question without a word in it
    ├── LibraryError            the data folder cannot be used as it is
    │   ├── LibraryInUse        another process has the library open
    │   ├── DiskFull            its disk has no room left
    │   ├── LibraryDamaged      a store disagrees with the catalogue or fails its checksum
    │   └── StaleRepresentation the vectors were made by another model or chunker
    ├── SourceChanged           a file changed or went away while it was being ingested
    ├── ModelError              a model is missing, broken or does not fit
    │   └── NothingWritten      a language model ended without an answer
    └── Cancelled               a person stopped the work; nothing half done remains

Every message says what is wrong, which value, and what to do about it.
"""

from collections.abc import Iterable

# What makes a library anew whose catalogue cannot be used.
REBUILD = "rag-app repair --rebuild"
# An error is one line that a person reads.
_MOST_NAMES = 20


class RagError(Exception):
    """Root of every error that the application raises on purpose."""


class InvalidInput(RagError):
    """The request itself is wrong; asking differently helps."""


class UnknownName(InvalidInput):
    """Nothing has that name. The message lists the names that exist."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, advice: str = "") -> None:
        names = sorted(known)
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        choices = (", ".join(names[:_MOST_NAMES]) or "none yet") + more
        super().__init__(f"no {kind} named {name!r}; there are: {choices}{'. ' + advice if advice else ''}")
        self.kind = kind
        self.name = name


class EmptyQuestion(InvalidInput):
    """A question without a word in it."""

    def __init__(self) -> None:
        super().__init__("the question is empty; type what you want to know")


class LibraryError(RagError):
    """The data folder cannot be used as it is."""


class LibraryInUse(LibraryError):
    """Another process holds the library's lock."""


class DiskFull(LibraryError):
    """The data folder's disk has no room left. Deleting documents frees some."""


class LibraryDamaged(LibraryError):
    """A store disagrees with the catalogue, or a checksum fails."""


class StaleRepresentation(LibraryError):
    """Stored vectors were made by another model, projection or chunker than this one."""


class SourceChanged(RagError):
    """A file is no longer what was parsed. Ingesting it again helps; other files are not concerned."""


class ModelError(RagError):
    """A model file is missing, broken, or does not fit this machine."""


class NothingWritten(ModelError):
    """A language model ended without an answer."""


class Cancelled(RagError):
    """A person stopped the work. Nothing half done remains."""

    def __init__(self, what: str = "the work") -> None:
        super().__init__(f"{what} was cancelled; what was finished before is kept")
