"""A question with its answer, and how they read in a chat."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, TypedDict

from rag_app.answering.answers import (
    REPLY,
    Answer,
    AnswerProgress,
    AskOptions,
    PassagesFound,
    Verdict,
)
from rag_app.llm.choice import EXTRACTIVE
from ui.components.markdown import MARKER, render_markdown
from ui.components.text import escape, milliseconds, plural, stage_times

# Bold, as answers have it in Markdown.
_BOLD = re.compile(r"\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*")
# A quotation may contain its author's [3]; our marker stands at its end.
_MARKER_OF_QUOTATION = re.compile(MARKER.pattern + r"$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """A question and its answer so far. It is pending until it has an answer, or has ended without one.

    Attributes:
        number: The turn's place in its conversation, from 1.
        text: The answer as far as it is written.
        understood: A follow-up question, rewritten so that it can be understood alone.
        waiting: What the answer's first word waits for.
        search_only: The person wants passages and no answer.
        grade: The person's verdict on the answer, 1 good, 0 bad.
        interrupted: The application ended before the answer did.
        partial: What the history has of an answer that is not finished.
    """

    number: int
    question: str
    options: AskOptions
    text: str = ""
    found: PassagesFound | None = None
    understood: str | None = None
    waiting: AnswerProgress | None = None
    answer: Answer | None = None
    error: str | None = None
    stopped: bool = False
    search_only: bool = False
    grade: int | None = None
    interrupted: bool = False
    partial: Answer | None = None

    @property
    def pending(self) -> bool:
        answered = self.found is not None if self.search_only else self.answer is not None
        return not (answered or self.error is not None or self.stopped or self.interrupted)


Turns = tuple[ChatTurn, ...]


def turn_of(turns: Turns, number: object) -> ChatTurn | None:
    """Return the turn with a number, which may be the text of an element's attribute."""
    return next((turn for turn in turns if str(turn.number) == str(number)), None)


class ChatbotMessage(TypedDict):
    """A message as gr.Chatbot takes it; `content` is HTML."""

    role: Literal["user", "assistant"]
    content: str


def messages(turns: Sequence[ChatTurn]) -> list[ChatbotMessage]:
    """Return the conversation, two messages a turn."""
    shown: list[ChatbotMessage] = []
    for turn in turns:
        shown.append({"role": "user", "content": _question(turn)})
        shown.append({"role": "assistant", "content": render_turn(turn)})
    return shown


def _question(turn: ChatTurn) -> str:
    understood = (
        f'<div class="understood">Understood as: {escape(turn.understood)} '
        f"{_action('edit', turn, 'Edit', 'Change how the question is understood, and ask again')}</div>"
        if turn.understood
        else ""
    )
    return f'<div class="question">{escape(turn.question)}{understood}</div>'


def source_id(turn: int, number: int) -> str:
    """Return the HTML id of a source's card."""
    return f"source-{turn}-{number}"


def render_turn(turn: ChatTurn) -> str:
    """Return the reply: the answer with its stamp, what is written of it, and its progress or its error."""
    if turn.answer is not None:
        return _answer(turn, turn.answer)
    if turn.error is None and turn.search_only and turn.found is not None:
        return _searched(turn, turn.found)
    written = _reply(turn) if turn.text else ""
    if turn.pending:
        return f'{written}<div class="stamp working">{_names(turn)} · {_phase(turn)}</div>'
    return f'{written}{_unfinished(turn)}<div class="actions">{_again(turn)}</div>'


def _unfinished(turn: ChatTurn) -> str:
    """Return why an answer is not finished, below what is written of it."""
    written = turn.partial
    checked = _checks(written) + _flags(written) if written else ""
    usage = written.usage if written else None
    tokens = f" · {plural(usage.completion_tokens, 'token')} written" if usage else ""
    if turn.error is not None:
        stamp = f'<div class="stamp">{_names(turn)} · not finished{tokens}</div>' if turn.text else ""
        failed = f'<div class="failed" role="alert"><b>This failed.</b> {escape(turn.error)}</div>'
        return f"{checked}{stamp}{failed}"
    if turn.interrupted:
        why = '<div class="flag" role="note">The application ended while this was answered.</div>'
        return f'{checked}{why}<div class="stamp">{_names(turn)} · interrupted{tokens}</div>'
    return f'{checked}<div class="stamp">{_names(turn)} · stopped{tokens}</div>'


def _answer(turn: ChatTurn, answer: Answer) -> str:
    reply = _reply(turn)
    if answer.abstained:
        said, _, closest = _linked(turn).partition("\n\n")
        below = f'<div class="reply closest">{closest}</div>' if closest else ""
        reply = f'<div class="reply abstained {answer.outcome}">{said}</div>{below}{_advice(answer)}'
    return (
        f"{reply}{_model_text(answer)}{_checks(answer)}{_flags(answer)}{_looked(turn)}"
        f'<details class="stamp"><summary>{_names(turn)} · {_instructed(answer)}'
        f"{milliseconds(answer.timings_ms['total'])}</summary>{_instructions(answer)}"
        f'<div class="stages">{stage_times(answer.timings_ms)}</div></details>{_actions(turn, answer)}'
    )


def _instructed(answer: Answer) -> str:
    return f"{_chips('with instructions')} · " if answer.instructions and not answer.abstained else ""


def _instructions(answer: Answer) -> str:
    """Return what the language model was asked about the form of the answer; nothing without an answer."""
    if answer.abstained:
        return ""
    asked = (
        ("Instructions of the collection", answer.instructions.collection),
        ("Instructions of the program that asked", answer.instructions.request),
    )
    return "".join(
        f'<div class="instructions"><b>{who}</b> <span dir="auto">{escape(text)}</span></div>'
        for who, text in asked
        if text
    )


