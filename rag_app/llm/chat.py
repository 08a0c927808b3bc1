"""An answerer that has a llama.cpp model write from the prompt, and aligns what it wrote."""

from collections.abc import Generator

from langchain_core.runnables import RunnableConfig

from ingestion.encoders import Encoder
from rag_app.answers import AnswerSentence, Citation, Packed
from rag_app.citations import cite_text
from rag_app.llm.llama import LlamaCpp
from rag_app.prompts import messages


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
        """Yield the model's text as it comes. Closing the iterator stops the model."""
        for chunk in self.model.stream(messages(question, packed.evidence), config):
            if isinstance(chunk.content, str) and chunk.content:
                yield chunk.content

    def cite(self, text: str, packed: Packed) -> tuple[tuple[AnswerSentence, ...], tuple[Citation, ...]]:
        return cite_text(text, packed.evidence, self._encoder)
