"""jobs list, show, resume, retry, cancel, clear."""

from typing import Annotated

import typer
from rich.console import Console

from rag_app.cli.common import Fields, Json, service, show
from rag_app.cli.following import exit_for, follow, print_failed

app = typer.Typer(rich_markup_mode=None, help="See, go on with, retry, cancel and forget work on files.")

Id = Annotated[int, typer.Argument(help="A job's id, as rag-app jobs lists them.")]


@app.callback(invoke_without_command=True)
def _listed(context: typer.Context, as_json: Json = False) -> None:
    if context.invoked_subcommand is None:
        _list(context, as_json)


@app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """List the jobs, the unfinished ones and what became of the others."""
    _list(context, as_json)


@app.command("show")
def show_(context: typer.Context, identity: Id, as_json: Json = False) -> None:
    """Show one job's files."""
    from rag_app.cli.terminal import lines

    with service(context) as library:
        job = library.job(identity)
    show(job, as_json, lambda console: lines.print_job(console, job))


@app.command()
def resume(context: typer.Context, as_json: Json = False) -> None:
    """Go on with what was interrupted."""
    console = Console(stderr=as_json)
    done: list[Fields] = []
    with service(context) as library:
        unfinished = [job for job in library.jobs()["jobs"] if not job["finished"]]
        for job in unfinished:
            done.append(follow(library, library.resume(job["job_id"]), console, quiet=as_json))
    show({"jobs": done}, as_json, lambda console: _print_ended(console, done))
    exit_for(done)


@app.command()
def retry(context: typer.Context, identity: Id, as_json: Json = False) -> None:
    """Do a job's failed files again."""
    with service(context) as library:
        job = follow(library, library.retry(identity), Console(stderr=as_json), quiet=as_json)
    show(job, as_json, lambda console: print_failed(console, job))
    exit_for([job])


@app.command()
def cancel(context: typer.Context, identity: Id, as_json: Json = False) -> None:
    """Stop a job; what is finished of it is kept, the rest is forgotten."""
    with service(context) as library:
        job = library.cancel(identity)
    show(job, as_json, lambda _: typer.echo(f"{job['job_id']} is {job['state']}"))


@app.command()
def clear(context: typer.Context, as_json: Json = False) -> None:
    """Forget the jobs that have ended. Their documents stay."""
    with service(context) as library:
        left = library.clear()
    show(left, as_json, lambda _: typer.echo(f"{len(left['jobs'])} unfinished jobs are left"))


def _print_ended(console: Console, jobs: list[Fields]) -> None:
    for job in jobs:
        print_failed(console, job)
    if not jobs:
        console.print("nothing was interrupted")


def _list(context: typer.Context, as_json: bool) -> None:
    from rag_app.cli.terminal import lines

    with service(context) as library:
        listed = library.jobs()
    show(listed, as_json, lambda console: lines.print_jobs(console, listed["jobs"]))
