"""Token counts of one answer, from LangChain's callbacks; call options, passed through its config; and what a
receipt says of the model."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import merge_configs

from rag_app.config.sampling import Sampling
from rag_app.llm.token_usage import TokenUsage

_OPTIONS = "model_options"


@dataclass(frozen=True, slots=True)
class CallOptions:
    """The options of one question's calls to the model; None: the settings decide."""

    max_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    thinking: bool | None = None


@dataclass(frozen=True, slots=True)
class GeneratorInfo:
    """What wrote an answer.

    Attributes:
        sha256: The model file's hash; None for a server, or while it is computed.
        max_tokens: The longest answer, in tokens.
        thinking: Whether the model reasoned first.
    """

    name: str
    sha256: str | None = None
    sampling: Sampling | None = None
    max_tokens: int | None = None
    thinking: bool | None = None


class UsageTracker(BaseCallbackHandler):
    """Counts the tokens of all model calls of an answer, and keeps how the last call ended.

    A call that is stopped or fails counts too, as far as it came: LangChain gives its chunks with the error.
    """

    def __init__(self) -> None:
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self._is_counted = False
        self._said: str | None = None

    def on_llm_end(self, response: LLMResult, **_: Any) -> None:
        self._count_all(response)

    def on_llm_error(self, error: BaseException, **more: Any) -> None:  # noqa: ARG002
        response = more.get("response")
        if isinstance(response, LLMResult):
            self._count_all(response)

    def _count_all(self, response: LLMResult) -> None:
        for generations in response.generations:
            for generation in generations:
                if isinstance(generation, ChatGeneration) and isinstance(generation.message, AIMessage):
                    self._count(generation.message, generation.generation_info or {})

    def _count(self, message: AIMessage, info: dict[str, Any]) -> None:
        if message.usage_metadata:
            self._is_counted = True
            self.prompt_tokens += message.usage_metadata["input_tokens"]
            self.completion_tokens += message.usage_metadata["output_tokens"]
        said = info.get("finish_reason") or message.response_metadata.get("finish_reason")
        self._said = said or self._said

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def counted(self) -> TokenUsage | None:
        """What was counted; None where no model counted anything."""
        return TokenUsage(self.prompt_tokens, self.completion_tokens) if self._is_counted else None

    @property
    def finish_reason(self) -> Literal["stop", "length"]:
        """How the last call ended; "length": the answer was cut off."""
        return "length" if self._said == "length" else "stop"


def call_config(tracker: UsageTracker, options: CallOptions) -> RunnableConfig:
    """Return the config of a question whose calls are counted, and made with the options."""
    return {"callbacks": [tracker], "configurable": {_OPTIONS: options}}


def counted_by(tracker: UsageTracker, config: RunnableConfig | None) -> RunnableConfig:
    """Return a config whose calls the tracker counts too."""
    return merge_configs(config, {"callbacks": [tracker]})


def model_options(config: RunnableConfig | None) -> dict[str, Any]:
    """Return the call options in a config, as keyword arguments of a chat model."""
    options = (config or {}).get("configurable", {}).get(_OPTIONS) or CallOptions()
    return {name: value for name, value in asdict(options).items() if value is not None}
