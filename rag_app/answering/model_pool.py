"""The language models and rerankers that answer, each opened once and shared by all questions."""

import re
import threading
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from langchain_core.runnables import RunnableConfig

from ingestion.encoders import Encoder
from ingestion.encoders.device import ANY_DEVICE, ComputeDevice
from ingestion.errors import InvalidInput, ModelError
from rag_app.answering.answerer import Answerer
from rag_app.answering.chat_answerer import ChatAnswerer, WritingModel
from rag_app.answering.extractive_answerer import ExtractiveAnswerer
from rag_app.llm.base import SAMPLING
from rag_app.llm.choice import AUTO, EXTRACTIVE, Llm, Server
from rag_app.llm.installation import missing_llama
from rag_app.llm.llama import LlamaCpp
from rag_app.llm.openai import ServerModel
from rag_app.llm.process.processors import default_threads
from rag_app.llm.servers.finder import ServerFinder
from rag_app.llm.servers.served_model import ServedModel
from rag_app.llm.speed import PrefillSpeed, PrefillSpeeds, ReadingSetup
from rag_app.llm.usage import GeneratorInfo, model_options
from rag_app.model_store import reranker_named, resolve
from rag_app.model_store.hashing import FileHashes
from rag_app.model_store.store import ModelStore, Presence
from retrievers.reader import BuiltinReader
from retrievers.reranking import Reranker

# llama.cpp opens the first part of a split model and finds the others.
_LATER_PART = re.compile(r"-(?!00001)\d{5}-of-\d{5}\.gguf$")


