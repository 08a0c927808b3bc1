"""The chat pane: question, how to ask it, the conversation, and the sources of one answer."""

import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from ingestion.errors import RagError
from rag_app.answers import Answer, AnswerEvent, AskOptions, Condensed, Delta, Found, Waiting
from rag_app.assistant import Assistant
from rag_app.remembering import NEW
from ui.background import Job, Workers
from ui.choices import NO_RERANKER, llm_choices, render_help, reranker_choices, strategy_choices
from ui.components.conversation import Message, Turn, messages
from ui.components.sources import EMPTY, render_sources

# Questions answered at the same time, over all sessions; the encoder and an LLM have one lock each.
_AT_ONCE = 4
INTERNAL_ERROR = "Something in the application is broken; the terminal that runs it has the details."

Turns = tuple[Turn, ...]
Shown = tuple[Turns, list[Message], str]


class Chat:
    """What happens to the conversation. One object serves all sessions; each keeps its own `Turns`."""

    def __init__(self, assistant: Assistant, workers: Workers) -> None:
        self.assistant = assistant
        self.workers = workers

    def options(self, strategy: str | None, reranker: str | None, llm: str | None) -> AskOptions:
        """Return the options that the selectors say."""
        chosen = (reranker or "").strip()
        return replace(
            self.assistant.options(),
            strategy=strategy or self.assistant.options().strategy,
            reranker=None if chosen in ("", NO_RERANKER) else chosen,
            llm=(llm or "").strip() or self.assistant.options().llm,
        )

    def begin(self, question: str, turns: Turns, job: Job | None, options: AskOptions) -> tuple[Turns, Job]:
        """Return the conversation with the question in it, and the job that will answer it."""
        if job is not None and job.running:
            raise gr.Error("Wait for the answer, or stop it.", title="Still answering", print_exception=False)
        answered = [turn.answer for turn in turns if turn.answer is not None]
        conversation = answered[-1].conversation_id if answered else None
        options = replace(options, conversation=conversation or NEW)
        return (*turns, Turn(len(turns) + 1, question.strip(), options)), Job()

    def answer(self, turns: Turns, job: Job) -> Generator[Turns]:
        """Yield the conversation as its last question is answered; stopping the job stops the model."""
        *before, turn = turns

        def work(put: Callable[[AnswerEvent], None]) -> None:
            with closing(self.assistant.stream(turn.question, turn.options)) as events:
                for event in events:
                    put(event)
                    if job.stopped:
                        return

        try:
            with closing(self.workers.run(job, work)) as batches:
                for batch in batches:
                    turn = follow(turn, batch)
                    yield (*before, turn)
        except RagError as error:
            yield (*before, replace(turn, error=str(error)))
        except Exception:
            traceback.print_exc()
            yield (*before, replace(turn, error=INTERNAL_ERROR))
            raise
        else:
            if turn.pending:
                yield (*before, replace(turn, stopped=True))
        finally:
            job.end()


def follow(turn: Turn, events: Sequence[AnswerEvent]) -> Turn:
    """Return the turn after these events."""
    for event in events:
        match event:
            case Condensed():
                turn = replace(turn, understood=event.question)
            case Waiting():
                turn = replace(turn, waiting=event)
            case Found():
                turn = replace(turn, found=event)
            case Delta():
                turn = replace(turn, text=turn.text + event.text)
            case Answer():
                turn = replace(turn, answer=event)
    return turn


def show(turns: Turns) -> Shown:
    """Return what a handler gives back: state, chat, sources of the last turn."""
    return turns, messages(turns), render_sources(turns[-1] if turns else None)


@dataclass(frozen=True, slots=True)
class ChatPane:
    """The components that other panes and later pages connect to."""

    chatbot: gr.Chatbot
    question: gr.Textbox
    send: gr.Button
    stop: gr.Button
    clear: gr.Button
    strategy: gr.Radio
    reranker: gr.Dropdown
    llm: gr.Dropdown
    about: gr.HTML


