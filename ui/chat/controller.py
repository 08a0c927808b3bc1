"""The actions of the Chat page: asking, the kept conversations, and the evidence of an answer."""

import base64
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ingestion.errors import InvalidInput, RagError, UnknownName
from ingestion.storage.catalogue.filters import Filters
from rag_app.answering.answers import AnswerEvent, AskOptions, PassagesFound, PromptContext
from rag_app.history.serialization import RestoredTurn
from rag_app.history.turns import TurnState
from rag_app.service.composition import Assistant
from rag_app.service.questions import check_question
from rag_app.service.running_answers import RunningAnswer
from retrievers.hits import Hit
from ui.background import BackgroundJob, Workers
from ui.chat.explanation import HitExplanation, render_why
from ui.chat.following import Following, followed, turn_so_far
from ui.chat.render import render_conversations, render_sources
from ui.chat.viewer import SourceLocation, Tab, render_page, render_viewer, spans_on
from ui.components.answering import answered
from ui.components.choices import check_offered, reranker_chosen
from ui.components.judgements import JudgementController
from ui.components.text import Span, escape, render_error
from ui.components.turns import ChatTurn, Turns, asked_again, place_of_pending, recorded_number, turn_of

# Seconds that a page waits until an answer that was stopped is in the history, with its citations.
_RECORDED_S = 3.0


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
        """Begin a question, unless another one is being answered here or in the conversation.

        Args:
            current: The conversation's id; None begins one, unless `chosen` asks for a search only.
            as_is: The question can be understood alone; it is not rewritten as a follow-up.

        Returns:
            The conversation with the question in it, the job that follows its answer or searches, the
            conversation's id.

        Raises:
            RagError: The question cannot be asked so, or not now.
        """
        _check_idle(job)
        started = BackgroundJob()
        text = question.strip()
        options = replace(self.options(chosen), standalone=text if as_is else None)
        check_question(text)
        check_offered(self.assistant, llm=options.llm, reranker=options.reranker)
        if not chosen.search_only:
            self.assistant.llm(options.llm)  # a model that is not there is said before anything is asked
            current = self.conversations.begun(current)
            options = replace(options, conversation=current)
            started = Following(self.assistant.answers.start(text, options))
        turn = ChatTurn(len(turns) + 1, text, options, search_only=chosen.search_only)
        return (*turns, turn), started, current

    def retry(
        self,
        turn: ChatTurn,
        turns: Turns,
        job: BackgroundJob | None,
        current: str | None,
        chosen: QueryOptions,
    ) -> tuple[Turns, BackgroundJob, str | None]:
        """Answer a question of the conversation once more, as it was understood: the answer is a variant.

        A search, which the history does not have, is asked as a new question. Arguments, results and
        exceptions are those of `begin`.
        """
        question, as_is = asked_again(turn)
        if current is None or turn.search_only or chosen.search_only:
            return self.begin(question, turns, job, current, chosen, as_is=as_is)
        _check_idle(job)
        options = self.options(chosen)
        check_offered(self.assistant, llm=options.llm, reranker=options.reranker)
        self.assistant.llm(options.llm)
        options = replace(
            options,
            standalone=question if as_is else None,
            conversation=current,
            turn=recorded_number(turns, turn),
        )
        answer = self.assistant.answers.start(turn.question, options)
        variant = answer.options.variant
        begun = ChatTurn(turn.number, turn.question, options, variant=variant, variants=variant)
        begun = replace(begun, understood=turn.understood)
        return tuple(begun if one is turn else one for one in turns), Following(answer), current

    def answer(self, turns: Turns, job: BackgroundJob) -> Generator[Turns]:
        """Yield the conversation as a question is answered, the same object where nothing has changed.

        Closing this ends a search; an answer goes on.
        """
        place = place_of_pending(turns)
        turn = turns[place]
        states = self._followed(turn, job) if isinstance(job, Following) else self._searched(turn, job)
        try:
            with closing(states):
                for current in states:
                    if current is not turns[place]:
                        turns = (*turns[:place], current, *turns[place + 1 :])
                    yield turns
        finally:
            job.end()

    def _searched(self, turn: ChatTurn, job: BackgroundJob) -> Generator[ChatTurn]:
        def work(put: Callable[[AnswerEvent], None]) -> None:
            put(PassagesFound(self.assistant.search(turn.question, turn.options), PromptContext((), 0.0)))

        yield from answered(self.workers, job, turn, work)

    def _followed(self, turn: ChatTurn, job: Following) -> Generator[ChatTurn]:
        current = turn
        for current in followed(turn, job):
            yield current
        # What was written of an unfinished answer is checked, and its tokens are counted, as it is recorded.
        if not job.running or current.answer or not job.answer.wait_for_end(_RECORDED_S):
            return
        recorded = self.conversations.recorded(job.answer)
        if recorded is not None and recorded.partial is not None:
            yield replace(recorded, number=turn.number)


