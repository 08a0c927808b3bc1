"""A model behind an OpenAI-compatible server (Ollama, vLLM, llama-server) as a LangChain chat model.

The `openai` package speaks to it, not langchain-openai: that one drops `reasoning_content`, and counts tokens
with encodings that tiktoken downloads.
"""

import math
import re
import weakref
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field, PrivateAttr, SecretStr

from ingestion.errors import InvalidInput, ModelError
from rag_app.config.sampling import Sampling
from rag_app.llm.base import GenerationOptions, SamplingChatModel, plain
from rag_app.llm.choice import Server
from rag_app.llm.connection import ALIVE, Connection
from rag_app.llm.reasoning import Reasoning, TextKind
from rag_app.llm.stream_chunks import (
    PROGRESS,
    REASONING,
    ModelProgress,
    last_chunk,
    progress_chunk,
    reasoning_chunk,
    reasoning_of,
    text_chunk,
)

DEFAULT_CONTEXT_TOKENS = 4096  # Ollama's own default, which it does not tell and beyond which it forgets
EVIDENCE_TOKENS = 3000  # its speed is not known; who runs a server for a model has a machine for it
TIMEOUT_S = 600.0  # without a word: a long prompt on a processor takes minutes

# Where servers say how long a prompt may be: vLLM, LM Studio and OpenRouter.
WINDOWS = ("max_model_len", "max_context_length", "context_length")
# Words of up to five letters are mostly one token, and numbers come digit by digit in many vocabularies.
PIECE = re.compile(r"[A-Za-z]{1,5}|\d|[^\sA-Za-z\d]")
MESSAGE_TOKENS = 8  # what a chat template puts around a message, about


