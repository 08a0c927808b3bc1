"""The text of an answer as HTML: its markers, its Markdown, its further quotations."""

import re
from functools import partial

from rag_app.llm.choice import EXTRACTIVE
from ui.components.markdown import MARKER, render_markdown
from ui.components.text import escape, plural
from ui.components.turns import ChatTurn

# Bold, as answers have it in Markdown.
_BOLD = re.compile(r"\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*")
# A quotation may contain its author's [3]; our marker stands at its end.
_MARKER_OF_QUOTATION = re.compile(MARKER.pattern + r"$", re.MULTILINE)
# A paragraph that is a quotation, not a list or a title.
_QUOTATION = re.compile(r"(?![-*•\d]\s|\*\*).*" + MARKER.pattern + r"\s*\Z", re.DOTALL)
# Quotations below the first one that are folded; more than these are an answer in parts.
_FOLDED = 4


def source_id(turn: int, number: int) -> str:
    """Return the HTML id of a source's card."""
    return f"source-{turn}-{number}"


def render_reply(turn: ChatTurn) -> str:
    """Return the text of a language model as Markdown, other text as it is."""
    if _is_model_text(turn):
        link_of = partial(_link, turn, _known(turn))
        answer = turn.answer or turn.partial
        written = render_markdown(
            answer.text if answer else turn.text, answer.sentences if answer else (), link_of
        )
        return f'<div class="reply written">{written}</div>'
    first, folded = _folded(turn)
    return f'<div class="reply">{linked(turn, first)}</div>{folded}'


def _folded(turn: ChatTurn) -> tuple[str, str]:
    """Return the text of an answer that is seen at once, and its quotations below the first one, folded."""
    text = turn.answer.text if turn.answer else turn.text
    first, *others = text.split("\n\n")
    quotes = turn.answer is not None and turn.answer.llm == EXTRACTIVE and not turn.answer.abstained
    if not (quotes and 1 <= len(others) <= _FOLDED and all(map(_QUOTATION.match, (first, *others)))):
        return text, ""
    below = linked(turn, "\n\n".join(others))
    summary = f"<summary>{plural(len(others), 'supporting quote')}</summary>"
    return first, f'<details class="quotes">{summary}<div class="reply">{below}</div></details>'


def _is_model_text(turn: ChatTurn) -> bool:
    """Return whether a language model wrote the text; while it is written, its waiting tells."""
    answer = turn.answer or turn.partial
    if answer is None:
        return turn.waiting is not None and turn.waiting.stage != "read"
    return answer.llm != EXTRACTIVE and not answer.abstained and answer.model_text is None


def _known(turn: ChatTurn) -> set[int]:
    evidence = turn.answer.evidence if turn.answer else turn.found.packed.evidence if turn.found else ()
    return {item.number for item in evidence}


def _link(turn: ChatTurn, known: set[int], match: re.Match[str]) -> str | None:
    """Return the link from a marker to its source's card; None for a number without one."""
    if int(match[1]) not in known:
        return None
    name = source_id(turn.number, int(match[1]))
    return f'<a class="marker" href="#{name}" title="Open source {match[1]}">{match[0]}</a>'


def linked(turn: ChatTurn, text: str | None = None) -> str:
    """Return the text with the markers of its sources linked; a quotation's own `[12]` stays text.

    Args:
        text: A part of the answer's text; by default the whole.
    """
    if text is None:
        text = turn.answer.text if turn.answer else turn.text
    known = _known(turn)
    parts: list[str] = []
    position = 0
    for match in (_MARKER_OF_QUOTATION if turn.answer else MARKER).finditer(text):
        if link := _link(turn, known, match):
            parts += [_marked_up(text[position : match.start()]), link]
            position = match.end()
    return "".join([*parts, _marked_up(text[position:])])


def _marked_up(text: str) -> str:
    """Return a text as HTML, with **bold** parts."""
    return _BOLD.sub(r"<b>\1</b>", escape(text))
