"""An answerer that writes what a test tells it to."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from langchain_core.runnables import RunnableConfig

from rag_app.answering.answers import AnswerProgress, PromptContext, ReasoningDelta

Piece = str | AnswerProgress | ReasoningDelta


@dataclass
class ScriptedAnswerer:
    """Writes its pieces, raising those that are errors; remembers what was asked of it."""

    pieces: Sequence[Piece | Exception]
    name: str = "scripted"
    leaves_machine: str | None = None
    completes: bool = False
    asked: list[tuple[str, PromptContext]] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    closed: bool = False

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def evidence_tokens(self) -> int:
        return 1500

    def fits(self, question: str, packed: PromptContext) -> bool:
        return True

    def write(self, question: str, packed: PromptContext, config: RunnableConfig) -> Generator[Piece]:
        self.asked.append((question, packed))
        try:
            for piece in self.pieces:
                if isinstance(piece, Exception):
                    raise piece
                self.written.append(str(piece))
                yield piece
        finally:
            self.closed = True
