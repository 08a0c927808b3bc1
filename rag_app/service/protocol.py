"""What can be asked of a library, whoever has it open: this process or one that serves.

Every method returns the fields that the commands print (`rag_app.contract.output`).
"""

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from ingestion.errors import LibraryInUse

if TYPE_CHECKING:
    from rag_app.config.settings import Settings
    from rag_app.contract.requests import (
        AskRequest,
        CompareRequest,
        IngestRequest,
        Narrowing,
        RetryRequest,
        SearchRequest,
        SummariseRequest,
        TaskRequest,
    )

Fields = dict[str, Any]


class Service(AbstractContextManager["Service"], Protocol):
    """The library's documents, questions, jobs, collections and long tasks.

    `works_on` says whether jobs and tasks go on when this process ends.
    """

    works_on: bool

    def health(self) -> Fields: ...

    def documents(self, request: "Narrowing") -> Fields: ...

    def delete(self, name: str, collections: Sequence[str]) -> Fields: ...

    def page(self, document_id: str, number: int) -> Fields: ...

    def strategies(self) -> Fields: ...

    def search(self, request: "SearchRequest") -> Fields: ...

    def compare(self, request: "CompareRequest") -> Fields: ...

    def ask(self, request: "AskRequest") -> Generator[Fields]:
        """Yield {"event": "found"}, any number of "delta", then "answer". Closing it stops the model."""
        ...

    def conversations(self) -> Fields: ...

    def conversation(self, identity: str) -> Fields:
        """Return a conversation with its turns."""
        ...

    def rename_conversation(self, identity: str, title: str) -> Fields: ...

    def delete_conversation(self, identity: str) -> Fields: ...

    def receipts(self, limit: int) -> Fields:
        """Return the latest receipts, in a line each."""
        ...

    def receipt(self, identity: str) -> Fields: ...

    def replay(self, identity: str) -> Fields:
        """Answer again as a receipt says; return whether all is the same, and what is not."""
        ...

    def summarise(self, request: "SummariseRequest") -> Generator[Fields]:
        """Yield {"event": "waiting", "stage": "read"} as passages are read, then what `ask` yields."""
        ...

    def submit(self, request: "IngestRequest") -> Fields:
        """Put files into the queue and begin; return the job."""
        ...

    def jobs(self) -> Fields: ...

    def job(self, identity: int) -> Fields: ...

    def resume(self, identity: int) -> Fields:
        """Go on with a job that was interrupted; return it."""
        ...

    def retry(self, identity: int, request: "RetryRequest | None" = None) -> Fields:
        """Do a job's failed files again, some with a password; return the job that does it."""
        ...

    def cancel(self, identity: int) -> Fields: ...

    def clear(self) -> Fields:
        """Forget the jobs that have ended; return those that are left."""
        ...

    def collections(self) -> Fields: ...

    def create_collection(self, name: str) -> Fields: ...

    def rename_collection(self, name: str, new: str) -> Fields: ...

    def delete_collection(self, name: str) -> Fields: ...

    def stats(self) -> Fields: ...

    def start(self, request: "TaskRequest") -> Fields:
        """Begin long work on the whole library; return the task."""
        ...

    def tasks(self) -> Fields: ...

    def task(self, identity: str) -> Fields: ...

    def cancel_task(self, identity: str) -> Fields: ...


def open_service(settings: "Settings") -> Service:
    """Return the library of the settings: opened here, or through the process that serves it.

    Raises LibraryInUse where the process that has it serves nothing, and what `Library.open` raises.
    """
    from rag_app.service.client import connect
    from rag_app.service.composition import Assistant
    from rag_app.service.local import LocalService

    try:
        return LocalService(Assistant.open(settings))
    except LibraryInUse as error:
        service = connect(settings)
        if service is None:
            raise
        del error
        return service