class ModelPool:
    """Opens models by name. Safe to use from several threads.

    Args:
        store: The models on this machine, with the current settings.
        encoder: Encodes answers and evidence to compute citations.
        compute: The device that rerankers and the reader run on.

    Attributes:
        reader: The built-in reader, which is the built-in reranker too.
        servers: Finds the models of servers on this machine.
    """

    def __init__(self, store: ModelStore, encoder: Encoder, compute: ComputeDevice = ANY_DEVICE) -> None:
        self._store = store
        self._encoder = encoder
        self._hashes = FileHashes()
        self._lock = threading.Lock()
        self._answerers: dict[Llm, ChatAnswerer] = {}
        self._compute = compute
        self.reader = BuiltinReader(compute)
        self._rerankers: dict[str, Reranker] = {self.reader.name: self.reader}
        self.servers = ServerFinder.on_ports(store.settings.find_servers)

    def close(self) -> None:
        """Close every language model."""
        for answerer in self.chat_answerers():
            answerer.model.close()

    def resolve(self, name: str = AUTO) -> Llm:
        """Return the language model that a name stands for.

        "auto" is the setting `llm`; where that is "auto" too, the one GGUF file in the models folder, or
        quotations without a file. Without llama.cpp a file stands for quotations, with a note.

        Raises:
            InvalidInput: The folder holds several models, or a URL cannot be used.
            ModelError: The model's file is missing.
        """
        chosen = self._chosen(name)
        if chosen.file is None:
            return chosen
        note = missing_llama(f"answers are quotations, because {chosen.file.name} needs")
        return Llm(note=note) if note else chosen

    def _chosen(self, name: str) -> Llm:
        settings = self._store.settings
        if name == AUTO:
            name = settings.llm
        if name == EXTRACTIVE:
            return Llm()
        if server := Server.parse(name):
            return Llm(server=server)
        if name != AUTO:
            return Llm(file=resolve(name, role="llm", folder=settings.models_folder))
        found = [file for file in self.llm_files() if not _LATER_PART.search(file.name)]
        if len(found) > 1:
            names = ", ".join(file.name for file in found)
            raise InvalidInput(
                f"the models folder {settings.models_folder} holds several models: {names}; "
                "choose one with --llm PATH or RAG_APP_LLM"
            )
        return Llm(file=found[0]) if found else Llm()

    def answerer(self, name: str) -> Answerer:
        """Return the answerer of a language model's name. Raises what `resolve` raises."""
        llm = self.resolve(name)
        if llm.quotes:
            return ExtractiveAnswerer(self._encoder)
        with self._lock:
            if llm not in self._answerers:
                self._answerers[llm] = ChatAnswerer(self._open(llm), self._encoder)
            return self._answerers[llm]

    def reranker(self, name: str | None) -> Reranker | None:
        """Return the reranker of a name; None for no name. Raises ModelError where it is missing."""
        if not name:
            return None
        with self._lock:
            if name not in self._rerankers:
                self._rerankers[name] = reranker_named(name, self._store.folder, self._compute)
            return self._rerankers[name]

    def generator_info(self, name: str, config: RunnableConfig | None) -> GeneratorInfo:
        """Return what a receipt says of the language model, and of one call to it."""
        answerer = self.answerer(name)
        if not isinstance(answerer, ChatAnswerer):
            return GeneratorInfo(answerer.name)
        file, model, given = self.resolve(name).file, answerer.model, model_options(config)
        sampling = {key: value for key, value in given.items() if key in SAMPLING}
        return GeneratorInfo(
            answerer.name,
            None if file is None else self._sha256(file),
            replace(model.sampling, **sampling),
            given.get("max_tokens", model.max_tokens),
            given.get("thinking", model.thinking),
        )

    @property
    def missing(self) -> str | None:
        """A sentence on what language models in files need and is not installed; None: nothing."""
        return missing_llama()

    def chat_answerers(self) -> list[ChatAnswerer]:
        """Return the answerers of the language models that were opened."""
        return list(self._answerers.values())

    def llm_files(self) -> list[Path]:
        """Return the GGUF files in the models folder."""
        return sorted(self._store.folder.glob("*.gguf"))

    def llm_names(self) -> list[str]:
        """Return the names of the language models that were pulled or added, and can be used."""
        return self._usable("llm")

    def served_models(self, *, ask: bool = True) -> list[ServedModel]:
        """Return the language models of servers on this machine; it takes 300 ms at most.

        "auto" never means one of them: another user of this machine may have opened a server's port.

        Args:
            ask: Whether the servers are asked, where the last time is a minute ago.
        """
        return self.servers.models() if ask else self.servers.known()

    def counts_exactly(self, name: str = AUTO) -> bool:
        """Return whether the tokens of a language model are counted rather than estimated."""
        answerer = self.answerer(name)
        model = answerer.model if isinstance(answerer, ChatAnswerer) else None
        return model.counts_exactly if isinstance(model, ServerModel) else True

    def reranker_names(self) -> list[str]:
        """Return the names of the rerankers on this machine."""
        return self._usable("reranker")

    def _usable(self, role: str) -> list[str]:
        usable = (Presence.BUILT_IN, Presence.VERIFIED, Presence.UNRECORDED)
        states = self._store.states()
        return [one.entry.name for one in states if one.entry.role == role and one.presence in usable]

    def reading_speed(self, file: Path) -> PrefillSpeed | None:
        """Return how fast a GGUF file's model reads on this machine; None where nothing measured it."""
        settings = self._store.settings
        reader = ReadingSetup(file, settings.llm_threads or default_threads(), settings.llm_gpu_layers)
        return PrefillSpeeds(settings.speed_file).get(reader)

    def _open(self, llm: Llm) -> WritingModel:
        settings = self._store.settings
        options = {
            "context_tokens": settings.llm_context_tokens,
            "max_tokens": settings.llm_max_tokens,
            "thinking": settings.llm_thinking,
            **asdict(settings.sampling),
        }
        if llm.server is not None:
            configured = Server.parse(settings.llm)
            # The key belongs to the configured server, never to a server that a question names.
            trusted = configured is not None and configured.origin == llm.server.origin
            return ServerModel(
                server=llm.server, api_key=settings.llm_api_key if trusted else None, **options
            )
        assert llm.file is not None
        self._sha256(llm.file)  # starts hashing a large file, so that its first receipt has the hash
        return LlamaCpp(
            model_path=llm.file,
            max_waiting=settings.llm_max_waiting,
            silence_s=settings.llm_silence_seconds,
            speed_file=settings.speed_file,
            threads=settings.llm_threads,
            gpu_layers=settings.llm_gpu_layers,
            **options,
        )

    def _sha256(self, file: Path) -> str | None:
        """Return a model file's hash: the recorded one, or a computed one; None while it is computed."""
        with suppress(ModelError, OSError):  # the record is damaged, or the file is gone: no hash
            return self._store.lock.sha256(file) or self._hashes.of(file)
        return None
