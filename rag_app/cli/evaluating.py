"""eval, judge."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingestion.errors import InvalidInput, UnknownName
from rag_app.cli.common import Collections, Fields, Json, Yes, service, show
from rag_app.cli.following import finished

if TYPE_CHECKING:
    from rag_app.evaluation.judgements import Judgements

app = typer.Typer(rich_markup_mode=None, help="Say which pages answer which questions.")


def evaluate(
    context: typer.Context,
    dataset: Annotated[
        Path | None,
        typer.Argument(
            help="A BEIR folder, one with documents/ and questions.jsonl, or a file with a question and its "
            "answer, or its document and page, a line, with tabs between; none: what you judged."
        ),
    ] = None,
    strategies: Annotated[
        str | None, typer.Option("--strategies", help="Names with commas between, or all.")
    ] = None,
    rerank: Annotated[
        list[str] | None, typer.Option("--rerank", help="Also with this cross-encoder; may be repeated.")
    ] = None,
    top_k: Annotated[int | None, typer.Option("--top-k", help="Passages to find; default: 100.")] = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="A folder for a report with pictures and what was lost.")
    ] = None,
    collection: Collections = None,
    as_json: Json = False,
) -> None:
    """Measure which strategy finds more, on a data set or on your own judgements."""
    from rag_app.cli.terminal import lines

    names = [name.strip() for name in (strategies or "").split(",") if name.strip()]
    found = finished(
        context, as_json, "eval", dataset=_path(dataset), strategies=names or None, rerankers=rerank,
        top_k=top_k, report=_path(report), collections=collection,
    )  # fmt: skip
    show(found, as_json, lambda console: lines.print_evaluation(console, found))


@app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """List what was judged."""
    from rag_app.cli.terminal import lines

    judgements = _judgements(context)
    found = _fields(judgements)
    show(found, as_json, lambda console: lines.print_judgements(console, found["judgements"]))


@app.command()
def add(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="The question, as you would ask it.")],
    document: Annotated[str, typer.Option("--document", help="The document's name or id.")],
    page: Annotated[list[int], typer.Option("--page", min=1, help="A page of it; may be repeated.")],
    answers: Annotated[
        bool, typer.Option("--answers/--does-not", help="Whether the page answers the question.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Say that a page of a document answers a question, or that it does not."""
    from rag_app.evaluation.judgements import Judgement

    if not any(character.isalnum() for character in question):
        raise InvalidInput("the question is empty; type what you would ask")
    one = _document(_documents(context), document)
    for number in page:
        if number > one["pages"]:
            raise InvalidInput(f"{one['name']} has {one['pages']} pages and no page {number}")
    judgements = _judgements(context)
    judgements.add(Judgement(question, one["sha256"], number, one["name"], int(answers)) for number in page)
    found = _fields(judgements)
    show(found, as_json, lambda _: typer.echo(_total(found)))


@app.command("import")
def import_(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="With questions.jsonl, or queries.jsonl and qrels/.")],
    as_json: Json = False,
) -> None:
    """Take over judgements from files."""
    from rag_app.evaluation import judgements as files

    read = files.read(folder.expanduser(), _documents(context))
    judgements = _judgements(context)
    judgements.add(read)
    found = {"imported": len(read), **_fields(judgements)}
    show(found, as_json, lambda _: typer.echo(f"{len(read)} imported; {_total(found)}"))


@app.command()
def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where questions.jsonl, queries.jsonl and qrels/ go.")],
    as_json: Json = False,
) -> None:
    """Write what was judged to files: to carry on, or for other programs."""
    from rag_app.cli.terminal.lines import count, harmless
    from rag_app.evaluation import judgements as files

    judgements = _judgements(context)
    questions = files.export(judgements.all(), folder.expanduser())
    found = {"folder": str(folder.expanduser().absolute()), "questions": questions}
    said = f"wrote {count(questions, 'question')} to {found['folder']}"
    show(found, as_json, lambda _: typer.echo(harmless(said)))


@app.command()
def clear(
    context: typer.Context,
    question: Annotated[
        str | None, typer.Option("--question", help="Only what was said of this one.")
    ] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Forget what was judged."""
    if not yes and question is None:
        typer.confirm("Forget all judgements?", abort=True, err=True)
    judgements = _judgements(context)
    found = {"removed": judgements.remove(question), **_fields(judgements)}
    show(found, as_json, lambda _: typer.echo(f"{found['removed']} forgotten; {_total(found)}"))


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _judgements(context: typer.Context) -> "Judgements":
    from rag_app.evaluation.judgements import Judgements
    from rag_app.history.database import STATE_FILE, State

    return Judgements(State(context.obj.settings().data_dir / STATE_FILE))


def _documents(context: typer.Context) -> list[Fields]:
    """Return the documents of all collections."""
    from rag_app.contract.requests import Narrowing

    with service(context) as library:
        names = [one["name"] for one in library.collections()["collections"]]
        found: list[Fields] = library.documents(Narrowing(collections=tuple(names)))["documents"]
    return found


def _document(documents: Sequence[Fields], name: str) -> Fields:
    found = [one for one in documents if name in (one["document_id"], one["name"])]
    if len({one["sha256"] for one in found}) > 1:
        ids = ", ".join(one["document_id"] for one in found)
        raise InvalidInput(f"{len(found)} documents are named {name!r}; give one's id: {ids}")
    if not found:
        raise UnknownName("document", name, (one["name"] for one in documents))
    return found[0]


def _fields(judgements: "Judgements") -> Fields:
    rows = [
        {"question": one.question, "document": one.document, "sha256": one.sha256, "page": one.page,
         "grade": one.grade}
        for one in judgements.all()
    ]  # fmt: skip
    return {"questions": len({row["question"] for row in rows}), "judgements": rows}


def _total(found: Fields) -> str:
    from rag_app.cli.terminal.lines import count

    return f"{count(len(found['judgements']), 'judgement')} of {count(found['questions'], 'question')}"
