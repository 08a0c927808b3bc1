"""The actions of the Library page, and its state in one open page."""

from dataclasses import dataclass, field, replace
from typing import Any

from ingestion.errors import InvalidInput
from ingestion.fields.values import FIELD_NAMES, FieldValues
from ingestion.storage.catalogue.records import Document
from rag_app.service.document_browser import DocumentQuery, replacing_name
from ui.components.ingest_queue import IngestQueueController, QueuePageState
from ui.components.text import plural
from ui.library.render import ROWS, render_table

_LONGEST_NAME = 63  # characters of a collection's name


@dataclass(slots=True)
class LibraryPageState:
    """What one open page shows. Its handlers share it and change it in place."""

    queue: QueuePageState = field(default_factory=QueuePageState)
    query: DocumentQuery = field(default_factory=DocumentQuery)
    part: int = 0
    chosen: set[str] = field(default_factory=set)
    opened: str | None = None
    page: int = 1
    # The open document's fields as its form was filled with them.
    fields: FieldValues = field(default_factory=FieldValues)
    # The documents, or the collection, that the person is asked whether to delete.
    doomed: tuple[str, ...] = ()
    collection: str | None = None
    # The collections that the selectors offer.
    names: tuple[str, ...] | None = None
    turn: int = 0


class LibraryController:
    """The actions of the page. One object serves all sessions."""

    def __init__(self, queue: IngestQueueController) -> None:
        self.queue = queue
        self.assistant = queue.assistant
        self.browser = queue.assistant.document_browser

    def listed(self, state: LibraryPageState) -> list[Document]:
        """Return the documents that the filters leave, and forget chosen documents that are gone."""
        found = self.browser.documents(state.query)
        state.chosen &= {document.id for document in self.browser.documents()}
        state.part = max(0, min(state.part, (len(found) - 1) // ROWS))
        return found

    def table(self, state: LibraryPageState) -> str:
        """Return the table as HTML."""
        found = self.listed(state)
        state.turn += 1
        return render_table(
            found,
            fields=self.browser.fields(found[state.part * ROWS : (state.part + 1) * ROWS]),
            known=len(self.browser.documents()),
            chosen=state.chosen,
            order=state.query.order,
            descending=state.query.descending,
            part=state.part,
            turn=state.turn,
        )

    def act(self, state: LibraryPageState, data: dict[str, Any]) -> None:
        """Do what a button or box of the table says."""
        match data.get("act"):
            case "sort":
                order = str(data["order"])
                down = state.query.order == order and not state.query.descending
                state.query, state.part = replace(state.query, order=order, descending=down), 0
            case "part":
                state.part = int(data["part"])
            case "choose":
                (state.chosen.add if data.get("on") else state.chosen.discard)(str(data["id"]))
            case "choose-all":
                found = {document.id for document in self.listed(state)}
                state.chosen = state.chosen | found if data.get("on") else state.chosen - found
            case "open":
                state.opened, state.page = str(data["id"]), 1

    def work(self, data: dict[str, Any]) -> None:
        """Do what a button of the queue says. Raises the queue's errors."""
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

    def take(self, state: LibraryPageState, files: list[Any], into: str | None, encoding: str | None) -> None:
        """Queue uploads, and follow their job. Raises InvalidInput, OSError."""
        if files:
            job = self.queue.take(files, (into or "").strip(), encoding or None)
            state.queue.jobs.add(job.id)

    def replace_opened(self, state: LibraryPageState, files: list[Any]) -> None:
        """Queue an upload in place of the open document. Raises InvalidInput, UnknownName, OSError."""
        for file, name in files[:1]:
            document = self.browser.document(state.opened or "")
            known_as = replacing_name(document, name or file.name)
            self.take(state, [(file, known_as)], document.collection, None)

    def fields(self, state: LibraryPageState) -> FieldValues:
        """Return the open document's fields, and keep them as what its form shows."""
        document = self.browser.document(state.opened or "")
        state.fields = self.browser.fields([document])[document.id].values
        return state.fields

    def write_fields(self, state: LibraryPageState, written: FieldValues) -> str:
        """Keep what was changed in the form of the open document; return a message.

        Raises:
            UnknownName: The document is gone.
            InvalidInput: A value cannot be kept.
        """
        changed = {
            name: written.of(name) for name in FIELD_NAMES if written.of(name) != state.fields.of(name)
        }
        if not changed:
            return "Nothing was changed."
        self.browser.edit_fields(state.opened or "", changed)
        return "Saved."

    def restore_fields(self, state: LibraryPageState) -> str:
        """Take the open document's fields back to what is recognised; return a message.

        Raises:
            UnknownName: The document is gone.
        """
        self.browser.edit_fields(state.opened or "", {}, FIELD_NAMES)
        return "The fields are as they were recognised."

    def delete(self, state: LibraryPageState) -> str:
        """Delete the documents or the collection that the person was asked about; return a message."""
        if state.collection is not None:
            info = self.assistant.delete_collection(state.collection)
            return f"{plural(info.documents, 'document')} of {info.name} deleted."
        gone = self.browser.delete(state.doomed)
        state.chosen -= set(state.doomed)
        return f"{plural(len(gone), 'document')} deleted."

    def create_collection(self, name: str) -> str:
        """Create a collection; return a message. Raises InvalidInput."""
        _check_named(name)
        return f"Created “{self.assistant.create_collection(name.strip()).name}”."

    def instruct_collection(self, name: str | None, text: str) -> str:
        """Give a collection instructions; return a message. Raises UnknownName, InvalidInput."""
        info = self.assistant.set_instructions(name or "", text)
        return f"Instructions of {info.name} {'saved' if info.instructions else 'removed'}."

    def rename_collection(self, old: str | None, new: str) -> str:
        """Rename a collection; return a message. Raises UnknownName, InvalidInput."""
        if not old:
            raise InvalidInput("no collection is chosen; choose the one to rename")
        _check_named(new)
        renamed = self.assistant.rename_collection(old, new.strip())
        return f"“{old}” is named “{renamed.name}” now."


def _check_named(name: str) -> None:
    """Refuse a name where `create_collection` would repeat it, or say "''". Raises InvalidInput."""
    length = len(name.strip())
    if not 1 <= length <= _LONGEST_NAME:
        given = f"the new name has {length:,} characters" if length else "the new name is empty"
        raise InvalidInput(f"{given}; enter 1 to {_LONGEST_NAME} letters, digits, spaces, '.', '-' and '_'")
