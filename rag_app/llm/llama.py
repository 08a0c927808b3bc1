"""A GGUF file as a LangChain chat model. llama.cpp runs in a child process and cannot take this one along."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field, PrivateAttr

from ingestion.errors import ModelError
from rag_app.llm.child import Reply
from rag_app.llm.process import ModelProcess

ROLES: dict[type[BaseMessage], str] = {SystemMessage: "system", HumanMessage: "user", AIMessage: "assistant"}
OPTIONS = ("max_tokens", "temperature", "seed")  # what one call may set differently
IGNORED_OPTIONS = ("stream",)  # LangChain's own, passed through by its base class


class LlamaCpp(BaseChatModel):
    """Chat with the model in `model_path`, wholly on this machine.

    The model is loaded by the first call that needs it and stays loaded until `close`, the end of a `with`
    block, or the end of this process. Answers are written one at a time; a second caller waits, so start no
    other answer while reading a stream. Closing a stream stops the model within one token. Temperature 0 is
    greedy; with a higher one, the same seed gives the same answer. The fields that describe the file are read
    when this is constructed; changing them later has no effect.

    Every failure is an ingestion.errors.ModelError of one line, except Cancelled after `cancel`.
    """

    model_path: Path
    context_tokens: int | None = Field(default=None, gt=0)
    """Prompt and answer together, in tokens. None: what the file states, at most 8192."""
    max_tokens: int = Field(default=512, gt=0)
    """The longest answer, in tokens. It ends earlier when the context window is full."""
    temperature: float = Field(default=0.0, ge=0.0)
    seed: int = Field(default=0, ge=0, lt=2**32)
    threads: int | None = Field(default=None, gt=0)
    """None: every processor that the process may use."""
    gpu_layers: int = Field(default=0, ge=-1)
    """Layers to put on a GPU, if llama-cpp-python was built for one; -1 for all."""

    _process: ModelProcess = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        super().model_post_init(context)
        self._process = ModelProcess(
            self.model_path,
            context_tokens=self.context_tokens,
            threads=self.threads,
            gpu_layers=self.gpu_layers,
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
    def context_window(self) -> int:
        """Tokens of prompt and answer together, as loaded. Loads the model."""
        return self._process.context_window

    def count_tokens(self, text: str) -> int:
        """Return the number of the model's own tokens in `text`, special tokens read as plain text, no BOS.

        Loads the model; does not wait for an answer being written.
        """
        return self._process.count("count", text=text)

    def count_prompt_tokens(self, messages: Sequence[BaseMessage]) -> int:
        """Return the number of tokens that `messages` take in the context window, chat template included.

        Loads the model; does not wait for an answer being written.
        """
        return self._process.count("count_prompt", messages=_plain(messages))

    @property
    def _llm_type(self) -> str:
        return "llama.cpp"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {
            "model_path": str(self.model_path),
            "context_tokens": self.context_tokens,
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "seed": self.seed,
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
        texts: list[str] = []
        for reply in self._replies(messages, stop, kwargs):
            if reply["kind"] == "text":
                texts.append(reply["text"])
            elif reply["kind"] == "done":
                done = reply
        message = AIMessage("".join(texts), usage_metadata=_usage(done))
        return ChatResult(generations=[ChatGeneration(message=message, generation_info=self._info(done))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - BaseChatModel reports the chunks
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for reply in self._replies(messages, stop, kwargs):
            if reply["kind"] == "text":
                yield ChatGenerationChunk(message=AIMessageChunk(content=reply["text"]))
            elif reply["kind"] == "done":
                last = AIMessageChunk(content="", usage_metadata=_usage(reply), chunk_position="last")
                yield ChatGenerationChunk(message=last, generation_info=self._info(reply))

    def _replies(
        self, messages: list[BaseMessage], stop: list[str] | None, given: dict[str, Any]
    ) -> Iterator[Reply]:
        if unknown := sorted(set(given) - set(OPTIONS) - set(IGNORED_OPTIONS)):
            raise TypeError(f"a call takes no option {', '.join(unknown)}; there are: {', '.join(OPTIONS)}")
        options = {name: given.get(name, getattr(self, name)) for name in OPTIONS}
        return self._process.generate(messages=_plain(messages), stop=stop or [], **options)

    def _info(self, done: Reply) -> dict[str, Any]:
        return {"finish_reason": done["finish_reason"], "model_name": self.model_path.name}


def _usage(done: Reply) -> UsageMetadata:
    prompt, answer = done["prompt_tokens"], done["completion_tokens"]
    return UsageMetadata(input_tokens=prompt, output_tokens=answer, total_tokens=prompt + answer)


def _plain(messages: Sequence[BaseMessage]) -> list[dict[str, str]]:
    return [{"role": _role(message), "content": _text(message)} for message in messages]


def _role(message: BaseMessage) -> str:
    if isinstance(message, ChatMessage):
        return message.role
    for kind, role in ROLES.items():
        if isinstance(message, kind):
            return role
    raise ModelError(f"a local model takes no {message.type!r} message; send system, human and ai messages")


def _text(message: BaseMessage) -> str:
    blocks = message.content if isinstance(message.content, list) else []
    for block in blocks:
        if isinstance(block, dict) and block.get("type") != "text":
            raise ModelError(f"a local model reads text only, not {block.get('type')!r}; send the text of it")
    return str(message.text)
