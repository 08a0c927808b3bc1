"""What verifying found and repairing did."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from ingestion.errors import Cancelled

Store = Literal["catalogue", "words", "tokens", "chroma", "originals", "journal"]
REPAIR = "rag-app repair"
REINDEX = "rag-app reindex"

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: in which store, what, whose (a document's name), and what mends it."""

    store: Store
    what: str
    document: str | None
    mend: str

    def __str__(self) -> str:
        whose = f"{self.document}: " if self.document else ""
        return f"{self.store}: {whose}{self.what}; {self.mend}"


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What is wrong with a library, and how much was looked at.

    `notes` are no damage: documents cut by an older chunker, representations of another model,
    documents that came without their original.
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
    """One thing that was mended: in which store, what was done, for which document (its name)."""

    store: Store
    what: str
    document: str | None = None

    def __str__(self) -> str:
        return f"{self.store}: {f'{self.document}: ' if self.document else ''}{self.what}"


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What was mended, and what could not be."""

    done: tuple[Repair, ...]
    left: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        return not self.left


@dataclass(frozen=True, slots=True)
class MaintenanceProgress:
    """`done` of `total` documents, vectors or files of a stage."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Work:
    """Tells of progress, and stops between two items when it is cancelled."""

    name: str
    on_progress: Callable[[MaintenanceProgress], None] | None = None
    cancelled: Callable[[], bool] | None = None

    def check(self) -> None:
        """Raises Cancelled when a person has stopped the work."""
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
