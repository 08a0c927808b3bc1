"""A model's thought, told apart from its answer while both are written."""

from collections.abc import Iterator
from enum import StrEnum

OPENING = "<think>"
CLOSING = "</think>"


class TextKind(StrEnum):
    """What a piece of a model's text belongs to."""

    THOUGHT = "thought"
    ANSWER = "answer"


class Reasoning:
    """Splits text that comes in pieces. A thought may only stand at the beginning; later tags are text.

    `begun`: the prompt has opened the thought already, as some chat templates do, so that the text goes on
    inside it. A piece that may still be the beginning of a tag is held back.
    """

    def __init__(self, *, begun: bool = False) -> None:
        self._held = ""
        self._part: TextKind | None = TextKind.THOUGHT if begun else None  # None: not known yet
        self._said = False  # whether white space at the beginning of the part is behind us

    def feed(self, piece: str) -> Iterator[tuple[TextKind, str]]:
        """Add a piece and yield what is now certain, possibly nothing."""
        self._held += piece
        if self._part is None and not self._begin():
            return
        if self._part is TextKind.THOUGHT:
            thought, closed, rest = self._held.partition(CLOSING)
            if not closed:
                keep = _overlap(thought, CLOSING)
                thought, rest = thought[: len(thought) - keep], thought[len(thought) - keep :]
            self._held = rest
            yield from self._say(TextKind.THOUGHT, thought)
            if not closed:
                return
            self._part, self._said = TextKind.ANSWER, False
        text, self._held = self._held, ""
        yield from self._say(TextKind.ANSWER, text)

    def finish(self) -> Iterator[tuple[TextKind, str]]:
        """Yield what was held back, after the last piece."""
        text, self._held = self._held, ""
        yield from self._say(self._part or TextKind.ANSWER, text)

    def _begin(self) -> bool:
        """Decide what the text begins with; return whether that can be told."""
        begun = self._held.lstrip()
        if begun.startswith(OPENING):
            self._part, self._held = TextKind.THOUGHT, begun[len(OPENING) :]
        elif OPENING.startswith(begun):
            return False
        else:
            # Kept as it is: no thought, so white space is the model's own.
            self._part, self._said = TextKind.ANSWER, True
        return True

    def _say(self, part: TextKind, text: str) -> Iterator[tuple[TextKind, str]]:
        if not self._said:
            text = text.lstrip()
        if text:
            self._said = True
            yield part, text


def opens_thought(prompt: str) -> bool:
    """Return whether a rendered prompt ends inside a thought."""
    return prompt.rstrip().endswith(OPENING)


def _overlap(text: str, tag: str) -> int:
    """Length of the longest ending of `text` with which `tag` begins."""
    longest = min(len(text), len(tag) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(tag[:size])), 0)
