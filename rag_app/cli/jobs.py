"""jobs list, show, resume, retry, cancel, clear."""

from typing import Annotated

import typer
from rich.console import Console

from rag_app.cli.common import Json, open_service, respond, show
from rag_app.cli.progress import exit_for, follow, print_failed
from rag_app.cli.terminal import lines
from rag_app.contract.jobs import JobFields, JobsResponse
from rag_app.contract.requests import RetryRequest

app = typer.Typer(rich_markup_mode=None, help="See, go on with, retry, cancel and forget work on files.")

Id = Annotated[int, typer.Argument(help="A job's id, as rag-app jobs lists them.")]


@app.callback(invoke_without_command=True)
def _listed(context: typer.Context, as_json: Json = False) -> None:
    if context.invoked_subcommand is None:
        list_(context, as_json)


@app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """List the jobs, unfinished and ended ones."""
    respond(
        context,
        as_json,
        lambda service: service.jobs(),
        lambda console, listed: lines.print_jobs(console, listed.jobs, listed.warnings),
    )


@app.command("show")
def show_(context: typer.Context, identity: Id, as_json: Json = False) -> None:
    """Show one job's files."""
    respond(context, as_json, lambda service: service.job(identity), lines.print_job)


@app.command()
def resume(context: typer.Context, as_json: Json = False) -> None:
    """Go on with the jobs that were interrupted."""
    console = Console(stderr=as_json)
    done: list[JobFields] = []
    with open_service(context) as service:
        for job in service.jobs().jobs:
            if not job.finished:
                done.append(follow(service, service.resume(job.job_id), console, quiet=as_json))
    show(JobsResponse.of(jobs=done), as_json, _print_ended)
    exit_for(done)


@app.command()
def retry(
    context: typer.Context,
    identity: Id,
    file: Annotated[
        list[str] | None,
        typer.Option(
            "--file",
            metavar="NAME",
            help="Only this file, by name or path; needed for one that was set aside. May be repeated.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Do a job's failed files again."""
    request = RetryRequest.of(files=file or [])
    with open_service(context) as service:
        job = follow(service, service.retry(identity, request), Console(stderr=as_json), quiet=as_json)
    show(job, as_json, print_failed)
    exit_for([job])


@app.command()
def cancel(context: typer.Context, identity: Id, as_json: Json = False) -> None:
    """Stop a job; finished files are kept, the others are forgotten."""
    respond(
        context,
        as_json,
        lambda service: service.cancel(identity),
        lambda _, job: typer.echo(f"{job.job_id} is {job.state}"),
    )


@app.command()
def clear(context: typer.Context, as_json: Json = False) -> None:
    """Forget the jobs that have ended. Their documents stay."""
    respond(
        context,
        as_json,
        lambda service: service.clear(),
        lambda _, left: typer.echo(f"{len(left.jobs)} unfinished jobs are left"),
    )


def _print_ended(console: Console, ended: JobsResponse) -> None:
    for job in ended.jobs:
        print_failed(console, job)
    if not ended.jobs:
        console.print("nothing was interrupted")