class ServerModel(SamplingChatModel):
    """Chat with a model of `server`.

    A server on this machine gets all of the sampling; one elsewhere what OpenAI's API has (temperature, top_p
    and seed), as it may refuse the rest. Closing a stream closes the connection, and servers stop writing.
    Every failure is an ingestion.errors.ModelError of one line.
    """

    server: Server
    api_key: SecretStr | None = None
    context_tokens: int | None = Field(default=None, gt=0)
    """Prompt and answer together. None: what the server says, or 4096 where it does not."""
    timeout_s: float = Field(default=TIMEOUT_S, gt=0)

    _connection: Connection = PrivateAttr()
    _listed: dict[str, Any] | None = PrivateAttr(default=None)

    def model_post_init(self, context: Any, /) -> None:
        super().model_post_init(context)
        key = self.api_key.get_secret_value() if self.api_key else None
        self._connection = Connection(self.server, key, timeout_s=self.timeout_s)
        weakref.finalize(self, self._connection.close)

    def close(self) -> None:
        """Close the connections. A later call opens them again."""
        self._connection.close()

    @property
    def model_name(self) -> str:
        """The model and where it runs."""
        return f"{self.server.model or 'the model'} at {self.server.url}"

    @property
    def leaves_machine(self) -> str | None:
        """The other machine that prompts are sent to; None: they stay on this one."""
        return self.server.leaves_machine

    @property
    def sampling(self) -> Sampling:
        """How words are chosen; what is left to the server is None."""
        whole = super().sampling
        if self.leaves_machine is None:
            return whole
        return Sampling(temperature=whole.temperature, top_p=whole.top_p, seed=whole.seed,
                        top_k=None, min_p=None, repeat_penalty=None)  # fmt: skip

    @property
    def context_window(self) -> int:
        """Tokens of prompt and answer together."""
        if self.context_tokens is not None:
            return self.context_tokens
        entry = self._entry()
        stated = (entry.get(name) for name in WINDOWS)
        return next(
            (number for number in stated if isinstance(number, int) and number > 0), DEFAULT_CONTEXT_TOKENS
        )

    def evidence_tokens(self) -> int:
        """Return how much evidence the model gets where the settings do not say."""
        return min(EVIDENCE_TOKENS, self.context_window // 2)

    def count_tokens(self, text: str) -> int:
        """Return about how many tokens a text has, rather too many than too few.

        An estimate: each server counts in another way (llama-server and vLLM have `/tokenize`, unlike each
        other, Ollama has none), and packing counts every sentence.
        """
        return sum(1 if piece.isascii() else math.ceil(len(piece.encode("utf-8", "replace")) / 2)
                   for piece in PIECE.findall(text))  # fmt: skip

    def count_prompt_tokens(self, messages: Sequence[BaseMessage]) -> int:
        """Return about how many tokens `messages` take, estimated likewise."""
        return sum(self.count_tokens(message["content"]) + MESSAGE_TOKENS for message in plain(messages))

    @property
    def _llm_type(self) -> str:
        return "openai-compatible"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"url": self.server.url, "model": self.server.model, "max_tokens": self.max_tokens}

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        whole: AIMessageChunk | None = None
        info: dict[str, Any] | None = None
        with closing(self._stream(messages, stop, run_manager, **{**kwargs, PROGRESS: False})) as chunks:
            for chunk in chunks:
                assert isinstance(chunk.message, AIMessageChunk)
                whole = chunk.message if whole is None else whole + chunk.message
                info = chunk.generation_info
        assert whole is not None
        thought = reasoning_of(whole)
        message = AIMessage(
            whole.content,
            additional_kwargs={REASONING: thought} if thought else {},
            usage_metadata=whole.usage_metadata,
        )
        return ChatResult(generations=[ChatGeneration(message=message, generation_info=info)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - BaseChatModel reports the chunks
        **kwargs: Any,
    ) -> Generator[ChatGenerationChunk]:
        options = self._options(kwargs)
        reasoning, finish_reason, usage, begun = Reasoning(), None, None, False
        with closing(self._connection.chat(self._request(messages, stop, options))) as events:
            for event in events:
                if event is ALIVE:
                    if options.progress:
                        yield text_chunk("") if begun else progress_chunk(ModelProgress("prefill"))
                    continue
                usage = _usage(event) or usage
                choice = _choice(event)
                finish_reason = choice.get("finish_reason") or finish_reason
                thought, text = _written(choice)
                begun = begun or bool(thought or text)
                if thought:
                    yield reasoning_chunk(thought)
                yield from _chunks(reasoning.feed(text))
        if not isinstance(finish_reason, str):
            raise ModelError(
                f"{self.server.url} ended before the answer did; ask again, and if that does not help, "
                "look at its log and whether the URL ends in /v1"
            )
        yield from _chunks(reasoning.finish())
        yield last_chunk(usage, {"finish_reason": finish_reason, "model_name": self._model()})

    def _request(
        self, messages: list[BaseMessage], stop: list[str] | None, options: GenerationOptions
    ) -> dict[str, Any]:
        sampling = options.sampling
        request: dict[str, Any] = {
            "model": self._model(),
            "messages": plain(messages),
            "max_tokens": options.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": sampling.seed,
            "stream_options": {"include_usage": True},
        }
        if stop:
            request["stop"] = stop
        if self.leaves_machine is None:
            request["extra_body"] = {
                "top_k": sampling.top_k,
                "min_p": sampling.min_p,
                "repeat_penalty": sampling.repeat_penalty,  # llama-server
                "repetition_penalty": sampling.repeat_penalty,  # vLLM
                "chat_template_kwargs": {"enable_thinking": options.thinking},
            }
        return request

    def _model(self) -> str:
        return self.server.model or str(self._entry()["id"])

    def _entry(self) -> dict[str, Any]:
        """What the server's list says of the model. Raises InvalidInput where it is not named and there is a
        choice."""
        if self._listed is None:
            listed = [dict(entry) for entry in self._connection.models()]
            named = [entry for entry in listed if entry.get("id") == self.server.model]
            if self.server.model is None and len(listed) == 1:
                named = listed
            if self.server.model is None and len(listed) != 1:
                names = ", ".join(sorted(str(entry.get("id")) for entry in listed)) or "none"
                raise InvalidInput(
                    f"{self.server.url} has these models: {names}; name one, like {self.server.url}#MODEL"
                )
            self._listed = named[0] if named else {}
        return self._listed


def _choice(event: dict[str, Any]) -> dict[str, Any]:
    choices = event.get("choices")
    return choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}


def _written(choice: dict[str, Any]) -> tuple[str, str]:
    """Thought and text of a piece of an answer."""
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        return "", ""
    # vLLM and llama-server say reasoning_content, Ollama says reasoning.
    thought = delta.get(REASONING) or delta.get("reasoning")
    text = delta.get("content")
    return thought if isinstance(thought, str) else "", text if isinstance(text, str) else ""


def _chunks(pieces: Iterator[tuple[TextKind, str]]) -> Iterator[ChatGenerationChunk]:
    for part, text in pieces:
        yield text_chunk(text) if part is TextKind.ANSWER else reasoning_chunk(text)


def _usage(event: dict[str, Any]) -> UsageMetadata | None:
    usage = event.get("usage")
    if not isinstance(usage, dict):
        return None
    prompt, answer = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not isinstance(prompt, int) or not isinstance(answer, int):
        return None
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    return UsageMetadata(
        input_tokens=prompt,
        output_tokens=answer,
        total_tokens=prompt + answer,
        input_token_details=InputTokenDetails(cache_read=cached if isinstance(cached, int) else 0),
    )
