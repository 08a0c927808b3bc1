"""One question and what became of it, and how that reads in the chat."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict

from rag_app.answers import Answer, AskOptions, Found, Verdict, Waiting
from rag_app.llm.extractive import NAME as EXTRACTIVE
from ui.components.text import escape, milliseconds, plural

_MARKER = re.compile(r"\[(\d{1,3})\]")
# A quotation keeps the [3] of its author; ours stands behind it.
_MARKER_OF_QUOTATION = re.compile(_MARKER.pattern + r"$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Turn:
    """A question, asked with `options`; `number` counts from 1.

    `answer` is there once it is finished, `error` when it failed, `stopped` when a person stopped it;
    until one of them is, `text` grows. `understood` is what a follow-up question was taken for, `waiting`
    what the first word waits for.
    """

    number: int
    question: str
    options: AskOptions
    text: str = ""
    found: Found | None = None
    understood: str | None = None
    waiting: Waiting | None = None
    answer: Answer | None = None
    error: str | None = None
    stopped: bool = False

    @property
    def pending(self) -> bool:
        return self.answer is None and self.error is None and not self.stopped


class Message(TypedDict):
    """A message as gr.Chatbot takes it; `content` is HTML."""

    role: Literal["user", "assistant"]
    content: str


def messages(turns: Sequence[Turn]) -> list[Message]:
    """Return the conversation, two messages a turn."""
    shown: list[Message] = []
    for turn in turns:
        shown.append({"role": "user", "content": _question(turn)})
        shown.append({"role": "assistant", "content": render_turn(turn)})
    return shown


def _question(turn: Turn) -> str:
    understood = (
        f'<div class="understood">Understood as: {escape(turn.understood)}</div>' if turn.understood else ""
    )
    return f'<div class="question">{escape(turn.question)}{understood}</div>'


def source_id(turn: int, number: int) -> str:
    """Return the HTML id of a source's card."""
    return f"source-{turn}-{number}"


def render_turn(turn: Turn) -> str:
    """Return the reply: the answer with its stamp, how far it is, or what went wrong."""
    if turn.error is not None:
        return f'<div class="failed" role="alert"><b>This failed.</b> {escape(turn.error)}</div>'
    if turn.answer is not None:
        return _answer(turn, turn.answer)
    written = f'<div class="reply">{_linked(turn)}</div>' if turn.text else ""
    if turn.stopped:
        return f'{written}<div class="stamp">{_names(turn)} · stopped</div>'
    return f'{written}<div class="stamp working">{_names(turn)} · {_phase(turn)}</div>'


def _answer(turn: Turn, answer: Answer) -> str:
    kind = "reply abstained" if answer.abstained else "reply"
    advice = (
        '<div class="advice">The nearest passages are under Sources. '
        "Ask in other words, choose another strategy, or add the document that knows.</div>"
        if answer.abstained
        else ""
    )
    total = milliseconds(answer.timings_ms["total"])
    return (
        f'<div class="{kind}">{_linked(turn)}</div>{advice}{_checks(answer)}{_flags(answer)}'
        f'<div class="stamp">{_names(turn)} · {total}</div>'
    )


def _checks(answer: Answer) -> str:
    """What of the answer its sources do not hold, folded under its count; nothing where they hold all."""
    doubtful = [sentence for sentence in answer.sentences if sentence.verdict is not Verdict.SUPPORTED]
    if not doubtful:
        return ""
    unsupported = sum(sentence.verdict is Verdict.UNSUPPORTED for sentence in doubtful)
    said = []
    if unsupported:
        said.append(f"{plural(unsupported, 'sentence')} not supported")
    if unsupported < len(doubtful):
        said.append(f"{plural(len(doubtful) - unsupported, 'sentence')} weakly supported")
    rows = "".join(
        f'<li class="{one.verdict}">{escape(one.text)} <i>({escape(one.reason or "")})</i></li>'
        for one in doubtful
    )
    summary = f"<summary>{' · '.join(said)} by the sources</summary>"
    return f'<details class="checks">{summary}<ul>{rows}</ul></details>'


def _flags(answer: Answer) -> str:
    return "".join(f'<div class="flag" role="note">{escape(flag)}</div>' for flag in answer.flags)


def _linked(turn: Turn) -> str:
    """The text with each `[n]` that names a source linked to its card; `[12]` of a quotation stays text."""
    evidence = turn.answer.evidence if turn.answer else turn.found.packed.evidence if turn.found else ()
    known = {item.number for item in evidence}
    parts: list[str] = []
    text = turn.answer.text if turn.answer else turn.text
    quoted = turn.answer is not None and turn.answer.llm == EXTRACTIVE
    position = 0
    for match in (_MARKER_OF_QUOTATION if quoted else _MARKER).finditer(text):
        number = int(match[1])
        if number not in known:
            continue
        parts.append(escape(text[position : match.start()]))
        parts.append(f'<a class="marker" href="#{source_id(turn.number, number)}">[{number}]</a>')
        position = match.end()
    return "".join([*parts, escape(text[position:])])


def _names(turn: Turn) -> str:
    """What made the answer: strategy, reranker, LLM. As asked for until it is known what was used."""
    made = turn.answer or turn.options
    reranker = f"reranked by {made.reranker}" if made.reranker else "no reranker"
    if not turn.answer and made.llm == "auto":
        return _chips(made.strategy, reranker)
    llm = "quotations, no LLM (extractive)" if made.llm == EXTRACTIVE else Path(made.llm).name
    return _chips(made.strategy, reranker, llm)


def _chips(*names: str) -> str:
    return " · ".join(f"<span>{escape(name)}</span>" for name in names)


def _phase(turn: Turn) -> str:
    if turn.waiting is not None and not turn.text:
        return _waits(turn.waiting)
    if turn.found is None:
        return "searching …"
    return "writing …" if turn.text else "reading the passages …"


def _waits(waiting: Waiting) -> str:
    done, total = waiting.done, waiting.total
    if waiting.stage == "queue":
        return f"{plural(done, 'question')} before yours …" if done else "next …"
    if waiting.stage == "load":
        return "loading the model …"
    unit = "passages" if waiting.stage == "read" else "tokens"
    return f"reading {done:,} of {total:,} {unit} …" if total else "reading …"
