"""The results of verifying and repairing, and their progress."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from ingestion.errors import REBUILD, Cancelled

Store = Literal["catalogue", "words", "tokens", "chroma", "originals", "journal"]
REPAIR = "rag-app repair"
REINDEX = "rag-app reindex"
ORPHANED = (
    f"make documents of such files again with {REBUILD}, or move them away with "
    "rag-app repair --remove-orphans"
)
# The warning of a document whose text is not what was ingested, with nothing to make it from.
DAMAGED = "The text of this document is damaged in the library, and could not be read again."

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault of a library.

    Attributes:
        store: The store that has it.
        what: The fault, in words.
        document: The name of the document that it concerns.
        mend: What repairs it: a command, or an action.
    """

    store: Store
    what: str
    document: str | None
    mend: str

    def __str__(self) -> str:
        whose = f"{self.document}: " if self.document else ""
        return f"{self.store}: {whose}{self.what}; {self.mend}"


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The faults of a library, and the numbers of what was checked.

    `notes` name things that are no damage: documents cut by an older chunker, representations of another
    model, documents that came without their original.
    """

    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    documents: int
    chunks: int
    segments: int
    vectors: int
    originals: int

    @property
    def ok(self) -> bool:
        return not self.problems


@dataclass(frozen=True, slots=True)
class Repair:
    """A fault that was repaired: the store, what was done, and the document's name."""

    store: Store
    what: str
    document: str | None = None

    def __str__(self) -> str:
        return f"{self.store}: {f'{self.document}: ' if self.document else ''}{self.what}"


@dataclass(frozen=True, slots=True)
class RepairReport:
    """The faults that were repaired, and those that are left."""

    done: tuple[Repair, ...]
    left: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        return not self.left


@dataclass(frozen=True, slots=True)
class MaintenanceProgress:
    """How far a stage is: `done` of `total` documents, vectors or files."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Work:
    """Reports progress, and stops between two items when it is cancelled."""

    name: str
    on_progress: Callable[[MaintenanceProgress], None] | None = None
    cancelled: Callable[[], bool] | None = None

    def check(self) -> None:
        """Raises Cancelled when the caller has cancelled the work."""
        if self.cancelled and self.cancelled():
            raise Cancelled(self.name)

    def report(self, stage: str, done: int, total: int) -> None:
        if self.on_progress:
            self.on_progress(MaintenanceProgress(stage, done, total))

    def over(self, stage: str, items: Sequence[Item]) -> Iterator[Item]:
        """Yield the items. Raises Cancelled between two."""
        for done, item in enumerate(items):
            self.check()
            self.report(stage, done, len(items))
            yield item
        self.report(stage, len(items), len(items))
