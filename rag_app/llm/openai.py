"""A model behind an OpenAI-compatible server (Ollama, LM Studio, …) as a LangChain chat model.

It uses the `openai` package. langchain-openai drops `reasoning_content`, and counts tokens with encodings
that tiktoken downloads.
"""

import math
import re
import weakref
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.messages import BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk
from pydantic import Field, PrivateAttr, SecretStr

from ingestion.errors import InvalidInput, ModelError
from rag_app.config.sampling import Sampling
from rag_app.llm.base import GenerationOptions, SamplingChatModel, plain
from rag_app.llm.choice import Server
from rag_app.llm.connection import ALIVE, Connection
from rag_app.llm.reasoning import Reasoning
from rag_app.llm.servers.finder import ServerFinder
from rag_app.llm.servers.served_model import ServedModel, ServerKind
from rag_app.llm.servers.token_counts import COUNT_LIMIT_S, TokenCounter
from rag_app.llm.stream_chunks import (
    REASONING,
    ModelProgress,
    last_chunk,
    progress_chunk,
    reasoning_chunk,
    text_chunk,
    usage,
    written_chunks,
)

DEFAULT_CONTEXT_TOKENS = 4096  # Ollama's default; it does not report it, and drops what exceeds it
EVIDENCE_TOKENS = 3000  # a server does not report its speed; assume a machine made for it
TIMEOUT_S = 600.0  # of silence: a long prompt on a processor takes minutes

# The fields in which vLLM, LM Studio and OpenRouter report the context window.
WINDOWS = ("max_model_len", "max_context_length", "context_length")
# A word of up to five letters is mostly one token; many vocabularies split numbers into digits.
PIECE = re.compile(r"[A-Za-z]{1,5}|\d|[^\sA-Za-z\d]")
MESSAGE_TOKENS = 8  # about as many as a chat template adds to a message


