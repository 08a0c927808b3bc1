"""models list, pull, verify, add, remove, use, bundle, unbundle. None of them opens the library."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from rag_app.cli.common import EXIT_FAILED, Json, Yes, confirm, show
from rag_app.cli.terminal.lines import count, harmless, line, shown
from rag_app.cli.terminal.progress import bytes_bar
from rag_app.contract.models import (
    BundleResponse,
    ModelEntryFields,
    ModelEntryResponse,
    ModelsResponse,
    ModelStateFields,
    PulledResponse,
    RemovedModelResponse,
    ServedModelFields,
    UnbundledResponse,
    UsedModelResponse,
    VerifiedModelFields,
    VerifiedModelsResponse,
)

if TYPE_CHECKING:
    from rag_app.model_store.store import ModelStore

# Characters of a terminal's line; narrower ones show no notes.
_NOTES_FROM = 120

app = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="List models, and bring them to this machine."
)

Name = Annotated[str, typer.Argument(help="A model's name, as rag-app models list shows it.")]
Names = Annotated[list[str] | None, typer.Argument(help="Models; default: all that are recorded.")]
Role = Annotated[
    str | None, typer.Option("--role", help="embedder, colbert, reranker or llm, where a name has several.")
]


@app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """List the models, and whether each is here, in use, and fits into this machine's memory.

    A language model that is here gets its prompts as a chat, or as plain text that it completes.
    Below them are the models that servers on this machine offer: Ollama, LM Studio, llama-server, vLLM.
    """
    from rag_app.llm.installation import missing_llama
    from rag_app.llm.servers.finder import ServerFinder

    store = _store(context)
    states = [
        ModelStateFields.of(state, **dict(ModelEntryFields.of(state.entry))) for state in store.states()
    ]
    served = ServerFinder.on_ports(store.settings.find_servers).models()
    show(ModelsResponse.of(models=states, served=served, missing=missing_llama()), as_json, _print)


@app.command()
def pull(context: typer.Context, name: Name, role: Role = None, as_json: Json = False) -> None:
    """Fetch a model from the Hugging Face hub. A pull that was cut goes on where it ended."""
    store = _store(context)
    with bytes_bar(Console(stderr=True), quiet=as_json) as move:
        pulled = store.pull(
            name, role=role, on_progress=lambda progress: move(progress.name, progress.done, progress.total)
        )
    response = PulledResponse.of(pulled, folder=str(store.lock.root(pulled)))
    total = sum(file.bytes for file in pulled.files)
    of = f", commit {pulled.commit[:12]}" if pulled.commit else ""
    said = f"{pulled.name} is here and verified: {decimal(total)}{of}"
    show(response, as_json, lambda *_: typer.echo(harmless(said)))


@app.command()
def verify(context: typer.Context, names: Names = None, role: Role = None, as_json: Json = False) -> None:
    """Hash every file again. Exit code 1 where one differs from its record."""
    found = _store(context).verify(tuple(names or ()), role=role)
    models = [
        VerifiedModelFields.of(
            role=one.model.role,
            name=one.model.name,
            files=len(one.model.files),
            ok=not one.faults,
            faults=one.faults,
        )
        for one in found
    ]
    ok = all(model.ok for model in models)
    lines = [
        f"{one.model.name}: {'whole' if not one.faults else 'not what was recorded'}"
        + "".join(f"\n  {fault.file} is {fault.state}: {fault.detail}" for fault in one.faults)
        for one in found
    ]
    said = "\n".join(lines) or "No model was pulled or added; the built-in ones came with the installation."
    response = VerifiedModelsResponse(ok=ok, models=tuple(models))
    show(response, as_json, lambda *_: typer.echo(harmless(said)))
    if not ok:
        raise typer.Exit(EXIT_FAILED)


@app.command()
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The name to give the model.")],
    role: Annotated[str, typer.Option("--role", help="embedder, colbert, reranker or llm.")],
    source: Annotated[str, typer.Option("--source", help="file:PATH or hf:OWNER/REPO[@REVISION].")],
    files: Annotated[
        str | None, typer.Option("--files", help="Patterns of the files that are needed, in one argument.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List a model of your own, in models.txt of the models folder."""
    entry = _store(context).add(name, role=role, source=source, files=tuple((files or "").split()))
    then = f"; fetch it with: rag-app models pull {entry.name}" if entry.repo else ", and its files recorded"
    said = f"the {entry.role} {entry.name} is listed{then}"
    show(ModelEntryResponse.of(entry), as_json, lambda *_: typer.echo(harmless(said)))


