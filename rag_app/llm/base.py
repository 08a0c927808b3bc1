"""What our chat models share: how words are chosen, what one call may set differently, plain messages."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, HumanMessage, SystemMessage
from pydantic import Field

from ingestion.errors import ModelError
from rag_app.config.sampling import Sampling
from rag_app.llm.stream_chunks import PROGRESS

ROLES: dict[type[BaseMessage], str] = {SystemMessage: "system", HumanMessage: "user", AIMessage: "assistant"}
SAMPLING = tuple(field.name for field in fields(Sampling))
OPTIONS = ("max_tokens", *SAMPLING, "thinking", PROGRESS)  # what one call may set differently
IGNORED_OPTIONS = ("stream",)  # LangChain's own, passed through by its base class


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """What one call is made with."""

    max_tokens: int
    sampling: Sampling
    thinking: bool
    progress: bool


class SamplingChatModel(BaseChatModel):
    """The fields of a model that writes text. `rag_app.config.sampling` says what they do."""

    max_tokens: int = Field(default=512, gt=0)
    """The longest answer, in tokens, a thought included. It ends earlier when the context window is full."""
    temperature: float = Field(default=0.0, ge=0.0)
    top_p: float = Field(default=0.95, ge=0.0, le=1.0)
    top_k: int = Field(default=40, ge=0)
    min_p: float = Field(default=0.05, ge=0.0, le=1.0)
    repeat_penalty: float = Field(default=1.0, gt=0.0)
    seed: int = Field(default=0, ge=0, lt=2**32)
    thinking: bool = False
    """What the chat template gets as `enable_thinking`: whether a model like Qwen3 thinks first."""

    @property
    def sampling(self) -> Sampling:
        """How words are chosen where a call does not say otherwise."""
        return Sampling(**{name: getattr(self, name) for name in SAMPLING})

    def _options(self, given: dict[str, Any]) -> GenerationOptions:
        """Return what a call is made with. Raises TypeError for an option that there is not."""
        if unknown := sorted(set(given) - set(OPTIONS) - set(IGNORED_OPTIONS)):
            raise TypeError(f"a call takes no option {', '.join(unknown)}; there are: {', '.join(OPTIONS)}")
        return GenerationOptions(
            max_tokens=given.get("max_tokens", self.max_tokens),
            sampling=replace(self.sampling, **{name: given[name] for name in SAMPLING if name in given}),
            thinking=given.get("thinking", self.thinking),
            progress=given.get(PROGRESS, False),
        )


def plain(messages: Sequence[BaseMessage]) -> list[dict[str, str]]:
    """Return messages as role and text. Raises ModelError for what is no text, or nobody's turn."""
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