class ConversationController:
    """The kept conversations. One object serves all sessions."""

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant

    def listed(self, current: str | None, search: str = "") -> str:
        """Return as HTML the list of conversations, or of those that have the words of a search."""
        found = self.assistant.conversations.list(search=search)
        return render_conversations(found, current, datetime.now(UTC), search=search)

    def begun(self, current: str | None) -> str:
        """Return the conversation's id, or a new one's where there is none or it was deleted."""
        if current is not None:
            try:
                return self.assistant.conversations.get(current).id
            except UnknownName:
                pass
        return self.assistant.conversations.create().id

    def turns(self, conversation: str) -> tuple[Turns, Following | None]:
        """Return a conversation's turns, and the following of the answer that is being written.

        Raises UnknownName.
        """
        # Asked for first: an answer that ends meanwhile is in the history by then.
        answer = self.assistant.answers.of(conversation)
        turns = tuple(map(turn_of_record, self.assistant.restore(conversation)))
        place = place_of_pending(turns)
        if answer is None or not turns or not turns[place].pending or not _is_of(turns[place], answer):
            return turns, None
        state = answer.state()
        written = turn_so_far(replace(turns[place], options=answer.options), state)
        return (*turns[:place], written, *turns[place + 1 :]), None if state.is_over else Following(answer)

    def recorded(self, answer: RunningAnswer) -> ChatTurn | None:
        """Return a turn whose answer has ended as the history has it; None where it does not."""
        try:
            turns = self.assistant.restore(str(answer.conversation))
        except RagError:  # it was deleted meanwhile, or is damaged; what is shown stays
            return None
        return next((turn for one in turns if _is_of(turn := turn_of_record(one), answer)), None)

    def has_changed(self, conversation: str, turns: Turns) -> bool:
        """Return whether a conversation is not any more as a tab shows it that follows no answer."""
        shown = [turn for turn in turns if not turn.search_only]
        answers, answering = self.assistant.conversations.progress(conversation)
        # Fewer are those of a tab whose last question could not be stored.
        as_shown = tuple((turn.variant, turn.variants) for turn in shown[: len(answers)])
        return answers != as_shown or answering > 0 or any(turn.pending for turn in shown)

    def title(self, current: str | None) -> str | None:
        """Return a conversation's title, "" before it has one; None for a new or deleted conversation."""
        if current is None:
            return None
        try:
            return self.assistant.conversations.get(current).title
        except UnknownName:
            return None

    def rate(self, current: str | None, turns: Turns, turn: ChatTurn, *, helpful: bool) -> Turns:
        """Keep whether an answer was helpful; return the turns. It says nothing about passages.

        Raises UnknownName.
        """
        if current is None or turn.search_only:
            return turns
        self.assistant.conversations.rate(current, recorded_number(turns, turn), helpful=helpful)
        return tuple(replace(one, helpful=helpful) if one is turn else one for one in turns)

    def shared(self, conversation: str) -> tuple[str, str]:
        """Return a conversation as Markdown, and links as HTML that save it. Raises UnknownName."""
        text = self.assistant.conversation_markdown(conversation)
        letters = (c if c.isalnum() else "-" for c in self.title(conversation) or "")
        name = "".join(letters)[:60].strip("-") or "conversation"
        page = self.assistant.conversation_html(conversation)
        return text, " ".join((_saving(name, "md", text), _saving(name, "html", page)))


def _saving(name: str, form: str, text: str) -> str:
    """Return a link as HTML that saves a text as a file."""
    kind, words = {"md": ("markdown", "Markdown"), "html": ("html", "HTML")}[form]
    encoded = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    return (
        f'<a class="save" download="{escape(name)}.{form}" '
        f'href="data:text/{kind};charset=utf-8;base64,{encoded}">Save as {words}</a>'
    )


def _check_idle(job: BackgroundJob | None) -> None:
    """Raise InvalidInput while the tab follows an answer."""
    if job is not None and job.running:
        raise InvalidInput("wait for the answer, or stop it")


def _is_of(turn: ChatTurn, answer: RunningAnswer) -> bool:
    return (turn.number, turn.variant) == (answer.number, answer.options.variant)


def turn_of_record(restored: RestoredTurn) -> ChatTurn:
    """Return a recorded turn as the page holds it."""
    kept, partial = restored.turn, restored.partial
    return ChatTurn(
        kept.number,
        kept.question,
        restored.options,
        text=partial.text if partial else "",
        found=restored.found,
        understood=kept.standalone if kept.standalone != kept.question else None,
        answer=restored.answer,
        error=kept.error,
        stopped=kept.state is TurnState.STOPPED,
        interrupted=kept.state is TurnState.INTERRUPTED,
        partial=partial,
        helpful=kept.helpful,
        variant=kept.variant,
        variants=kept.variants,
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
            written = (turn.answer or turn.partial) if turn is not None else None
            answer = written.text if written is not None else ""
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
    written = (turn.answer or turn.partial) if turn is not None else None
    cited = [
        (one.start, one.end)
        for one in (written.citations if written is not None else ())
        if one.document_id == chunk.document_id and one.page == chunk.page
    ]
    return spans_on(cited, chunk.start, chunk.end)
