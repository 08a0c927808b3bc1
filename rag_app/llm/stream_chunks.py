"""What a chat model's stream carries beside text: progress before the first word, and reasoning.

A caller asks for progress with the call option `progress=True`; without it the stream holds only what
LangChain defines. Progress travels in chunks with empty content, so it passes the callbacks that text passes.
A method beside `stream` would hide the model from the callbacks, and a callback could not let the caller stop
the model. The value is a list, because LangChain can merge lists.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import cast

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGenerationChunk

from rag_app.llm.reasoning import TextKind

PROGRESS = "progress"  # the option, and the key of the values
REASONING = "reasoning_content"  # as DeepSeek's API, vLLM and LangChain's integrations name it


@dataclass(frozen=True, slots=True)
class ModelProgress:
    """What a model does before its first word.

    Attributes:
        stage: "queue": `done` requests of others come first; "load": the model is being loaded;
            "prefill": `done` of `total` prompt tokens have been read (both 0: the server does not say).
    """

    stage: str
    done: int = 0
    total: int = 0


def text_chunk(text: str) -> ChatGenerationChunk:
    """Return more of the answer; empty text is a sign of life."""
    return ChatGenerationChunk(message=AIMessageChunk(content=text))


def reasoning_chunk(text: str) -> ChatGenerationChunk:
    """Return more of the model's reasoning."""
    return ChatGenerationChunk(message=AIMessageChunk(content="", additional_kwargs={REASONING: text}))


def written_chunks(pieces: Iterator[tuple[TextKind, str]]) -> Iterator[ChatGenerationChunk]:
    """Yield the chunks of pieces that `Reasoning` told apart."""
    for kind, text in pieces:
        yield text_chunk(text) if kind is TextKind.ANSWER else reasoning_chunk(text)


def progress_chunk(progress: ModelProgress) -> ChatGenerationChunk:
    """Return a chunk that carries progress."""
    carried = {PROGRESS: [asdict(progress)]}
    return ChatGenerationChunk(message=AIMessageChunk(content="", additional_kwargs=carried))


def last_chunk(usage: UsageMetadata | None, info: dict[str, str]) -> ChatGenerationChunk:
    """Return the end of an answer: tokens used, and why it ended."""
    last = AIMessageChunk(content="", usage_metadata=usage, chunk_position="last")
    return ChatGenerationChunk(message=last, generation_info=info)


def usage(prompt: int, answer: int, cached: int) -> UsageMetadata:
    """Return token counts as LangChain has them; `cached` prompt tokens were not read again."""
    return UsageMetadata(
        input_tokens=prompt,
        output_tokens=answer,
        total_tokens=prompt + answer,
        input_token_details=InputTokenDetails(cache_read=cached),
    )


class StreamedUsage:
    """The tokens of a stream, counted as they come, so that a stream that is closed early has counts too.

    Each chunk carries the tokens since the one before; LangChain adds them up.
    """

    def __init__(self) -> None:
        self._prompt: tuple[int, int] | None = None  # its tokens, and those of them that were cached
        self._written = 0
        self._given = (0, 0, 0)

    def read(self, prompt: int, cached: int) -> None:
        """Note the prompt's tokens. Of several calls the first one counts."""
        self._prompt = self._prompt or (prompt, cached)

    def wrote(self, tokens: int) -> None:
        """Note how many tokens of the answer are written."""
        self._written = tokens

    def since(self) -> UsageMetadata:
        """Return the tokens since the last call."""
        prompt, cached = self._prompt or (0, 0)
        now = (prompt, self._written, cached)
        new = [one - before for one, before in zip(now, self._given, strict=True)]
        self._given = now
        return usage(*new)

    def on(self, chunks: Iterator[ChatGenerationChunk]) -> Iterator[ChatGenerationChunk]:
        """Yield the chunks; the first one carries the tokens since the last call."""
        for place, chunk in enumerate(chunks):
            if place == 0:
                message = cast("AIMessageChunk", chunk.message)
                message.usage_metadata = self.since()
            yield chunk


def progress_of(chunk: AIMessageChunk) -> ModelProgress | None:
    """Return the progress that a chunk carries; None without any."""
    carried = chunk.additional_kwargs.get(PROGRESS)
    return ModelProgress(**carried[-1]) if carried else None


def reasoning_of(chunk: AIMessageChunk) -> str:
    """Return the reasoning that a chunk carries, or ""."""
    return str(chunk.additional_kwargs.get(REASONING) or "")
