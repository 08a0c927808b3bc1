"""summarise."""

from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from typing import Annotated

import typer
from rich.console import Console

from rag_app.cli.common import (
    AddedFrom,
    AddedTo,
    Collections,
    Documents,
    Folders,
    Json,
    Pages,
    Types,
    narrowed,
    open_service,
)
from rag_app.cli.questions import show_answer
from rag_app.cli.terminal.progress import task_bar
from rag_app.contract.answers import AskEvent, WaitingEvent
from rag_app.contract.requests import SummariseRequest


def summarise(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(metavar="[DOCUMENT]", help="Name, path or id; none: all of the collection."),
    ] = None,
    collection: Collections = None,
    document: Documents = None,
    folder: Folders = None,
    kind: Types = None,
    pages: Pages = None,
    added_from: AddedFrom = None,
    added_to: AddedTo = None,
    llm: Annotated[str | None, typer.Option("--llm", help="auto, extractive, or a GGUF file.")] = None,
    as_json: Json = False,
) -> None:
    """Summarise a document, or a whole collection, with citations."""
    documents = [*([name] if name else []), *(document or [])] or None
    request = narrowed(
        SummariseRequest, collection, documents, folder, kind, added_from, added_to, pages, llm=llm
    )
    with open_service(context) as service, closing(service.summarise(request)) as events:
        first = _read(events, quiet=as_json)
        show_answer(chain([first], events), as_json)


def _read(events: Iterator[AskEvent], *, quiet: bool) -> AskEvent:
    """Show how many passages have been read; return the first other event."""
    with task_bar(Console(stderr=True), quiet=quiet) as move:
        for event in events:
            if not isinstance(event, WaitingEvent):
                break
            move("summarise", event.stage, event.done, event.total)
    return event
