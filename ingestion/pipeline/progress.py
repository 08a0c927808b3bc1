"""How far a file is, and how it ended."""

from dataclasses import dataclass
from enum import StrEnum

from ingestion.documents import Status


class IngestStage(StrEnum):
    """What is being done to a file."""

    PARSING = "parsing"
    ENCODING = "encoding"
    WRITING = "writing"


@dataclass(frozen=True, slots=True)
class IngestProgress:
    """Where a file is: `done` of `total` pages (parsing) or chunks (encoding, writing).

    `file` counts from 1 to `files`. Several files are on their way at once.
    """

    file: int
    files: int
    name: str
    stage: IngestStage
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class IngestResult:
    """How one file ended. Times are in milliseconds, by stage.

    `warnings` say what a person sees in the file and the text lacks; a file that has some can be OK. A part
    is a document that lies inside the file (see `ingestion.pipeline.parts`). A fault is an error that no code
    foresaw: trying again may help.
    """

    path: str
    name: str
    status: Status
    error: str | None = None
    document_id: str | None = None
    sha256: str | None = None
    pages: int = 0
    pages_failed: int = 0
    chunks: int = 0
    timings_ms: tuple[tuple[str, float], ...] = ()
    file: int = 0
    warnings: tuple[str, ...] = ()
    is_part: bool = False
    is_fault: bool = False
