"""A GGUF file as a LangChain chat model. llama.cpp runs in a child process; its crash ends only that."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from pydantic import Field, PrivateAttr

from rag_app.llm.base import SamplingChatModel, plain
from rag_app.llm.process.child import Reply
from rag_app.llm.process.silence import SILENCE_LIMIT_S
from rag_app.llm.process.supervisor import MOST_WAITING, ModelProcess
from rag_app.llm.reasoning import Reasoning
from rag_app.llm.speed import PrefillSpeeds, chat_evidence, completion_evidence
from rag_app.llm.stream_chunks import (
    ModelProgress,
    StreamedUsage,
    last_chunk,
    progress_chunk,
    text_chunk,
    written_chunks,
)


class LlamaCpp(SamplingChatModel):
    """Chat with the model in `model_path`, on this machine alone.

    The first call that needs the model loads it; `close`, the end of a `with` block or of this process
    unloads it. The model writes one answer at a time, and other callers wait in a queue: start no other
    answer while you read a stream. Closing a stream stops the model within one token, or within one block of
    the prompt. The beginning that a prompt shares with the one before is not read again. The fields that
    describe the file are read at construction; later changes have no effect.

    Reasoning before the answer comes in `additional_kwargs["reasoning_content"]`. With the call option
    `progress=True` a stream reports progress (`rag_app.llm.stream_chunks`) every half second at least.

    Every failure is an `ingestion.errors.ModelError` of one line, except Cancelled after `cancel`.
    """

    model_path: Path
    context_tokens: int | None = Field(default=None, gt=0)
    """The context window in tokens. None: the window that the file states, at most 8192."""
    threads: int | None = Field(default=None, gt=0)
    """None: one for each physical core that this process may use."""
    gpu_layers: int | None = Field(default=None, ge=-1)
    """Layers on a GPU, for a llama-cpp-python that was built for one; -1: all. None: all where it was."""
    adapter: Path | None = None
    """Low-rank weights for the model, a GGUF file (`benchmarks/train_adapter.py` makes one)."""
    max_waiting: int = Field(default=MOST_WAITING, ge=0)
    """Callers that may wait; the next one gets `request_queue.TooManyWaiting`."""
    silence_s: float = Field(default=SILENCE_LIMIT_S, gt=0)
    """A child process that owes an answer, and gives no sign of life for so long, is ended; the next question
    starts another one."""
    speed_file: Path | None = None
    """The file of measured reading speeds. None: each process measures them."""

    _process: ModelProcess = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        super().model_post_init(context)
        self._process = ModelProcess(
            self.model_path,
            context_tokens=self.context_tokens,
            threads=self.threads,
            gpu_layers=self.gpu_layers,
            adapter=self.adapter,
            max_waiting=self.max_waiting,
            silence_s=self.silence_s,
            speeds=PrefillSpeeds(self.speed_file),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child process and free its memory. A later call starts it again."""
        self._process.close()

    def cancel(self) -> bool:
        """Stop the answer being written, from any thread, even while the prompt is still being read.

        The reader of that answer gets `ingestion.errors.Cancelled`.

        Returns:
            Whether there was an answer to stop.
        """
        return self._process.cancel()

    @property
    def pid(self) -> int | None:
        """Process id of the child; None while no child runs."""
        return self._process.pid

    @property
    def model_name(self) -> str:
        """The file's name."""
        return self.model_path.name

    @property
    def leaves_machine(self) -> str | None:
        """None: prompts stay on this machine."""
        return None

    @property
    def context_window(self) -> int:
        """The context window in tokens. Reads the file's head."""
        return self._process.context_window

    @property
    def completes(self) -> bool:
        """Whether the model completes plain text: its file has no chat template. Reads the file's head."""
        return self._process.completes

    @property
    def is_trained(self) -> bool:
        """Whether it has an adapter for the prompts of models that complete plain text."""
        return self.adapter is not None

    def evidence_tokens(self) -> int:
        """Return the tokens that the model reads here in about ten seconds, at most half of the window.

        A model that only completes text gets less. Otherwise this loads the model and measures its speed
        where no speed is known.
        """
        if self.completes:
            return completion_evidence(self.context_window)
        return chat_evidence(self._process.speed.tokens_per_s, self.context_window)

    def count_tokens(self, text: str) -> int:
        """Return how many of the model's tokens `text` has. Special tokens count as plain text; no BOS.

        Waits for the file's head, but neither for its weights nor for a running answer.
        """
        return self._process.count("count", text=text)

    def count_prompt_tokens(self, messages: Sequence[BaseMessage]) -> int:
        """Return how many tokens `messages` take in the context window, chat template included.

        Waits for the file's head, but neither for its weights nor for a running answer.
        """
        return self._process.count("count_prompt", messages=plain(messages), thinking=self.thinking)

    @property
    def _llm_type(self) -> str:
        return "llama.cpp"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {
            "model_path": str(self.model_path),
            "context_tokens": self.context_tokens,
            "max_tokens": self.max_tokens,
            **asdict(self.sampling),
            "thinking": self.thinking,
            "gpu_layers": self.gpu_layers,
            "adapter": None if self.adapter is None else str(self.adapter),
        }

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = self._llm_type
        params.setdefault("ls_model_name", self.model_path.name)
        return params

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - BaseChatModel reports the chunks
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        options = self._options(kwargs)
        asked = self._process.generate(
            messages=plain(messages),
            stop=stop or [],
            max_tokens=options.max_tokens,
            sampling=asdict(options.sampling),
            thinking=options.thinking,
        )
        reasoning, counts = Reasoning(), StreamedUsage()
        with closing(asked) as replies:
            for reply in replies:
                kind = reply["kind"]
                if kind == "text":
                    counts.wrote(reply["tokens"])
                    yield from counts.on(written_chunks(reasoning.feed(reply["text"])))
                elif kind == "done":
                    yield from written_chunks(reasoning.finish())
                    counts.read(reply["prompt_tokens"], reply["cached_tokens"])
                    counts.wrote(reply["completion_tokens"])
                    info = {"finish_reason": reply["finish_reason"], "model_name": self.model_name}
                    yield last_chunk(counts.since(), info)
                else:
                    if kind == "prefill":
                        counts.read(reply["total"], reply["done"])
                    if kind == "prefill" and reply["done"] == reply["total"]:
                        reasoning = Reasoning(begun=reply["thinking"])
                    if options.progress:
                        yield text_chunk("") if kind == "alive" else progress_chunk(_progress(reply))


def _progress(reply: Reply) -> ModelProgress:
    if reply["kind"] == "prefill":
        return ModelProgress("prefill", reply["done"], reply["total"])
    return ModelProgress(reply["kind"], reply.get("before", 0))
