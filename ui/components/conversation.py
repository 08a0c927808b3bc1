"""A question with its answer as they read in a chat."""

from collections.abc import Sequence
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
from ui.components.answer_text import linked, render_reply
from ui.components.text import escape, milliseconds, plural, stage_times
from ui.components.turns import ChatTurn


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


def render_turn(turn: ChatTurn) -> str:
    """Return the reply: the answer with its stamp, what is written of it, and its progress or its error."""
    if turn.answer is not None:
        return _answer(turn, turn.answer)
    if turn.error is None and turn.search_only and turn.found is not None:
        return _searched(turn, turn.found)
    written = render_reply(turn) if turn.text else ""
    if turn.pending:
        return f'{written}<div class="stamp working">{names_of(turn)} · {_phase(turn)}</div>'
    actions = f"{_sources(turn)}{_again(turn)}{_variants(turn)}"
    return f'{written}{_unfinished(turn)}<div class="actions">{actions}</div>'


def _unfinished(turn: ChatTurn) -> str:
    """Return why an answer is not finished, below what is written of it."""
    written = turn.partial
    checked = _checks(written) + _flags(written) if written else ""
    usage = written.usage if written else None
    tokens = f" · {plural(usage.completion_tokens, 'token')} written" if usage else ""
    if turn.error is not None:
        stamp = f'<div class="stamp">{names_of(turn)} · not finished{tokens}</div>' if turn.text else ""
        failed = f'<div class="failed" role="alert"><b>This failed.</b> {escape(turn.error)}</div>'
        return f"{checked}{stamp}{failed}"
    if turn.interrupted:
        why = '<div class="flag" role="note">The application ended while this was answered.</div>'
        return f'{checked}{why}<div class="stamp">{names_of(turn)} · interrupted{tokens}</div>'
    return f'{checked}<div class="stamp">{names_of(turn)} · stopped{tokens}</div>'


def _answer(turn: ChatTurn, answer: Answer) -> str:
    reply = render_reply(turn)
    if answer.abstained:
        said, _, closest = linked(turn).partition("\n\n")
        below = f'<div class="reply closest">{closest}</div>' if closest else ""
        reply = f'<div class="reply abstained {answer.outcome}">{said}</div>{below}{_advice(answer)}'
    return (
        f"{reply}{_model_text(answer)}{_checks(answer)}{_flags(answer)}{_looked(turn)}"
        f'{_actions(turn)}<details class="stamp"><summary>⋯'
        '<span class="unseen">How this was answered</span></summary>'
        f"<div>{names_of(turn)} · {_instructed(answer)}"
        f"{milliseconds(answer.timings_ms['total'])}</div>{_instructions(answer)}"
        f'<div class="stages">{stage_times(answer.timings_ms)}</div></details>'
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
    closest = "The closest passages are under Sources. " if answer.nearest else ""
    return f'<div class="advice">{closest}Ask in other words, or add the document that has the answer.</div>'


def _searched(turn: ChatTurn, found: PassagesFound) -> str:
    result = found.result
    reranker = f" · reranked by {escape(result.reranker)}" if result.reranker else ""
    total = milliseconds(result.timings_ms["total"])
    return (
        f'<div class="reply">{plural(len(result.hits), "passage")} found. They are under Sources.</div>'
        f"{_looked(turn)}"
        f'<div class="stamp"><span>{escape(result.strategy)}</span>{reranker} · passages only · {total}</div>'
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


def _actions(turn: ChatTurn) -> str:
    thumbs = (
        f"{_action('good', turn, 'Helpful', 'Keep that this answer helped', chosen=turn.helpful is True)}"
        f"{_action('bad', turn, 'Not helpful', 'Keep that it did not', chosen=turn.helpful is False)}"
    )
    return f'<div class="actions">{_sources(turn)}{_again(turn)}{thumbs}{_variants(turn)}</div>'


def _sources(turn: ChatTurn) -> str:
    """Return the way to the sources, for where they are not beside the chat; nothing without any."""
    if turn.found is None or not turn.found.result.hits:
        return ""
    return _action("sources", turn, "Sources", "See the passages that were found, and their pages")


def _again(turn: ChatTurn) -> str:
    other = _action("with", turn, "Retry with ▾", "Answer again with another strategy, reranker or model")
    if turn.answer is not None:
        return other
    again = _action("again", turn, "Retry", "Ask this again with what is chosen below")
    return again if turn.search_only else f"{again}{other}"


def _variants(turn: ChatTurn) -> str:
    """Return which of the question's answers is shown, with the way to the others; nothing for one alone."""
    if turn.variants < 2:
        return ""
    which = f"Answer {turn.variant} of {turn.variants}"

    def step(name: str, to: int) -> str:
        if not 1 <= to <= turn.variants:
            return f'<span class="step {name}"></span>'
        # The sign comes from the style sheet: the chat's sanitiser lets no aria-label through.
        words = f'<span class="unseen">{which}, {name}</span>'
        return f'<a class="action step {name}" href="#do-{name}-{turn.number}">{words}</a>'

    return (
        f'<span class="variants">{step("previous", turn.variant - 1)}'
        f'<span class="which">{turn.variant}/{turn.variants}</span>{step("next", turn.variant + 1)}</span>'
        f"{_action('compare', turn, 'Compare these', 'See the two latest answers side by side')}"
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


def _model_text(answer: Answer) -> str:
    """Return the model's own text, folded, where quotations stand for it."""
    if answer.model_text is None:
        return ""
    text = escape(answer.model_text) or "Nothing."
    return f'<details class="own"><summary>What the model wrote</summary><pre>{text}</pre></details>'


def names_of(turn: ChatTurn) -> str:
    """Return an answer's strategy, reranker and LLM: those asked for, until it is known which were used."""
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
