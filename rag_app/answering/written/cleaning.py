"""Cleaning of a model's text while it comes: what belongs to prompts and templates never reaches a person.

Text in code is left as it is, and so is text that only looks like a tag or a label.
"""

import re
from collections.abc import Collection

from rag_app.answering.written.labels import Label, Labels
from rag_app.answering.written.markers import marker, marker_at
from rag_app.answering.written.patterns import MoreNeeded
from rag_app.answering.written.tags import TagKind, fence_with_nonce, role_at, tag_at

# Characters that may begin something to be looked at.
_SPECIAL = re.compile(r"[<\[(【`\n]")
_CODE_FENCE = re.compile(r"[ \t]{0,3}(`{3,}|~{3,})")
_BACKTICKS = re.compile(r"`+")
# Characters within which code in a line has to end.
_LONGEST_CODE = 200
# Characters before a place that are looked at.
_BEFORE = 40


class Cleaner:
    """Removes tags, tokens and labels from text that comes in pieces.

    The result does not depend on how the text is split. Only text that may begin something to remove is held
    back.

    Args:
        question: The question that the text answers.
        sources: The numbers of the sources.

    Attributes:
        ended: The answer has ended, and the model goes on with something else, which is ignored.
        copies: The model wrote fences of sources, and nothing outside them: it went on with the prompt.
    """

    def __init__(self, question: str = "", sources: Collection[int] = ()) -> None:
        self.ended = False
        self._labels = Labels(question)
        self._sources = frozenset(sources)
        self._held = ""
        self._before = ""  # the last characters that were passed on
        self._has_text = False
        self._at_line_start = True
        self._skips: str | None = None  # characters that are left out after a removal
        self._after_turn = False
        self._code: str | None = None  # the fence that the code is in
        self._in_source = False
        self._sources_seen = 0
        self._has_own_text = False  # outside sources

    @property
    def copies(self) -> bool:
        return self._sources_seen > 1 and not self._has_own_text

    def feed(self, piece: str) -> str:
        """Add a piece; return the text that is certain now."""
        self._held += piece
        return self._advance(is_last=False)

    def finish(self) -> str:
        """Return the text that was held back, after the last piece."""
        return self._advance(is_last=True)

    def _advance(self, *, is_last: bool) -> str:
        given: list[str] = []
        while self._held and not self.ended:
            try:
                taken, text = self._step(is_last=is_last)
            except MoreNeeded:
                break
            self._held = self._held[taken:]
            if text:
                given.append(text)
                self._passed(text)
        return "".join(given)

    def _passed(self, text: str) -> None:
        self._before = (self._before + text)[-_BEFORE:]
        if any(map(str.isalnum, text)):
            self._has_text = True
            self._has_own_text = self._has_own_text or not self._in_source
        self._at_line_start = text.endswith("\n")
        self._skips = None
        self._after_turn = False

    def _step(self, *, is_last: bool) -> tuple[int, str]:
        """Return how many characters are decided, and the text that they give. Raises MoreNeeded."""
        text = self._held
        if self._skips and text[0] in self._skips:
            if text[0] == "\n" and self._before:
                self._skips = self._skips.replace("\n", "")
            return 1, ""
        if self._after_turn and (end := role_at(text, 0, is_last=is_last)):
            self._after_turn = False
            return self._removed(end)
        self._after_turn = False
        if self._code is not None:
            return self._in_code(self._code, is_last=is_last)
        line = self._line(is_last=is_last) if self._at_line_start else None
        return line or self._in_line(is_last=is_last)

    def _line(self, *, is_last: bool) -> tuple[int, str] | None:
        """Decide about the beginning of a line; None where it is like other text."""
        text = self._held
        stripped = text.lstrip(" \t")
        if not is_last and len(text) - len(stripped) <= 3 and stripped in ("", "`", "``", "~", "~~"):
            raise MoreNeeded
        if fence := _CODE_FENCE.match(text):
            if fence.end() == len(text) and not is_last:
                raise MoreNeeded
            self._code = fence[1]
            return fence.end(), fence[0]
        label = self._labels.at(text, 0, has_text=self._has_text, is_last=is_last)
        if label is None:
            return None
        end, what = label
        return self._end() if what is Label.ENDS else self._removed(end, more="*_ \t")

    def _in_line(self, *, is_last: bool) -> tuple[int, str]:
        text = self._held
        if text[0] == "`":
            return self._code_in_line(is_last=is_last)
        if text[0] in "<[(【":
            return self._bracket(is_last=is_last)
        special = _SPECIAL.search(text, 1)
        end = 1 if text[0] == "\n" else special.start() if special else len(text)
        return end, text[:end]

    def _bracket(self, *, is_last: bool) -> tuple[int, str]:
        text = self._held
        tag = tag_at(text, 0, self._before[-1:], is_last=is_last)
        if tag is None:
            found = marker_at(text, 0, self._before, self._sources, is_last=is_last)
            return found or (1, text[0])
        if tag.kind in (TagKind.TURN, TagKind.END) and self._has_text:
            return self._end()
        if tag.number is not None and self._before.rpartition("\n")[2].strip():
            return tag.end, marker(tag.number)
        if tag.kind is TagKind.SOURCE:
            self._in_source = not tag.closes
            self._sources_seen += 1
        self._after_turn = tag.kind is TagKind.TURN
        return self._removed(tag.end)

    def _end(self) -> tuple[int, str]:
        self.ended = True
        return len(self._held), ""

    def _removed(self, end: int, *, more: str = "") -> tuple[int, str]:
        """Remove characters, and white space behind them that would stand alone."""
        if self._before[-1:] in ("", "\n"):
            self._skips = more + " \t\n"
        else:
            self._skips = more + (" \t" if self._before[-1].isspace() else "")
        return end, ""

    def _code_in_line(self, *, is_last: bool) -> tuple[int, str]:
        """Pass code between backticks on as it is, and backticks that are not closed as text."""
        text = self._held[:_LONGEST_CODE]
        line, newline, _ = text.partition("\n")
        ticks = _BACKTICKS.match(line)
        assert ticks is not None
        for closing in _BACKTICKS.finditer(line, ticks.end()):
            if closing[0] == ticks[0]:
                if closing.end() == len(self._held) and not is_last:
                    raise MoreNeeded
                return closing.end(), text[: closing.end()]
        if not newline and not is_last and len(text) < _LONGEST_CODE:
            raise MoreNeeded
        return ticks.end(), ticks[0]

    def _in_code(self, fence: str, *, is_last: bool) -> tuple[int, str]:
        """Pass a block of code on as it is, but for the fences of the prompt."""
        text = self._held
        if self._at_line_start and (end := _end_of_code(text, fence, is_last=is_last)):
            self._code = None
            return end, text[:end]
        if text[0] == "<" and (tag := fence_with_nonce(text, 0, is_last=is_last)):
            return self._removed(tag.end)
        ends = [place for one in "<\n" if (place := text.find(one, 1)) > 0]
        end = 1 if text[0] in "<\n" else min(ends, default=len(text))
        return end, text[:end]


def _end_of_code(text: str, fence: str, *, is_last: bool) -> int:
    """Return where the line's fence ends that closes a block of code; 0 without one. Raises MoreNeeded."""
    if not is_last and fence.startswith(text.lstrip(" \t")):
        raise MoreNeeded
    closing = _CODE_FENCE.match(text)
    if closing is None or not closing[1].startswith(fence):
        return 0
    if closing.end() == len(text) and not is_last:
        raise MoreNeeded
    return closing.end()