def _advice(answer: Answer) -> str:
    """Return what a person can do where the documents do not answer."""
    evidence = "All passages that were found are under Evidence. " if answer.nearest else ""
    return (
        f'<div class="advice">{evidence}'
        "Ask in other words, choose another strategy, or add the document that knows.</div>"
    )


def _searched(turn: ChatTurn, found: PassagesFound) -> str:
    result = found.result
    reranker = f" · reranked by {escape(result.reranker)}" if result.reranker else ""
    total = milliseconds(result.timings_ms["total"])
    return (
        f'<div class="reply">{plural(len(result.hits), "passage")} found. They are under Evidence.</div>'
        f"{_looked(turn)}"
        f'<div class="stamp"><span>{escape(result.strategy)}</span>{reranker} · search only · {total}</div>'
        f'<div class="actions">{_again(turn)}</div>'
    )


def _looked(turn: ChatTurn) -> str:
    """Return where was looked first, and what was looked for also; nothing where neither is known."""
    result = turn.found.result if turn.found else None
    if result is None or not (result.looked_first or result.looked_for):
        return ""
    parts = []
    if result.looked_first:
        documents = ", ".join(f"<b>{escape(one.document)}</b>" for one in result.looked_first)
        parts.append(f"Looked first in {documents}")
    if result.looked_for:
        terms = "; ".join(f"{escape(one.term)}: {escape(', '.join(one.also))}" for one in result.looked_for)
        parts.append(f"{'a' if parts else 'A'}lso looked for {terms}")
    why = "The question names documents, or terms of the glossary. The strategy fusion looks at neither."
    return f'<div class="looked" title="{escape(why)}">{" · ".join(parts)}</div>'


def _actions(turn: ChatTurn, answer: Answer) -> str:
    thumbs = ""
    if answer.citations and not answer.abstained:
        good = "Good answer: the cited passages are kept as answering this question"
        bad = "Bad answer: the cited passages are kept as not answering this question"
        thumbs = (
            f"{_action('good', turn, 'Good', good, chosen=turn.grade == 1)}"
            f"{_action('bad', turn, 'Bad', bad, chosen=turn.grade == 0)}"
        )
    return f'<div class="actions">{_again(turn)}{thumbs}</div>'


def _again(turn: ChatTurn) -> str:
    return _action(
        "again", turn, "Ask again", "Ask this again with the strategy, reranker and LLM chosen below"
    )


def _action(name: str, turn: ChatTurn, label: str, title: str, *, chosen: bool = False) -> str:
    """Return a link that static/actions.js treats as a button: the chat's sanitiser removes buttons."""
    mark = ' class="action chosen"' if chosen else ' class="action"'
    return f'<a{mark} href="#do-{name}-{turn.number}" title="{escape(title)}">{escape(label)}</a>'


def _checks(answer: Answer) -> str:
    """Return the sentences that the sources do not fully support, folded; nothing where they support all."""
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


def _reply(turn: ChatTurn) -> str:
    """Return the text of a language model as Markdown, other text as it is."""
    if _is_model_text(turn):
        link_of = partial(_link, turn, _known(turn))
        answer = turn.answer or turn.partial
        written = render_markdown(
            answer.text if answer else turn.text, answer.sentences if answer else (), link_of
        )
        return f'<div class="reply written">{written}</div>'
    return f'<div class="reply">{_linked(turn)}</div>'


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


def _linked(turn: ChatTurn) -> str:
    """Return the text with the markers of its sources linked; a quotation's own `[12]` stays text."""
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


def _model_text(answer: Answer) -> str:
    """Return the model's own text, folded, where quotations stand for it."""
    if answer.model_text is None:
        return ""
    text = escape(answer.model_text) or "Nothing."
    return f'<details class="own"><summary>What the model wrote</summary><pre>{text}</pre></details>'


def _names(turn: ChatTurn) -> str:
    """Return strategy, reranker and LLM: those asked for, until it is known which were used."""
    made = turn.answer or turn.partial or turn.options
    if made.strategy == REPLY:
        return _chips("looked up by words" if turn.answer and turn.answer.citations else "no documents read")
    reranker = f"reranked by {made.reranker}" if made.reranker else "no reranker"
    if isinstance(made, AskOptions) and made.llm == "auto":
        return _chips(made.strategy, reranker)
    return _chips(made.strategy, reranker, _llm_name(made.llm))


def _llm_name(llm: str) -> str:
    """Return what stands for a language model: a file's name, or a server's model with its address."""
    if llm == EXTRACTIVE:
        return "quotations, no LLM (extractive)"
    return llm if "://" in llm else Path(llm).name


def _chips(*names: str) -> str:
    return " · ".join(f"<span>{escape(name)}</span>" for name in names)


def _phase(turn: ChatTurn) -> str:
    if turn.waiting is not None and not turn.text:
        return _waits(turn.waiting)
    if turn.found is None:
        return "searching …"
    return "writing …" if turn.text else "reading the passages …"


def _waits(waiting: AnswerProgress) -> str:
    done, total = waiting.done, waiting.total
    if waiting.stage == "queue":
        return f"{plural(done, 'question')} before yours …" if done else "next …"
    if waiting.stage == "load":
        return "loading the model …"
    unit = "passages" if waiting.stage == "read" else "tokens"
    return f"reading {done:,} of {total:,} {unit} …" if total else "reading …"
