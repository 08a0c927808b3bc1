"""The evidence pane: the passages of an answer as cards, and beside them one source, looked at closely."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from ingestion.errors import RagError
from rag_app.evaluation.judgements import Judgement
from rag_app.service.composition import Assistant
from retrievers.hits import Hit
from ui.components.conversation import Turn
from ui.components.document_list import render_error
from ui.components.explanation import Why, render_why
from ui.components.sources import EMPTY, render_sources
from ui.components.viewer import Place, Tab, place_of, render_page, render_viewer, spans_on
from ui.static import read_static

Turns = tuple[Turn, ...]

_LONGEST_PASSWORD = 1000


class Desk:
    """What happens to evidence. One object serves all sessions."""

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant

    def sources(self, turn: Turn | None) -> str:
        """Return the cards of a turn, with what was said of its passages."""
        if turn is None or turn.found is None:
            return render_sources(turn)
        grades = self.grades(turn.understood or turn.question, turn.found.result.hits)
        return render_sources(turn, grades)

    def open(self, turns: Turns, place: Place, tab: Tab, password: str | None = None) -> str:
        """Return the viewer at a place, as HTML; what cannot be shown is said in it."""
        turn = next((turn for turn in turns if turn.number == place.turn), None)
        hit = _hit(turn, place.chunk)
        try:
            if tab == "why" and turn is not None and hit is not None:
                pages = self.assistant.document_pages(place.document) or place.page
                return render_viewer(place, hit.chunk.document, pages, tab, self._why(turn, hit))
            spans = _spans(turn, hit) if hit is not None and hit.chunk.page == place.page else []
            view = self.assistant.pages.view(place.document, place.page, spans, password=password)
        except RagError as error:
            name = hit.chunk.document if hit else "Source"
            return render_viewer(place, name, place.page, tab, render_error(str(error)))
        return render_viewer(place, view.document.label, view.document.pages, tab, render_page(view, place))

    def judge(self, turn: Turn, hits: Sequence[Hit], grade: int) -> None:
        """Keep that passages answer the turn's question (1), or do not (0). Raises RagError."""
        question = turn.understood or turn.question
        found = [
            Judgement(question, sha256, chunk.page, chunk.document, grade, chunk.start, chunk.end)
            for chunk in (hit.chunk for hit in hits)
            if (sha256 := self.assistant.content_of(chunk.document_id))
        ]
        if not found:
            raise RagError("the passage's document is not in the library any more; ask again")
        self.assistant.judgements.add(found)

    def judge_answer(self, turn: Turn, grade: int) -> Turn:
        """Keep a person's verdict on an answer as one on the passages that it cites. Raises RagError."""
        if turn.answer is None or not turn.answer.citations:
            return turn
        markers = {citation.marker for citation in turn.answer.citations}
        hits = [item.hit for item in turn.answer.evidence if item.number in markers]
        self.judge(turn, hits, grade)
        return replace(turn, grade=grade)

    def grades(self, question: str, hits: Sequence[Hit]) -> dict[str, int]:
        """Return what was said of hits, by chunk: of the passage itself, or else of its whole page."""
        said = {
            (one.sha256, one.page, one.start, one.end): one.grade
            for one in self.assistant.judgements.of(question)
        }
        if not said:
            return {}
        found: dict[str, int] = {}
        for chunk in (hit.chunk for hit in hits):
            content = self.assistant.content_of(chunk.document_id) or ""
            for span in ((chunk.start, chunk.end), (0, 0)):
                if (grade := said.get((content, chunk.page, *span))) is not None:
                    found.setdefault(chunk.id, grade)
        return found

    def _why(self, turn: Turn, hit: Hit) -> str:
        assert turn.found is not None
        result = turn.found.result
        tokens = self.assistant.explain(result, hit)
        terms = self.assistant.explain_words(result, hit)
        return render_why(Why(result.query.text, hit, result.strategy, tokens, terms))


def _hit(turn: Turn | None, chunk: str) -> Hit | None:
    if turn is None or turn.found is None:
        return None
    hits = [*turn.found.result.hits, *(item.hit for item in turn.found.packed.evidence)]
    return next((hit for hit in hits if hit.chunk.id == chunk), None)


def _spans(turn: Turn | None, hit: Hit) -> list[tuple[int, int]]:
    """What is marked on the page: the words that the answer cites, else those that were read, else the
    passage."""
    chunk = hit.chunk
    if turn is not None and turn.answer is not None:
        cited = [
            (one.start, one.end)
            for one in turn.answer.citations
            if one.document_id == chunk.document_id and one.page == chunk.page
        ]
        if any(chunk.start <= start and end <= chunk.end for start, end in cited):
            return spans_on(cited, chunk.start, chunk.end)
    return [(chunk.start, chunk.end)]


@dataclass(frozen=True, slots=True)
class EvidencePane:
    """The components that the chat connects to."""

    sources: gr.HTML
    viewer: gr.HTML


def build_evidence() -> EvidencePane:
    """Lay out the pane."""
    gr.HTML("<h2>Evidence</h2>")
    script = read_static("evidence.js")
    sources = gr.HTML(EMPTY, elem_id="sources", js_on_load=script)
    viewer = gr.HTML("", elem_id="viewer", js_on_load=script)
    return EvidencePane(sources, viewer)


def connect_evidence(desk: Desk, pane: EvidencePane, turns: gr.State) -> None:
    """Wire the pane: a card opens its page or its reason, and takes what a person says of it."""
    # By document: a person is asked once. They are in this session's memory alone, which Gradio forgets an
    # hour after the tab is closed; it does so for states that handlers give back.
    passwords: gr.State = gr.State({})
    quick: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}

    def open_source(turns: Turns, known: dict[str, str], event: gr.EventData) -> tuple[str, dict[str, str]]:
        try:
            place, tab = place_of(event._data)
        except (TypeError, ValueError) as error:
            raise gr.Error(str(error), print_exception=False) from error
        if word := event._data.get("password"):
            known = {**known, place.document: str(word)[:_LONGEST_PASSWORD]}
        return desk.open(turns, place, tab, known.get(place.document)), known

    def judge(turns: Turns, event: gr.EventData) -> str:
        data = event._data
        turn = next((one for one in turns if str(one.number) == str(data.get("turn"))), None)
        hit = _hit(turn, str(data.get("chunk")))
        if turn is None or hit is None:
            return desk.sources(turn)
        try:
            desk.judge(turn, [hit], 1 if str(data.get("grade")) == "1" else 0)
        except RagError as error:
            raise gr.Error(str(error), title="Not kept", print_exception=False) from error
        return desk.sources(turn)

    for component in (pane.sources, pane.viewer):
        component.select(open_source, [turns, passwords], [pane.viewer, passwords], **quick)
    pane.sources.like(judge, [turns], [pane.sources], **quick)
    pane.viewer.clear(lambda: "", None, [pane.viewer], **quick)
