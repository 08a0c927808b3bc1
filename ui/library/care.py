"""What a person does to the library on this page, and what an open page has chosen and opened."""

from dataclasses import dataclass, field, replace
from typing import Any

from ingestion.storage.catalogue.records import Document
from rag_app.service.document_browser import DocumentQuery
from ui.components.document_table import ROWS, render_table
from ui.components.text import plural
from ui.documents import Documents, Watch


@dataclass(slots=True)
class View:
    """What one open page shows. Its handlers share it and change it in place."""

    watch: Watch = field(default_factory=Watch)
    wanted: DocumentQuery = field(default_factory=DocumentQuery)
    part: int = 0
    chosen: set[str] = field(default_factory=set)
    opened: str | None = None
    page: int = 1
    # What a person is asked about: documents, or the name of a collection.
    doomed: tuple[str, ...] = ()
    collection: str | None = None
    names: tuple[str, ...] | None = None
    turn: int = 0


class Library:
    """What happens on the page. One object serves all sessions; each has its own `View`."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self.assistant = documents.assistant
        self.shelf = documents.assistant.document_browser

    def listed(self, view: View) -> list[Document]:
        """Return the documents that the filters leave, and forget choices that are gone."""
        found = self.shelf.documents(view.wanted)
        view.chosen &= {document.id for document in self.shelf.documents()}
        view.part = max(0, min(view.part, (len(found) - 1) // ROWS))
        return found

    def table(self, view: View) -> str:
        """Return the table as the view has it."""
        found = self.listed(view)
        view.turn += 1
        return render_table(
            found,
            known=len(self.shelf.documents()),
            chosen=view.chosen,
            order=view.wanted.order,
            descending=view.wanted.descending,
            part=view.part,
            turn=view.turn,
        )

    def act(self, view: View, data: dict[str, Any]) -> None:
        """Do what a button or box of the table says."""
        match data.get("act"):
            case "sort":
                order = str(data["order"])
                down = view.wanted.order == order and not view.wanted.descending
                view.wanted, view.part = replace(view.wanted, order=order, descending=down), 0
            case "part":
                view.part = int(data["part"])
            case "choose":
                (view.chosen.add if data.get("on") else view.chosen.discard)(str(data["id"]))
            case "choose-all":
                found = {document.id for document in self.listed(view)}
                view.chosen = view.chosen | found if data.get("on") else view.chosen - found
            case "open":
                view.opened, view.page = str(data["id"]), 1

    def work(self, data: dict[str, Any]) -> None:
        """Do what a button of the queue says. Raises what the queue raises."""
        jobs = self.assistant.jobs
        job, file = int(data["job"]), int(data["file"])
        match data.get("act"):
            case "cancel":
                jobs.cancel_file(job, file)
            case "retry":
                jobs.retry(job, files={file})
            case "unlock":
                (locked,) = (one for one in jobs.get(job).files if one.ordinal == file)
                jobs.retry(job, {locked.file: str(data["password"])}, files={file})

    def delete(self, view: View) -> str:
        """Delete what was asked about; return what was done."""
        if view.collection is not None:
            info = self.assistant.delete_collection(view.collection)
            return f"{plural(info.documents, 'document')} of {info.name} deleted."
        gone = self.shelf.delete(view.doomed)
        view.chosen -= set(view.doomed)
        return f"{plural(len(gone), 'document')} deleted."
