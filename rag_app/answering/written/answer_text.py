"""The text of an answer that a language model writes: watched for repetition, and cleaned."""

from collections.abc import Collection

from rag_app.answering.written.cleaning import Cleaner
from rag_app.answering.written.repetition import RepetitionWatch, without_rest


class AnswerText:
    """Takes what a model writes in pieces, and gives what a person reads.

    Args:
        question: The question that the model answers.
        sources: The numbers of the sources.
    """

    def __init__(self, question: str, sources: Collection[int]) -> None:
        self._question, self._sources = question, sources
        self._watch = RepetitionWatch()
        self._cleaner = Cleaner(question, sources)
        self._pieces: list[str] = []
        self._given: list[str] = []

    @property
    def raw(self) -> str:
        """All that the model wrote."""
        return "".join(self._pieces)

    @property
    def repeats(self) -> bool:
        """Whether the model repeated itself."""
        return self._watch.repeats

    @property
    def copies(self) -> bool:
        """Whether the model only went on with the prompt's sources."""
        return self._cleaner.copies

    @property
    def is_over(self) -> bool:
        """Whether nothing more of the model's text is wanted."""
        return self._watch.repeats or self._cleaner.ended

    def feed(self, piece: str) -> str:
        """Add a piece; return the text that is certain now."""
        self._pieces.append(piece)
        return self._give(self._cleaner.feed(self._watch.feed(piece)))

    def finish(self) -> str:
        """Return the text that was held back, after the last piece."""
        return self._give(self._cleaner.feed(self._watch.finish()) + self._cleaner.finish())

    def text(self) -> str:
        """Return the finished text; less than was given where a repetition of rows was recognised late."""
        if not self._watch.repeats:
            return "".join(self._given).strip()
        cleaner = Cleaner(self._question, self._sources)
        return without_rest(cleaner.feed(self._watch.kept) + cleaner.finish()).strip()

    def _give(self, text: str) -> str:
        self._given.append(text)
        return text
