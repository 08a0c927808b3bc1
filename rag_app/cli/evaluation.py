"""eval, judge."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingestion.errors import InvalidInput, UnknownName
from rag_app.cli.common import Collections, Json, Yes, open_service, show
from rag_app.cli.progress import finished
from rag_app.cli.terminal import evaluation, lines
from rag_app.contract.documents import DocumentFields
from rag_app.contract.evaluation import (
    AnswerEvaluationFields,
    EvaluationFields,
    JudgementsClearResponse,
    JudgementsExportResponse,
    JudgementsImportResponse,
    JudgementsResponse,
)
from rag_app.contract.requests import Narrowing

if TYPE_CHECKING:
    from rag_app.evaluation.judgements import Judgements

app = typer.Typer(rich_markup_mode=None, help="Say which pages answer which questions.")


Answers = Annotated[
    bool, typer.Option("--answers", help="Ask the questions, and measure the answers that people read.")
]
AnswersLlm = Annotated[
    str | None,
    typer.Option("--llm", help="With --answers: a GGUF file, URL#MODEL, or 'extractive' for quotations."),
]
WithoutGold = Annotated[
    bool,
    typer.Option(
        "--without-gold",
        help="With --answers, for a BEIR folder: ask again with the article that answers taken out.",
    ),
]
Before = Annotated[
    Path | None,
    typer.Option("--before", help="With --answers: results.json of an earlier report to compare with."),
]


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
    top_k: Annotated[
        int | None,
        typer.Option("--top-k", help="Passages to find; default: 100, for answers what the settings say."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", help="A folder for a report with pictures and what was lost, or all answers."
        ),
    ] = None,
    answers: Answers = False,
    llm: AnswersLlm = None,
    without_gold: WithoutGold = False,
    before: Before = None,
    collection: Collections = None,
    as_json: Json = False,
) -> None:
    """Measure which strategy finds more, or what answers are worth, on a data set or on your judgements."""
    names = [name.strip() for name in (strategies or "").split(",") if name.strip()]
    asked = {
        "dataset": _path(dataset),
        "strategies": names or None,
        "rerankers": rerank,
        "top_k": top_k,
        "report": _path(report),
        "collections": collection,
        "answers": answers,
        "llm": llm,
        "without_gold": without_gold,
        "before": _path(before),
    }
    if answers:
        done = finished(context, as_json, AnswerEvaluationFields, "eval", **asked)
        show(done, as_json, evaluation.print_answers)
    else:
        found = finished(context, as_json, EvaluationFields, "eval", **asked)
        show(found, as_json, evaluation.print_evaluation)


@app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """List the judgements."""
    show(_response(_judgements(context)), as_json, evaluation.print_judgements)


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
        if number > one.pages:
            raise InvalidInput(f"{one.name} has {one.pages} pages and no page {number}")
    judgements = _judgements(context)
    judgements.add(Judgement(question, one.sha256, number, one.name, int(answers)) for number in page)
    show(_response(judgements), as_json, lambda _, found: typer.echo(_total(found)))


@app.command("import")
def import_(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="With questions.jsonl, or queries.jsonl and qrels/.")],
    as_json: Json = False,
) -> None:
    """Add judgements from files."""
    from rag_app.evaluation import judgements as files

    read = files.read(folder.expanduser(), [one.model_dump() for one in _documents(context)])
    judgements = _judgements(context)
    judgements.add(read)
    found = JudgementsImportResponse.of(**dict(_response(judgements)), imported=len(read))
    show(found, as_json, lambda *_: typer.echo(f"{len(read)} imported; {_total(found)}"))


@app.command()
def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where questions.jsonl, queries.jsonl and qrels/ go.")],
    as_json: Json = False,
) -> None:
    """Write the judgements to files, for another library or other programs."""
    from rag_app.evaluation import judgements as files

    judgements = _judgements(context)
    questions = files.export(judgements.all(), folder.expanduser())
    found = JudgementsExportResponse(folder=str(folder.expanduser().absolute()), questions=questions)
    said = f"wrote {lines.count(questions, 'question')} to {found.folder}"
    show(found, as_json, lambda *_: typer.echo(lines.harmless(said)))


@app.command()
def clear(
    context: typer.Context,
    question: Annotated[
        str | None, typer.Option("--question", help="Only the judgements of this question.")
    ] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Forget judgements."""
    if not yes and question is None:
        typer.confirm("Forget all judgements?", abort=True, err=True)
    judgements = _judgements(context)
    removed = judgements.remove(question)
    found = JudgementsClearResponse.of(**dict(_response(judgements)), removed=removed)
    show(found, as_json, lambda *_: typer.echo(f"{removed} forgotten; {_total(found)}"))


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _judgements(context: typer.Context) -> "Judgements":
    from rag_app.evaluation.judgements import Judgements
    from rag_app.history.database import STATE_FILE, StateDatabase

    return Judgements(StateDatabase(context.obj.settings().data_dir / STATE_FILE))


def _documents(context: typer.Context) -> tuple[DocumentFields, ...]:
    """Return the documents of all collections."""
    with open_service(context) as service:
        names = tuple(one.name for one in service.collections().collections)
        return service.documents(Narrowing(collections=names)).documents


def _document(documents: Sequence[DocumentFields], name: str) -> DocumentFields:
    found = [one for one in documents if name in (one.document_id, one.name)]
    if len({one.sha256 for one in found}) > 1:
        ids = ", ".join(one.document_id for one in found)
        raise InvalidInput(f"{len(found)} documents are named {name!r}; give one's id: {ids}")
    if not found:
        raise UnknownName("document", name, (one.name for one in documents))
    return found[0]


def _response(judgements: "Judgements") -> JudgementsResponse:
    rows = judgements.all()
    return JudgementsResponse.of(questions=len({row.question for row in rows}), judgements=rows)


def _total(found: JudgementsResponse) -> str:
    judgements = lines.count(len(found.judgements), "judgement")
    return f"{judgements} of {lines.count(found.questions, 'question')}"
