"""Tasks on the whole library: the options, the work and the result of each kind."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.errors import InvalidInput
from rag_app.contract.library import (
    CompactFields,
    ExportFields,
    ImportFields,
    ProblemFields,
    ReindexFields,
    RepairFields,
    VerifyFields,
)
from rag_app.contract.requests import TaskRequest
from rag_app.evaluation.evaluations import EvaluationOptions, Evaluations
from rag_app.history.database import STATE_FILE, StateDatabase
from rag_app.model_store import all_entries, resolve
from rag_app.tasks import Control

if TYPE_CHECKING:
    from ingestion.library import Library
    from ingestion.maintenance import MaintenanceProgress
    from ingestion.maintenance.reindex import ReindexProgress
    from rag_app.config.settings import Settings

Work = Callable[[Control], object]

_TAKES: dict[str, Sequence[str]] = {
    "verify": (),
    "repair": ("remove_orphans",),
    "compact": (),
    "reindex": ("representation", "model", "codec", "remove"),
    "export": ("file", "originals", "force", "collections"),
    "import": ("file",),
    "eval": (
        "dataset",
        "collections",
        "strategies",
        "rerankers",
        "top_k",
        "report",
        "answers",
        "llm",
        "without_gold",
        "before",
    ),
}


def work_of(library: "Library", request: TaskRequest, settings: "Settings", evaluations: Evaluations) -> Work:
    """Return the work of a request. Raises InvalidInput for options that the kind of task does not take."""
    surplus = request.fields().keys() - {"kind", *_TAKES[request.kind]}
    wrong = sorted(name for name in surplus if getattr(request, name))
    if wrong:
        takes = ", ".join(_TAKES[request.kind]) or "nothing else"
        raise InvalidInput(f"{request.kind} takes {takes}; leave out {', '.join(wrong)}")
    if "file" in _TAKES[request.kind] and not request.file:
        raise InvalidInput(f"{request.kind} takes a file; name it")
    if request.kind == "eval":
        options = EvaluationOptions(
            dataset=request.dataset,
            collections=request.collections,
            strategies=request.strategies,
            rerankers=request.rerankers,
            top_k=request.top_k,
            report=request.report,
            answers=request.answers,
            llm=request.llm,
            without_gold=request.without_gold,
            before=request.before,
        )
        return evaluations.work(options)
    if request.kind == "reindex":
        return _reindex(library, request, settings)
    if request.kind == "repair":
        return _repair(library, request, settings)
    works: dict[str, Callable[[Library, TaskRequest], Work]] = {
        "verify": _verify,
        "compact": _compact,
        "export": _export,
        "import": _import,
    }
    return works[request.kind](library, request)


def _verify(library: "Library", _: TaskRequest) -> Work:
    from ingestion.maintenance import verify

    def work(control: Control) -> VerifyFields:
        report = verify(library, on_progress=_stages(control), cancelled=control.cancelled)
        problems = (*map(ProblemFields.of, report.problems), *_history_problems(library))
        return VerifyFields.of(report, ok=not problems, problems=problems)

    return work


def _repair(library: "Library", request: TaskRequest, settings: "Settings") -> Work:
    from ingestion.maintenance import repair

    def work(control: Control) -> RepairFields:
        report = repair(
            library, remove_orphans=request.remove_orphans, limits=settings.limits,
            on_progress=_stages(control), cancelled=control.cancelled,
        )  # fmt: skip
        left = (*map(ProblemFields.of, report.left), *_history_problems(library))
        return RepairFields.of(report, ok=not left, left=left)

    return work


def _history_problems(library: "Library") -> tuple[ProblemFields, ...]:
    """Return the fault of the conversations' file, which only a backup repairs; nothing for a sound one."""
    fault = StateDatabase(library.folder / STATE_FILE).fault()
    if fault is None:
        return ()
    mend = f"put {STATE_FILE} back from a backup, or move it away to start without conversations"
    return (ProblemFields(store="history", what=fault, document=None, mend=mend),)


def _compact(library: "Library", _: TaskRequest) -> Work:
    from ingestion.maintenance import compact

    def work(control: Control) -> CompactFields:
        done = compact(library, on_progress=_stages(control), cancelled=control.cancelled)
        return CompactFields.of(done, bytes_before=done.before.total, bytes_after=done.after.total)

    return work


def _reindex(library: "Library", request: TaskRequest, settings: "Settings") -> Work:
    from ingestion.maintenance.reindex import reindex, remove_representation
    from ingestion.storage.open_representations import BUILTIN_NAME
    from ingestion.storage.tokens.codec import CodecSpec

    name = request.representation or BUILTIN_NAME
    if request.remove:
        if request.model or request.codec:
            raise InvalidInput("a representation is removed without a model; leave out --model and --codec")
        return lambda _: ReindexFields.of(remove_representation(library, name))
    if request.codec:
        CodecSpec.parse(request.codec)
    source = str(_model(request.model, settings.models_folder)) if request.model else None

    def work(control: Control) -> ReindexFields:
        def tell(progress: "ReindexProgress") -> None:
            control.report(progress.name, progress.done, progress.total)

        done = reindex(
            library, name, source=source, codec=request.codec, on_progress=tell, cancelled=control.cancelled,
            limits=settings.limits,
        )  # fmt: skip
        return ReindexFields.of(done)

    return work


def _export(library: "Library", request: TaskRequest) -> Work:
    from ingestion.maintenance.archive.exchange import export_library

    assert request.file
    file = Path(request.file).expanduser().absolute()
    collections = request.collections or None
    for name in request.collections:
        library.catalogue.collection_ids([name])

    def work(control: Control) -> ExportFields:
        exported = export_library(
            library, file, originals=request.originals, collections=collections, force=request.force,
            on_progress=_stages(control), cancelled=control.cancelled,
        )  # fmt: skip
        return ExportFields.of(exported, file=str(file))

    return work


def _import(library: "Library", request: TaskRequest) -> Work:
    from ingestion.maintenance.archive.exchange import import_library

    assert request.file
    file = Path(request.file).expanduser().absolute()

    def work(control: Control) -> ImportFields:
        imported = import_library(library, file, on_progress=_stages(control), cancelled=control.cancelled)
        return ImportFields.of(imported, file=str(file))

    return work


def _model(name: str, folder: Path) -> Path:
    """Return the folder of an encoder. Raises ModelError."""
    roles = (entry.role for entry in all_entries(folder) if name.lower() in (entry.name.lower(), entry.repo))
    role = next((role for role in roles if role in ("embedder", "colbert")), "embedder")
    return resolve(name, role=role, folder=folder).absolute()


def _stages(control: Control) -> "Callable[[MaintenanceProgress], None]":
    return lambda progress: control.report(progress.stage, progress.done, progress.total)