def build_chat(assistant: Assistant) -> ChatPane:
    """Lay out the chat pane."""
    with gr.Row(elem_id="chat-title"):
        gr.HTML("<h2>Chat</h2>")
        clear = gr.Button("New conversation", size="sm", elem_id="clear", min_width=60)
    chatbot = gr.Chatbot(
        label="Conversation",
        show_label=False,
        elem_id="conversation",
        height="100%",
        layout="bubble",
        # Contents are our own escaped HTML: no Markdown, no LaTeX, and still sanitised by Gradio.
        render_markdown=False,
        sanitize_html=True,
        allow_tags=False,
        latex_delimiters=[],
        buttons=[],
        feedback_options=None,
        allow_file_downloads=False,
        placeholder=(
            "<h2>Ask your documents</h2><p>Add some under Documents, then ask. Each answer shows where in "
            "them it was found, and which strategy found it.</p>"
        ),
    )
    with gr.Row(elem_id="ask", equal_height=True):
        question = gr.Textbox(
            label="Question",
            show_label=False,
            container=False,
            placeholder="Ask a question",
            elem_id="question",
            autofocus=True,
            lines=1,
            max_lines=6,
            scale=8,
            html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
        )
        send = gr.Button("Ask", variant="primary", elem_id="send", scale=1, min_width=80)
        stop = gr.Button("Stop", variant="stop", elem_id="stop", scale=1, min_width=80, visible=False)
    with gr.Column(elem_id="how"):
        strategy, reranker, llm, about = _build_how(assistant)
    return ChatPane(chatbot, question, send, stop, clear, strategy, reranker, llm, about)


def _build_how(assistant: Assistant) -> tuple[gr.Radio, gr.Dropdown, gr.Dropdown, gr.HTML]:
    """Lay out the selectors: how the next question is answered."""
    options, strategies = assistant.options(), assistant.strategies()
    strategy = gr.Radio(
        strategy_choices(strategies),
        value=options.strategy,
        label="Strategy",
        elem_id="strategy",
    )
    with gr.Row(elem_id="models"):
        reranker = gr.Dropdown(
            reranker_choices(assistant),
            value=options.reranker or NO_RERANKER,
            label="Reranker",
            allow_custom_value=True,
            elem_id="reranker",
            elem_classes="selector",
            min_width=140,
        )
        llm = gr.Dropdown(
            llm_choices(assistant),
            value=options.llm,
            label="LLM",
            allow_custom_value=True,
            elem_id="llm",
            elem_classes="selector",
            min_width=140,
        )
    about = gr.HTML(render_help(assistant, options.strategy), elem_id="help")
    return strategy, reranker, llm, about


def connect_chat(chat: Chat, pane: ChatPane, sources: gr.HTML) -> None:
    """Wire the chat pane: Enter and Ask begin, Stop stops, a click on an old answer shows its sources."""
    turns: gr.State = gr.State(())
    job: gr.State = gr.State(None)
    shown = [turns, pane.chatbot, sources]

    def begin(question: str, turns: Turns, job: Job | None, *how: str | None) -> tuple[Any, ...]:
        asked, started = chat.begin(question, turns, job, chat.options(*how))
        return (*show(asked), started, "", gr.Button(visible=False), gr.Button(visible=True))

    def answer(turns: Turns, job: Job) -> Generator[Shown]:
        for state in chat.answer(turns, job):
            yield show(state)

    def stop(job: Job | None) -> None:
        if job is not None:
            job.stop()

    def settle() -> tuple[gr.Button, gr.Button]:
        return gr.Button(visible=True), gr.Button(visible=False)

    def forget(job: Job | None) -> Shown:
        stop(job)
        return (), [], EMPTY

    def select(turns: Turns, event: gr.SelectData) -> str:
        index = event.index if isinstance(event.index, int) else event.index[0]
        return render_sources(turns[index // 2]) if index // 2 < len(turns) else EMPTY

    def describe(strategy: str) -> str:
        return render_help(chat.assistant, strategy)

    quick: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
    begun = gr.on(
        [pane.question.submit, pane.send.click],
        begin,
        [pane.question, turns, job, pane.strategy, pane.reranker, pane.llm],
        [*shown, job, pane.question, pane.send, pane.stop],
        **quick,
    )
    begun.success(
        answer,
        [turns, job],
        shown,
        api_visibility="private",
        show_progress="hidden",
        concurrency_id="ask",
        concurrency_limit=_AT_ONCE,
    ).then(settle, outputs=[pane.send, pane.stop], **quick)
    pane.stop.click(stop, [job], **quick)
    gr.on([pane.clear.click, pane.chatbot.clear], forget, [job], shown, **quick)
    pane.chatbot.select(select, [turns], [sources], **quick)
    pane.strategy.change(describe, [pane.strategy], [pane.about], **quick)
