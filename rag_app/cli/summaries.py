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
    Fields,
    Folders,
    Json,
    Pages,
    Types,
    service,
)
from rag_app.cli.questions import narrowed, show_answer


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
    """Say what a document, or a whole collection, is about, with citations."""
    from rag_app.contract.requests import SummariseRequest

    documents = [*([name] if name else []), *(document or [])] or None
    request = SummariseRequest.of(
        llm=llm, **narrowed(collection, documents, folder, kind, pages, added_from, added_to)
    )
    with service(context) as library, closing(library.summarise(request)) as events:
        first = _read(events, quiet=as_json)
        show_answer(chain([first], events), as_json)


def _read(events: Iterator[Fields], *, quiet: bool) -> Fields:
    """Show how much has been read, until something else happens; return that."""
    from rag_app.cli.terminal.progress import task_bar

    with task_bar(Console(stderr=True), quiet=quiet) as move:
        for event in events:
            if event["event"] != "waiting":
                break
            move({"kind": "summarise", **event})
    return event
