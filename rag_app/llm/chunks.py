"""What a chat model's stream carries beside text: how far it is before its first word, and its reasoning.

Progress is asked for by a call's option `progress=True`; without it a stream is what LangChain's are. It
comes in chunks with empty content, through the same stream and so past the same callbacks: a method of its
own beside `stream` would hide the model from them, and a callback could not hand control back to whoever
iterates, who then could not stop it. The value is a list, because lists are what LangChain can merge.
"""

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk

from rag_app.answering.answers import AnswerProgress

PROGRESS = "progress"  # the option
WAITING = "waiting"
REASONING = "reasoning_content"  # as DeepSeek's API, vLLM and LangChain's integrations name it


def text_chunk(text: str) -> ChatGenerationChunk:
    """Return more of the answer; without text, a sign of life."""
    return ChatGenerationChunk(message=AIMessageChunk(content=text))


def reasoning_chunk(text: str) -> ChatGenerationChunk:
    """Return more of what the model thinks before it answers."""
    return ChatGenerationChunk(message=AIMessageChunk(content="", additional_kwargs={REASONING: text}))


def waiting_chunk(waiting: AnswerProgress) -> ChatGenerationChunk:
    """Return how far a model is before its first word."""
    fields = {"stage": waiting.stage, "done": waiting.done, "total": waiting.total}
    return ChatGenerationChunk(message=AIMessageChunk(content="", additional_kwargs={WAITING: [fields]}))


def last_chunk(usage: UsageMetadata | None, info: dict[str, str]) -> ChatGenerationChunk:
    """Return the end of an answer: tokens used, and why it ended."""
    last = AIMessageChunk(content="", usage_metadata=usage, chunk_position="last")
    return ChatGenerationChunk(message=last, generation_info=info)


def waiting_of(chunk: AIMessageChunk) -> AnswerProgress | None:
    """Return the progress that a chunk carries, if it does."""
    carried = chunk.additional_kwargs.get(WAITING)
    return AnswerProgress(**carried[-1]) if carried else None


def reasoning_of(chunk: AIMessageChunk) -> str:
    """Return the thought that a chunk carries, or nothing."""
    return str(chunk.additional_kwargs.get(REASONING) or "")
