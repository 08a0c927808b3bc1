"""The shared part of the chat models: sampling, options of one call, and messages as role and text."""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, fields, replace
from typing import Any, cast

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
)
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field

from ingestion.errors import ModelError
from rag_app.config.sampling import Sampling
from rag_app.llm.stream_chunks import PROGRESS, REASONING, reasoning_of

ROLES: dict[type[BaseMessage], str] = {SystemMessage: "system", HumanMessage: "user", AIMessage: "assistant"}
SAMPLING = tuple(field.name for field in fields(Sampling))
OPTIONS = ("max_tokens", *SAMPLING, "thinking", PROGRESS)  # that one call may set
IGNORED_OPTIONS = ("stream",)  # LangChain's own, passed through by its base class


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """The settings of one call."""

    max_tokens: int
    sampling: Sampling
    thinking: bool
    progress: bool


class SamplingChatModel(BaseChatModel):
    """A model that streams text; `rag_app.config.sampling` describes the sampling fields."""

    max_tokens: int = Field(default=512, gt=0)
    """The longest answer in tokens, reasoning included. A full context window ends an answer earlier."""
    temperature: float = Field(default=0.0, ge=0.0)
    top_p: float = Field(default=0.95, ge=0.0, le=1.0)
    top_k: int = Field(default=40, ge=0)
    min_p: float = Field(default=0.05, ge=0.0, le=1.0)
    repeat_penalty: float = Field(default=1.0, gt=0.0)
    seed: int = Field(default=0, ge=0, lt=2**32)
    thinking: bool = False
    """Whether a model like Qwen3 reasons first; the chat template gets it as `enable_thinking`."""

    @property
    def sampling(self) -> Sampling:
        """The sampling of a call that sets nothing else."""
        return Sampling(**{name: getattr(self, name) for name in SAMPLING})

    def _options(self, given: dict[str, Any]) -> GenerationOptions:
        """Return the settings of a call. Raises TypeError for an unknown option."""
        if unknown := sorted(set(given) - set(OPTIONS) - set(IGNORED_OPTIONS)):
            raise TypeError(f"unknown option {', '.join(unknown)}; a call takes: {', '.join(OPTIONS)}")
        return GenerationOptions(
            max_tokens=given.get("max_tokens", self.max_tokens),
            sampling=replace(self.sampling, **{name: given[name] for name in SAMPLING if name in given}),
            thinking=given.get("thinking", self.thinking),
            progress=given.get(PROGRESS, False),
        )

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        stream = cast(
            "Generator[ChatGenerationChunk]",
            self._stream(messages, stop, run_manager, **{**kwargs, PROGRESS: False}),
        )
        whole: AIMessageChunk | None = None
        info: dict[str, Any] | None = None
        with closing(stream):
            for chunk in stream:
                message = cast("AIMessageChunk", chunk.message)
                whole = message if whole is None else whole + message
                info = chunk.generation_info
        assert whole is not None
        reasoning = reasoning_of(whole)
        answer = AIMessage(
            whole.content,
            additional_kwargs={REASONING: reasoning} if reasoning else {},
            usage_metadata=whole.usage_metadata,
        )
        return ChatResult(generations=[ChatGeneration(message=answer, generation_info=info)])


def plain(messages: Sequence[BaseMessage]) -> list[dict[str, str]]:
    """Return messages as role and text. Raises ModelError for content or a role that a model cannot take."""
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
            raise ModelError(f"a local model reads text only, not {block.get('type')!r}; send its text")
    return str(message.text)
