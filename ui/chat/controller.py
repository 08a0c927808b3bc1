"""The actions of the Chat page: asking, the kept conversations, and the evidence of an answer."""

import base64
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import gradio as gr

from ingestion.errors import RagError, UnknownName
from ingestion.storage.catalogue.filters import Filters
from rag_app.answering.answers import AnswerEvent, AskOptions, PassagesFound, PromptContext
from rag_app.history.conversations import TurnState
from rag_app.history.serialization import RestoredTurn
from rag_app.service.composition import Assistant
from rag_app.service.questions import check_question
from retrievers.hits import Hit
from ui.background import BackgroundJob, Workers
from ui.chat.explanation import HitExplanation, render_why
from ui.chat.render import render_conversations, render_sources
from ui.chat.viewer import SourceLocation, Tab, render_page, render_viewer, spans_on
from ui.components.answering import answered, streaming
from ui.components.choices import check_offered, reranker_chosen
from ui.components.conversation import ChatTurn, Turns, turn_of
from ui.components.events import failure_named
from ui.components.judgements import JudgementController
from ui.components.text import Span, escape, render_error

_ENDED = {
    TurnState.STOPPED: None,
    TurnState.ASKED: "It is being answered for another page; open the conversation again in a while.",
    TurnState.INTERRUPTED: "The application ended before it was answered. Ask again.",
}


@dataclass(frozen=True, slots=True)
class QueryOptions:
    """The values of the selectors beside the question, in their order."""

    strategy: str | None = None
    reranker: str | None = None
    llm: str | None = None
    collection: str | None = None
    only: Sequence[str] | None = None
    search_only: bool = False


class ChatController:
    """Asking and answering. One object serves all sessions; each keeps its own `Turns`."""

    def __init__(self, assistant: Assistant, workers: Workers) -> None:
        self.assistant = assistant
        self.workers = workers
        self.conversations = ConversationController(assistant)
        self.evidence = EvidenceController(assistant)

    def options(self, chosen: QueryOptions) -> AskOptions:
        """Return the options that the selectors choose."""
        options = self.assistant.options()
        return replace(
            options,
            strategy=chosen.strategy or options.strategy,
            reranker=reranker_chosen(chosen.reranker),
            llm=(chosen.llm or "").strip() or options.llm,
            collections=(chosen.collection,) if chosen.collection else options.collections,
            filters=Filters(documents=tuple(chosen.only or ())),
        )

    def begin(
        self,
        question: str,
        turns: Turns,
        job: BackgroundJob | None,
        current: str | None,
        chosen: QueryOptions,
        *,
        as_is: bool = False,
    ) -> tuple[Turns, BackgroundJob, str | None]:
        """Begin a question, unless the former one is still being answered.

        Args:
            current: The conversation's id; None begins one, unless `chosen` asks for a search only.
            as_is: The question can be understood alone; it is not rewritten as a follow-up.

        Returns:
            The conversation with the question in it, the job that will answer it, the conversation's id.
        """
        if job is not None and job.running:
            raise gr.Error("Wait for the answer, or stop it.", title="Still answering", print_exception=False)
        text = question.strip()
        options = replace(self.options(chosen), standalone=text if as_is else None)
        with failure_named("Not asked"):
            check_question(text)
            if not chosen.search_only:
                current = self.conversations.begun(current)
                options = replace(options, conversation=current)
        turn = ChatTurn(len(turns) + 1, text, options, search_only=chosen.search_only)
        return (*turns, turn), BackgroundJob(), current

    def answer(self, turns: Turns, job: BackgroundJob) -> Generator[Turns]:
        """Yield the conversation as its last question is answered; stopping the job stops the model."""
        *before, turn = turns

        def work(put: Callable[[AnswerEvent], None]) -> None:
            check_offered(self.assistant, llm=turn.options.llm, reranker=turn.options.reranker)
            if turn.search_only:
                put(PassagesFound(self.assistant.search(turn.question, turn.options), PromptContext((), 0.0)))
            else:
                streaming(self.assistant, turn, job)(put)

        try:
            for current in answered(self.workers, job, turn, work):
                yield (*before, current)
        finally:
            job.end()


