"""A model's reasoning, told apart from its answer while the model writes."""

from collections.abc import Iterator
from enum import StrEnum

OPENING = "<think>"
CLOSING = "</think>"


class TextKind(StrEnum):
    """Whether a piece of text is reasoning or answer."""

    THOUGHT = "thought"
    ANSWER = "answer"


class Reasoning:
    """Splits text that comes in pieces. Reasoning stands only at the beginning; later tags are text.

    A piece that may be the beginning of a tag is held back.

    Args:
        begun: The prompt has opened the reasoning, as some chat templates do; the text goes on inside it.
    """

    def __init__(self, *, begun: bool = False) -> None:
        self._held = ""
        self._part: TextKind | None = TextKind.THOUGHT if begun else None  # None: unknown yet
        self._said = False  # whether the part has text other than white space

    def feed(self, piece: str) -> Iterator[tuple[TextKind, str]]:
        """Add a piece, and yield the text that is certain now; possibly nothing."""
        self._held += piece
        if self._part is None and not self._begin():
            return
        if self._part is TextKind.THOUGHT:
            thought, closed, rest = self._held.partition(CLOSING)
            if not closed:
                keep = overlap(thought, CLOSING)
                thought, rest = thought[: len(thought) - keep], thought[len(thought) - keep :]
            self._held = rest
            yield from self._say(TextKind.THOUGHT, thought)
            if not closed:
                return
            self._part, self._said = TextKind.ANSWER, False
        text, self._held = self._held, ""
        yield from self._say(TextKind.ANSWER, text)

    def finish(self) -> Iterator[tuple[TextKind, str]]:
        """Yield the text that was held back, after the last piece."""
        text, self._held = self._held, ""
        yield from self._say(self._part or TextKind.ANSWER, text)

    def _begin(self) -> bool:
        """Decide whether the text begins with reasoning; return False while that is unknown."""
        begun = self._held.lstrip()
        if begun.startswith(OPENING):
            self._part, self._held = TextKind.THOUGHT, begun[len(OPENING) :]
        elif OPENING.startswith(begun):
            return False
        else:
            # Without reasoning, white space at the beginning belongs to the answer.
            self._part, self._said = TextKind.ANSWER, True
        return True

    def _say(self, part: TextKind, text: str) -> Iterator[tuple[TextKind, str]]:
        if not self._said:
            text = text.lstrip()
        if text:
            self._said = True
            yield part, text


def opens_thought(prompt: str) -> bool:
    """Return whether a rendered prompt ends inside the reasoning."""
    return prompt.rstrip().endswith(OPENING)


def overlap(text: str, tag: str) -> int:
    """Return the length of the longest ending of `text` with which `tag` begins."""
    longest = min(len(text), len(tag) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(tag[:size])), 0)
