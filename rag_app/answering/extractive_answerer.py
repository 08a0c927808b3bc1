"""The built-in answerer without a language model: it quotes the statements of the evidence that answer."""

from collections.abc import Generator

from langchain_core.runnables import RunnableConfig

from ingestion.encoders import Encoder
from rag_app.answering.answers import CitedAnswer, PromptContext
from rag_app.answering.citations import cite_quotations
from rag_app.answering.quoting.composition import answer_lines, compose
from rag_app.answering.quoting.lines import Quotation
from rag_app.llm.choice import EXTRACTIVE


class ExtractiveAnswerer:
    """Answers with quotations. It is always available."""

    name = EXTRACTIVE
    leaves_machine: str | None = None
    completes = False

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def count_tokens(self, text: str) -> int:
        return len(self._encoder.offsets(text))

    def evidence_tokens(self) -> None:
        """Return None: nothing is read slowly, so the evidence is whole."""
        return

    def fits(self, question: str, packed: PromptContext) -> bool:  # noqa: ARG002
        return True

    def write(self, question: str, packed: PromptContext, config: RunnableConfig) -> Generator[str]:  # noqa: ARG002
        """Yield the answer's text, as Markdown, one line at a time."""
        for place, one in enumerate(answer_lines(packed)):
            marker = f" [{one.evidence.number}]" if isinstance(one, Quotation) else ""
            yield ("\n\n" if place else "") + one.line + marker

    def cite(self, text: str, packed: PromptContext) -> CitedAnswer:
        found = compose(packed)
        pairs = [(one.evidence, one.sentence) for one in found]
        return cite_quotations(pairs, text, [one.line for one in found])
