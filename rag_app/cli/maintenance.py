"""verify, repair, compact, reindex, export, import, stats."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal

from ingestion.errors import InvalidInput
from rag_app.cli.common import EXIT_FAILED, EXIT_SOME_FILES_FAILED, Collections, Json, respond, show
from rag_app.cli.progress import finished
from rag_app.cli.terminal import library, lines
from rag_app.contract.library import (
    CompactFields,
    ExportFields,
    ImportFields,
    RebuildResponse,
    ReindexFields,
    RepairFields,
    VerifyFields,
)


def verify(context: typer.Context, as_json: Json = False) -> None:
    """Look for damage in every store, and change nothing. Exit code 1 where damage is found."""
    found = finished(context, as_json, VerifyFields, "verify")
    show(found, as_json, library.print_verified)
    if not found.ok:
        raise typer.Exit(EXIT_FAILED)


def repair(
    context: typer.Context,
    anew: Annotated[
        bool,
        typer.Option(
            "--rebuild",
            help="Rebuild the library from originals, vectors and snapshots, where its catalogue is lost.",
        ),
    ] = False,
    remove_orphans: Annotated[
        bool,
        typer.Option(
            "--remove-orphans", help="Move files that belong to no document into the folder orphans."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Repair the damage that verify finds. Exit code 1 where some is left."""
    if anew and remove_orphans:
        raise InvalidInput("--rebuild makes use of every file; leave out --remove-orphans")
    if anew:
        _rebuild(context, as_json)
        return
    done = finished(context, as_json, RepairFields, "repair", remove_orphans=remove_orphans)
    show(done, as_json, library.print_repaired)
    if not done.ok:
        raise typer.Exit(EXIT_FAILED)


def _rebuild(context: typer.Context, as_json: bool) -> None:
    """Rebuild the library in this process: no service can open it."""
    from ingestion.encoders import ComputeDevice, builtin_encoder, load_encoder
    from ingestion.maintenance import MaintenanceProgress, rebuild

    settings = context.obj.settings()

    def tell(progress: MaintenanceProgress) -> None:
        if sys.stderr.isatty():
            typer.echo(f"\r{progress.stage} {progress.done} of {progress.total}", err=True, nl=False)

    compute = ComputeDevice(settings.device)
    compute.check(settings.encoder_precision)
    done = rebuild(
        settings.data_dir,
        builtin_encoder(settings.encoder_precision, compute),
        limits=settings.limits,
        load=partial(load_encoder, compute=compute),
        on_progress=tell,
    )
    said = [
        f"made anew: {lines.count(done.documents, 'document')}, {done.parsed} of them read again, "
        f"{done.encoded} encoded again"
    ]
    if done.uploads:
        said.append(f"{lines.count(done.uploads, 'upload')} queued that had not been ingested")
    said += [f"lost: {lines.harmless(one)}" for one in done.lost]
    said += [f"without its name, collection and path: {lines.harmless(one)}" for one in done.unnamed]
    said.append(
        f"the files that were there before are kept in {lines.harmless(done.kept)}; remove this folder "
        "when the library has what you need"
    )
    response = RebuildResponse.of(done, ok=done.ok)
    show(response, as_json, lambda *_: typer.echo("\n".join(said)))
    if not done.ok:
        raise typer.Exit(EXIT_FAILED)


def compact(context: typer.Context, as_json: Json = False) -> None:
    """Free the disk space of deleted documents."""
    done = finished(context, as_json, CompactFields, "compact")
    said = f"{decimal(done.bytes_before)} before, {decimal(done.bytes_after)} now"
    show(done, as_json, lambda *_: typer.echo(said))


def reindex(
    context: typer.Context,
    representation: Annotated[str | None, typer.Option(help="Its name; default: builtin.")] = None,
    model: Annotated[str | None, typer.Option(help="Its model: a folder, or a name from models.txt.")] = None,
    codec: Annotated[
        str | None, typer.Option(help="How token vectors are stored: int8, int4, int4-pool2, int8-nopunct, …")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove it instead.")] = False,
    as_json: Json = False,
) -> None:
    """Compute vectors again after a change of model, codec or chunker, or add those of another model."""
    done = finished(
        context,
        as_json,
        ReindexFields,
        "reindex",
        representation=representation,
        model=model,
        codec=codec,
        remove=remove,
    )
    name = done.representation
    if done.removed:
        said = f"removed the representation {name}"
    elif done.documents:
        said = f"{name}: {_reindexed(done)}, {lines.count(done.chunks, 'chunk')}"
    else:
        said = f"{name} is up to date"
    show(done, as_json, lambda *_: typer.echo(said))


def _reindexed(done: ReindexFields) -> str:
    """Return how many documents were encoded, and how many were converted."""
    converted, encoded = done.converted, done.documents - done.converted
    parts = [f"encoded {lines.count(encoded, 'document')}"] if encoded else []
    parts += [f"converted {lines.count(converted, 'document')} to {done.codec}"] if converted else []
    return ", ".join(parts)


def export(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The archive to write.")],
    originals: Annotated[bool, typer.Option("--originals", help="With the documents' own files.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    collection: Collections = None,
    as_json: Json = False,
) -> None:
    """Write the library, or some collections, into one file. Exit code 3 where documents are left out."""
    done = finished(
        context,
        as_json,
        ExportFields,
        "export",
        file=str(file),
        originals=originals,
        force=force,
        collections=collection,
    )
    said = f"wrote {lines.count(done.documents, 'document')}, {decimal(done.bytes)}, to {done.file}"
    if done.unreadable:
        said += f"; left out, because their text is damaged: {', '.join(done.unreadable)}"
    show(done, as_json, lambda *_: typer.echo(lines.harmless(said)))
    if done.unreadable:
        raise typer.Exit(EXIT_SOME_FILES_FAILED)


def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="An archive that export wrote.")],
    as_json: Json = False,
) -> None:
    """Add the documents of an archive."""
    done = finished(context, as_json, ImportFields, "import", file=str(file))
    said = (
        f"{lines.count(done.added, 'document')} added, {done.replaced} replaced, "
        f"{done.skipped} were here already; {done.encoded} had to be encoded"
    )
    if done.instructions:
        said += f"; instructions came with {', '.join(done.instructions)}: rag-app collections shows them"
    if done.instructions_left:
        said += f"; instructions were left out for {', '.join(done.instructions_left)}"
    show(done, as_json, lambda *_: typer.echo(said))


def stats(context: typer.Context, as_json: Json = False) -> None:
    """Show how much the library holds, and the disk space that it takes."""
    respond(context, as_json, lambda service: service.stats(), library.print_stats)
