"""A GGUF file as a LangChain chat model. llama.cpp runs in a child process and cannot take this one along."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field, PrivateAttr

from rag_app.llm.base import SamplingChatModel, plain
from rag_app.llm.process.child import Reply
from rag_app.llm.process.supervisor import MOST_WAITING, ModelProcess
from rag_app.llm.reasoning import Reasoning, TextKind
from rag_app.llm.speed import PrefillSpeeds, evidence_budget
from rag_app.llm.stream_chunks import (
    REASONING,
    ModelProgress,
    last_chunk,
    progress_chunk,
    reasoning_chunk,
    text_chunk,
)


class LlamaCpp(SamplingChatModel):
    """Chat with the model in `model_path`, wholly on this machine.

    The model is loaded by the first call that needs it and stays loaded until `close`, the end of a `with`
    block, or the end of this process. Answers are written one at a time; other callers wait in a queue, so
    start no other answer while reading a stream. Closing a stream stops the model within one token, or within
    a step of reading the prompt. What a prompt has in common with the one before is not read again. The
    fields that describe the file are read when this is constructed; changing them later has no effect.

    A thought with which the model begins is no part of the answer: it comes in
    `additional_kwargs["reasoning_content"]`. The option `progress=True` of one call makes a stream tell what
    it waits for (`rag_app.llm.stream_chunks`), every half second at least.

    Every failure is an ingestion.errors.ModelError of one line, except Cancelled after `cancel`.
    """

    model_path: Path
    context_tokens: int | None = Field(default=None, gt=0)
    """Prompt and answer together, in tokens. None: what the file states, at most 8192."""
    threads: int | None = Field(default=None, gt=0)
    """None: every processor that the process may use."""
    gpu_layers: int = Field(default=0, ge=-1)
    """Layers to put on a GPU, if llama-cpp-python was built for one; -1 for all."""
    max_waiting: int = Field(default=MOST_WAITING, ge=0)
    """Callers that may wait for their turn; one more gets request_queue.TooManyWaiting."""
    speed_file: Path | None = None
    """Where measured reading speeds are kept. None: they are measured again by each process."""

    _process: ModelProcess = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        super().model_post_init(context)
        self._process = ModelProcess(
            self.model_path,
            context_tokens=self.context_tokens,
            threads=self.threads,
            gpu_layers=self.gpu_layers,
            max_waiting=self.max_waiting,
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

        Returns whether there was one. Whoever waits for it gets ingestion.errors.Cancelled.
        """
        return self._process.cancel()

    @property
    def pid(self) -> int | None:
        """Process id of the child, or None while there is none."""
        return self._process.pid

    @property
    def model_name(self) -> str:
        """The file's name."""
        return self.model_path.name

    @property
    def leaves_machine(self) -> str | None:
        """The host that prompts are sent to: none."""
        return None

    @property
    def context_window(self) -> int:
        """Tokens of prompt and answer together. Reads the file's head."""
        return self._process.context_window

    def evidence_tokens(self) -> int:
        """Return how much evidence the model reads here in about ten seconds, half of the window at most.

        Loads the model, and measures it, where it has never been read with before.
        """
        return min(evidence_budget(self._process.speed.tokens_per_s), self.context_window // 2)

    def count_tokens(self, text: str) -> int:
        """Return the number of the model's own tokens in `text`, special tokens read as plain text, no BOS.

        Waits for the file's head, not for its weights nor for an answer being written.
        """
        return self._process.count("count", text=text)

    def count_prompt_tokens(self, messages: Sequence[BaseMessage]) -> int:
        """Return the number of tokens that `messages` take in the context window, chat template included.

        Waits for the file's head, not for its weights nor for an answer being written.
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
        }

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = self._llm_type
        params.setdefault("ls_model_name", self.model_path.name)
        return params

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - BaseChatModel's signature
        **kwargs: Any,
    ) -> ChatResult:
        written = {TextKind.ANSWER: "", TextKind.THOUGHT: ""}
        with closing(self._replies(messages, stop, kwargs)) as replies:
            for reply in replies:
                if reply["kind"] == "part":
                    written[reply["part"]] += reply["text"]
                done = reply
        thought = {REASONING: written[TextKind.THOUGHT]} if written[TextKind.THOUGHT] else {}
        message = AIMessage(written[TextKind.ANSWER], additional_kwargs=thought, usage_metadata=_usage(done))
        return ChatResult(generations=[ChatGeneration(message=message, generation_info=self._info(done))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - BaseChatModel reports the chunks
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        progress = self._options(kwargs).progress
        with closing(self._replies(messages, stop, kwargs)) as replies:
            for reply in replies:
                match reply["kind"]:
                    case "part" if reply["part"] is TextKind.ANSWER:
                        yield text_chunk(reply["text"])
                    case "part":
                        yield reasoning_chunk(reply["text"])
                    case "done":
                        yield last_chunk(_usage(reply), self._info(reply))
                    case "alive" if progress:
                        yield text_chunk("")
                    case _ if progress:
                        yield progress_chunk(_progress(reply))

    def _replies(
        self, messages: list[BaseMessage], stop: list[str] | None, given: dict[str, Any]
    ) -> Generator[Reply]:
        """Yield the process's replies, with "text" taken apart into "part"s of thought and answer."""
        options = self._options(given)
        asked = self._process.generate(
            messages=plain(messages),
            stop=stop or [],
            max_tokens=options.max_tokens,
            sampling=asdict(options.sampling),
            thinking=options.thinking,
        )
        reasoning = Reasoning()
        with closing(asked) as replies:
            for reply in replies:
                if reply["kind"] == "text":
                    yield from _parts(reasoning.feed(reply["text"]))
                    continue
                if reply["kind"] == "prefill" and reply["done"] == reply["total"]:
                    reasoning = Reasoning(begun=reply["thinking"])
                if reply["kind"] == "done":
                    yield from _parts(reasoning.finish())
                yield reply

    def _info(self, done: Reply) -> dict[str, str]:
        return {"finish_reason": done["finish_reason"], "model_name": self.model_name}


def _parts(pieces: Iterator[tuple[TextKind, str]]) -> Iterator[Reply]:
    return ({"kind": "part", "part": part, "text": text} for part, text in pieces)


def _progress(reply: Reply) -> ModelProgress:
    if reply["kind"] == "prefill":
        return ModelProgress("prefill", reply["done"], reply["total"])
    return ModelProgress(reply["kind"], reply.get("before", 0))


def _usage(done: Reply) -> UsageMetadata:
    prompt, answer = done["prompt_tokens"], done["completion_tokens"]
    return UsageMetadata(
        input_tokens=prompt,
        output_tokens=answer,
        total_tokens=prompt + answer,
        input_token_details=InputTokenDetails(cache_read=done["cached_tokens"]),
    )
