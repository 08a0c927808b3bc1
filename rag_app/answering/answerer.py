"""The seam between the chain and what writes an answer: a language model, or the built-in quoting."""

from collections.abc import Generator
from typing import Protocol

from langchain_core.runnables import RunnableConfig

from rag_app.answering.answers import AnswerProgress, CitedAnswer, PromptContext, ReasoningDelta


class Answerer(Protocol):
    """Writes an answer from packed evidence, and aligns each sentence of it with its sources."""

    @property
    def name(self) -> str: ...

    @property
    def leaves_machine(self) -> str | None:
        """The remote host that receives questions and evidence; None: they stay on this machine."""
        ...

    @property
    def completes(self) -> bool:
        """Whether it is a language model that only completes text, as base models do."""
        ...

    def count_tokens(self, text: str) -> int: ...

    def evidence_tokens(self) -> int | None:
        """Return the evidence budget, in tokens, where the settings name none; None: no limit."""
        ...

    def fits(self, question: str, packed: PromptContext) -> bool:
        """Return whether the whole prompt leaves room for an answer."""
        ...

    def write(
        self, question: str, packed: PromptContext, config: RunnableConfig
    ) -> Generator[str | AnswerProgress | ReasoningDelta]: ...

    def cite(self, text: str, packed: PromptContext) -> CitedAnswer: ...