class ServerModel(SamplingChatModel):
    """Chat with a model of `server`.

    A server on this machine gets all sampling options; a remote server only those of OpenAI's API
    (temperature, top_p, seed), because it may refuse others. Closing a stream closes the connection, and the
    server stops writing. Every failure is an `ingestion.errors.ModelError` of one line.
    """

    server: Server
    api_key: SecretStr | None = None
    context_tokens: int | None = Field(default=None, gt=0)
    """The context window in tokens. None: the window that the server or its own API reports, else 4096."""
    timeout_s: float = Field(default=TIMEOUT_S, gt=0)

    _connection: Connection = PrivateAttr()
    _listed: dict[str, Any] | None = PrivateAttr(default=None)
    _finder: ServerFinder = PrivateAttr()
    _counter: TokenCounter = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        super().model_post_init(context)
        key = self.api_key.get_secret_value() if self.api_key else None
        connection = self._connection = Connection(self.server, key, timeout_s=self.timeout_s)
        self._finder = ServerFinder.at(self.server, key)
        self._counter = TokenCounter(lambda body: connection.post("/tokenize", body, limit_s=COUNT_LIMIT_S))
        weakref.finalize(self, connection.close)

    def close(self) -> None:
        """Close the connections. A later call opens them again."""
        self._connection.close()

    @property
    def model_name(self) -> str:
        """The model's name and the server's address."""
        return f"{self.server.model or 'the model'} at {self.server.url}"

    @property
    def leaves_machine(self) -> str | None:
        """The remote host that receives prompts; None: they stay on this machine."""
        return self.server.leaves_machine

    @property
    def sampling(self) -> Sampling:
        """The sampling options; None for those that the server chooses."""
        whole = super().sampling
        if self.leaves_machine is None:
            return whole
        return replace(whole, top_k=None, min_p=None, repeat_penalty=None)

    @property
    def context_window(self) -> int:
        """The context window in tokens."""
        if self.context_tokens is not None:
            return self.context_tokens
        if (served := self._served()) and served.context_tokens:
            return served.context_tokens
        entry = self._entry()
        stated = (entry.get(name) for name in WINDOWS)
        return next(
            (number for number in stated if isinstance(number, int) and number > 0), DEFAULT_CONTEXT_TOKENS
        )

    @property
    def completes(self) -> bool:
        """False: the server gives each model its own form of a chat."""
        return False

    @property
    def is_trained(self) -> bool:
        """False: no adapter of ours is there."""
        return False

    def evidence_tokens(self) -> int:
        """Return the evidence budget in tokens, where the settings name none."""
        return min(EVIDENCE_TOKENS, self.context_window // 2)

    @property
    def counts_exactly(self) -> bool:
        """Whether the server counts tokens; otherwise they are estimated."""
        return self._counter.counts(self._served())

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has, as llama-server and vLLM count them on this machine.

        Elsewhere it is an estimate, rather too many than too few: there is no common way to count.
        """
        counted = self._counter.count(text, self._served())
        if counted is not None:
            return counted
        return sum(
            1 if piece.isascii() else math.ceil(len(piece.encode("utf-8", "replace")) / 2)
            for piece in PIECE.findall(text)
        )

    def count_prompt_tokens(self, messages: Sequence[BaseMessage]) -> int:
        """Return about how many tokens `messages` take."""
        return sum(self.count_tokens(message["content"]) + MESSAGE_TOKENS for message in plain(messages))

    @property
    def _llm_type(self) -> str:
        return "openai-compatible"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"url": self.server.url, "model": self.server.model, "max_tokens": self.max_tokens}

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - BaseChatModel reports the chunks
        **kwargs: Any,
    ) -> Generator[ChatGenerationChunk]:
        options = self._options(kwargs)
        reasoning, finish_reason, tokens, begun = Reasoning(), None, None, False
        with closing(self._connection.chat(self._request(messages, stop, options))) as events:
            for event in events:
                if event is ALIVE:
                    if options.progress:
                        yield text_chunk("") if begun else progress_chunk(ModelProgress("prefill"))
                    continue
                tokens = _usage(event) or tokens
                choice = _choice(event)
                finish_reason = choice.get("finish_reason") or finish_reason
                thought, text = _written(choice)
                begun = begun or bool(thought or text)
                if thought:
                    yield reasoning_chunk(thought)
                yield from written_chunks(reasoning.feed(text))
        if not isinstance(finish_reason, str):
            raise ModelError(
                f"{self.server.url} ended before the answer did; ask again, and if that does not help, "
                "look at its log and whether the URL ends in /v1"
            )
        yield from written_chunks(reasoning.finish())
        yield last_chunk(tokens, {"finish_reason": finish_reason, "model_name": self._model()})

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
            served = self._served()
            # Ollama has its own switch; a model that cannot think may refuse it.
            if served and served.kind is ServerKind.OLLAMA and served.thinks and not options.thinking:
                request["reasoning_effort"] = "none"
        return request

    def _served(self) -> ServedModel | None:
        """Return what the server's own API says of the model; None for a server without one."""
        return self._finder.model(self.server.model)

    def _model(self) -> str:
        return self.server.model or str(self._entry()["id"])

    def _entry(self) -> dict[str, Any]:
        """Return the server's entry of the model.

        Raises:
            InvalidInput: No model is named, and the server does not have exactly one.
        """
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
    """Return reasoning and text of a piece of an answer."""
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        return "", ""
    # The field of vLLM and llama-server is reasoning_content, that of Ollama reasoning.
    thought = delta.get(REASONING) or delta.get("reasoning")
    text = delta.get("content")
    return thought if isinstance(thought, str) else "", text if isinstance(text, str) else ""


def _usage(event: dict[str, Any]) -> UsageMetadata | None:
    told = event.get("usage")
    if not isinstance(told, dict):
        return None
    prompt, answer = told.get("prompt_tokens"), told.get("completion_tokens")
    if not isinstance(prompt, int) or not isinstance(answer, int):
        return None
    details = told.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    return usage(prompt, answer, cached if isinstance(cached, int) else 0)
