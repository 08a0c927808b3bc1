"""An answerer that has a llama.cpp model write from the prompt, and aligns what it wrote."""

from collections.abc import Generator, Iterable
from contextlib import closing
from typing import cast

from langchain_core.messages import AIMessageChunk
from langchain_core.runnables import RunnableConfig

from ingestion.encoders import Encoder
from ingestion.errors import ModelError
from rag_app.answers import AnswerSentence, Citation, Packed
from rag_app.citations import cite_text
from rag_app.llm.llama import LlamaCpp
from rag_app.metering import model_options
from rag_app.prompts import messages

_THINK = "<think>"
_END_OF_THINK = "</think>"


class ChatAnswerer:
    """Answers in the model's own words, with markers that name the evidence."""

    def __init__(self, model: LlamaCpp, encoder: Encoder) -> None:
        self.model = model
        self.name = model.model_path.name
        self._encoder = encoder

    def count_tokens(self, text: str) -> int:
        return self.model.count_tokens(text)

    def fits(self, question: str, packed: Packed) -> bool:
        """Leave room for the longest answer, but never more than half of the window."""
        window = self.model.context_window
        reserved = min(self.model.max_tokens, window // 2)
        return self.model.count_prompt_tokens(messages(question, packed.evidence)) <= window - reserved

    def write(self, question: str, packed: Packed, config: RunnableConfig) -> Generator[str]:
        """Yield the answer as it comes. Closing the iterator stops the model.

        A reasoning block at the beginning is left out. Raises ModelError where nothing else was written.
        """
        stream = self.model.stream(messages(question, packed.evidence), config, **model_options(config))
        empty = True
        with closing(cast("Generator[AIMessageChunk]", stream)):
            texts = (chunk.content for chunk in stream if isinstance(chunk.content, str))
            for text in without_reasoning(texts):
                empty = empty and not text.strip()
                yield text
        if empty:
            raise ModelError(
                f"{self.name} wrote no answer within {self.model.max_tokens} tokens; "
                "raise llm_max_tokens, or choose another model"
            )

    def cite(self, text: str, packed: Packed) -> tuple[tuple[AnswerSentence, ...], tuple[Citation, ...]]:
        return cite_text(text, packed.evidence, self._encoder)


def without_reasoning(pieces: Iterable[str]) -> Generator[str]:
    """Yield a model's text without the <think> block that it may begin with."""
    pieces = iter(pieces)
    held = ""
    for piece in pieces:
        held += piece
        begun = held.lstrip()
        if begun.startswith(_THINK):
            _, closed, answer = begun.partition(_END_OF_THINK)
            if closed:
                held = answer.lstrip()
                break
        elif not _THINK.startswith(begun):
            break
    else:  # the model has ended, perhaps in the middle of a thought
        if held.lstrip().startswith(_THINK):
            held = ""
    if held:
        yield held
    yield from pieces