@app.command()
def remove(
    context: typer.Context, name: Name, role: Role = None, yes: Yes = False, as_json: Json = False
) -> None:
    """Delete a model that was pulled, or forget one that was added; files elsewhere stay."""
    store = _store(context)
    entry = store.entry(name, role)
    if not yes:
        confirm(harmless(f"Remove the {entry.role} {entry.name}?"), as_json, "remove a model")
    removed, freed = store.remove(entry.name, role=entry.role)
    said = f"removed the {removed.role} {removed.name}, {decimal(freed)}"
    response = RemovedModelResponse.of(removed, bytes=freed)
    show(response, as_json, lambda *_: typer.echo(harmless(said)))


@app.command()
def use(context: typer.Context, name: Name, role: Role = None, as_json: Json = False) -> None:
    """Use a model from now on: an LLM or reranker is written into the settings file."""
    used = _store(context).use(name, role=role)
    response = UsedModelResponse.of(
        used, **dict(ModelEntryFields.of(used.entry)), file=str(used.file) if used.file else None
    )
    if used.setting:
        said = f"{used.setting} is {used.entry.name} now, in {used.file}"
        if used.overridden_by:
            said += f"; but {used.overridden_by} is set, and comes before the file"
    elif used.command:
        said = f"encode the passages with it: {used.command}"
    else:
        said = f"{used.entry.name} is built in, and always used"
    if used.fit in ("tight", "too large"):
        said += f". Its {used.entry.memory_mb} MB of memory are {used.fit} for this machine"
    show(response, as_json, lambda *_: typer.echo(harmless(said)))


@app.command()
def bundle(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    names: Names = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    as_json: Json = False,
) -> None:
    """Write models into one file, for a machine without a network."""
    path = file.expanduser().absolute()
    with bytes_bar(Console(stderr=True), quiet=as_json) as move:
        models, written = _store(context).bundle(
            path, tuple(names or ()), force=force,
            on_progress=lambda progress: move(progress.name, progress.done, progress.total),
        )  # fmt: skip
    response = BundleResponse.of(file=str(path), bytes=written, models=models)
    said = f"wrote {count(len(models), 'model')}, {decimal(written)}, to {path}"
    show(response, as_json, lambda *_: typer.echo(harmless(said)))


@app.command()
def unbundle(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file that bundle wrote.")],
    as_json: Json = False,
) -> None:
    """Add the models of a bundle."""
    with bytes_bar(Console(stderr=True), quiet=as_json) as move:
        models = _store(context).unbundle(
            file.expanduser().absolute(),
            on_progress=lambda progress: move(progress.name, progress.done, progress.total),
        )
    said = f"here and verified: {', '.join(entry.name for entry in models)}"
    response = UnbundledResponse.of(models=models)
    show(response, as_json, lambda *_: typer.echo(harmless(said)))


def _print(console: Console, response: ModelsResponse) -> None:
    table = Table(box=None, pad_edge=False)
    has_forms = any(state.prompt_form for state in response.models)
    columns = ["role", "name", "state", *(["prompts"] if has_forms else []), "memory", "", "licence"]
    wide = console.width >= _NOTES_FROM
    for column in [*columns, "note"] if wide else columns:
        table.add_column(column, overflow="fold")
    for state in response.models:
        here = f"{state.presence}{', used' if state.in_use else ''}"
        absent = state.presence == "absent" and state.download_mb
        fetch = f", {state.download_mb} MB" if absent else ""
        memory = decimal(state.memory_mb * 10**6) if state.memory_mb else ""
        fit = "" if state.fit == "unknown" else state.fit
        prompts = [state.prompt_form or ""] if has_forms else []
        row = [state.role, shown(state.name), here + fetch, *prompts, memory, fit, shown(state.licence)]
        table.add_row(*row, *([shown(state.note)] if wide else []))
    console.print(table)
    if response.served:
        _print_served(console, response.served)
    if response.missing:
        line(console, f"[yellow]![/] {shown(response.missing)}")
    line(console, "[dim]rag-app models pull NAME fetches one; nothing else asks the network.[/]")


def _print_served(console: Console, served: Sequence[ServedModelFields]) -> None:
    console.print()
    line(console, "Servers on this machine; choose a model with --llm, or as llm in the settings:")
    for one in served:
        window = f", {one.context_tokens:,} tokens" if one.context_tokens else ""
        reasons = ", can reason first" if one.thinks else ""
        line(console, f"  {shown(one.url)}  ({one.kind}{window}{reasons})")
    console.print()


def _store(context: typer.Context) -> "ModelStore":
    from rag_app.model_store.store import ModelStore

    return ModelStore(context.obj.settings())