class ConversationController:
    """The kept conversations. One object serves all sessions."""

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant

    def listed(self, current: str | None) -> str:
        """Return the list as HTML."""
        return render_conversations(self.assistant.conversations.list(), current, datetime.now(UTC))

    def begun(self, current: str | None) -> str:
        """Return the conversation's id, or a new one's where there is none or it was deleted."""
        if current is not None:
            try:
                return self.assistant.conversations.get(current).id
            except UnknownName:
                pass
        return self.assistant.conversations.create().id

    def turns(self, conversation: str) -> Turns:
        """Return a conversation's turns. Raises UnknownName."""
        return tuple(map(_turn, self.assistant.restore(conversation)))

    def title(self, current: str | None) -> str | None:
        """Return a conversation's title, "" before it has one; None for a new or deleted conversation."""
        if current is None:
            return None
        try:
            return self.assistant.conversations.get(current).title
        except UnknownName:
            return None

    def shared(self, conversation: str) -> tuple[str, str]:
        """Return a conversation as Markdown, and a link as HTML that saves it. Raises UnknownName."""
        text = self.assistant.conversation_markdown(conversation)
        encoded = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
        letters = (c if c.isalnum() else "-" for c in self.title(conversation) or "")
        name = "".join(letters)[:60].strip("-") or "conversation"
        link = (
            f'<a class="save" download="{escape(name)}.md" '
            f'href="data:text/markdown;charset=utf-8;base64,{encoded}">Save as a file</a>'
        )
        return text, link


def _turn(restored: RestoredTurn) -> ChatTurn:
    kept = restored.turn
    error, stopped = kept.error, False
    if not (restored.answer or error):
        error = _ENDED.get(kept.state)
        stopped = error is None
    return ChatTurn(
        kept.number,
        kept.question,
        restored.options if restored.answer else AskOptions(),
        found=restored.found,
        understood=kept.standalone if kept.standalone != kept.question else None,
        answer=restored.answer,
        error=error,
        stopped=stopped,
    )


class EvidenceController:
    """The evidence of answers. One object serves all sessions."""

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant
        self.judgements = JudgementController(assistant)

    def sources(self, turn: ChatTurn | None) -> str:
        """Return the cards of a turn, with the judgements of its passages."""
        if turn is None or turn.found is None:
            return render_sources(turn)
        grades = self.judgements.grades(turn.understood or turn.question, turn.found.result.hits)
        return render_sources(turn, grades)

    def open(self, turns: Turns, place: SourceLocation, tab: Tab, password: str | None = None) -> str:
        """Return the viewer at a place, as HTML; an error stands in it."""
        turn = turn_of(turns, place.turn)
        hit = hit_of(turn, place.chunk)
        try:
            if tab == "why" and turn is not None and hit is not None:
                pages = self.assistant.document_pages(place.document) or place.page
                return render_viewer(place, hit.chunk.document, pages, tab, self._why(turn, hit))
            spans = _spans(turn, hit) if hit is not None and hit.chunk.page == place.page else []
            answer = turn.answer.text if turn is not None and turn.answer is not None else ""
            view = self.assistant.pages.view(
                place.document, place.page, spans, answer=answer, password=password
            )
        except RagError as error:
            name = hit.chunk.document if hit else "Source"
            return render_viewer(place, name, place.page, tab, render_error(error))
        return render_viewer(place, view.document.label, view.document.pages, tab, render_page(view, place))

    def judge(self, turn: ChatTurn, hits: Sequence[Hit], grade: int) -> None:
        """Keep that passages answer the turn's question (1) or do not (0). Raises RagError."""
        self.judgements.judge(turn.understood or turn.question, hits, grade)

    def judge_answer(self, turn: ChatTurn, grade: int) -> ChatTurn:
        """Keep a verdict on an answer as a judgement of the passages that it cites. Raises RagError."""
        if turn.answer is None or turn.answer.abstained or not turn.answer.citations:
            return turn
        markers = {citation.marker for citation in turn.answer.citations}
        self.judge(turn, [item.hit for item in turn.answer.evidence if item.number in markers], grade)
        return replace(turn, grade=grade)

    def _why(self, turn: ChatTurn, hit: Hit) -> str:
        assert turn.found is not None
        result = turn.found.result
        tokens = self.assistant.passages.explain(result, hit)
        terms = self.assistant.passages.explain_words(result, hit)
        return render_why(HitExplanation(result.query.text, hit, result.strategy, tokens, terms))


def hit_of(turn: ChatTurn | None, chunk: str) -> Hit | None:
    """Return a turn's hit by its chunk's id."""
    if turn is None or turn.found is None:
        return None
    hits = [*turn.found.result.hits, *(item.hit for item in turn.found.packed.evidence)]
    return next((hit for hit in hits if hit.chunk.id == chunk), None)


def _spans(turn: ChatTurn | None, hit: Hit) -> list[Span]:
    """Return the spans to mark on the page: the words that the answer cites, else the passage."""
    chunk = hit.chunk
    cited = [
        (one.start, one.end)
        for one in (turn.answer.citations if turn and turn.answer else ())
        if one.document_id == chunk.document_id and one.page == chunk.page
    ]
    return spans_on(cited, chunk.start, chunk.end)
