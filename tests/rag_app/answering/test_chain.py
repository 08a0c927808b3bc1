"""The chain retrieve | pack | answer, on a real library, with an answerer of the test's own."""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import Runnable

from ingestion.errors import EmptyQuestion, InvalidInput, ModelError, UnknownName
from ingestion.library import Library
from ingestion.storage.catalogue.filters import Filters
from ingestion.storage.catalogue.records import StoredChunk
from rag_app.answering.answers import (
    NO_ANSWER,
    Answer,
    AnswerEvent,
    AnswerInstructions,
    AnswerProgress,
    AnswerSentence,
    AskOptions,
    Citation,
    CitedAnswer,
    Delta,
    Exchange,
    Outcome,
    PassagesFound,
    PromptContext,
    QuestionRewritten,
    ReasoningDelta,
    Verdict,
)
from rag_app.answering.chain import AnswerChain, AnswerSettings
from retrievers.reader.reading import UNREAD, Reading, SentenceReading, Span
from tests.helpers.scripted_answerer import Piece, ScriptedAnswerer
from tests.helpers.streams import generator

APPLE = "When was the Bramley apple tree planted?"
OFF_TOPIC = "Is the kernel scheduler preemptive?"
SENTENCE = AnswerSentence("In 1921.", Verdict.SUPPORTED, 0.9, (1,))
CITATION = Citation(1, "orchard.md", "d", 1, 0, 8, "In 1921.")


@dataclass
class Scripted(ScriptedAnswerer):
    """Has one sentence and one citation for whatever it wrote."""

    pieces: Sequence[Piece | Exception] = ("In ", "1921.", " [1]")
    most_words: int = 10_000

    def fits(self, question: str, packed: PromptContext) -> bool:
        return sum(self.count_tokens(item.text) for item in packed.evidence) <= self.most_words

    def cite(self, text: str, packed: PromptContext) -> CitedAnswer:
        return CitedAnswer(text, (SENTENCE,), (CITATION,))


def chain(
    library: Library,
    answerer: Scripted,
    *,
    threshold: float = 0.3,
    evidence_tokens: int | None = 1500,
    options: AskOptions = AskOptions(),  # noqa: B008  # frozen
) -> Runnable[str, AnswerEvent]:
    settings = AnswerSettings(evidence_tokens, threshold)
    return AnswerChain(library, options, answerer=answerer, reranker=None, settings=settings).runnable()


def answered(runnable: Runnable[str, AnswerEvent], question: str = APPLE) -> Answer:
    answer = runnable.invoke(question)
    assert isinstance(answer, Answer)
    return answer


def test_events_come_in_order_and_add_up_to_the_answer(stored: Library) -> None:
    answerer = Scripted()
    found, *deltas, answer = list(chain(stored, answerer).stream(APPLE))
    assert isinstance(found, PassagesFound)
    assert deltas == [Delta("In "), Delta("1921."), Delta(" [1]")]
    assert isinstance(answer, Answer)
    assert (answer.question, answer.text, answer.abstained) == (APPLE, "In 1921. [1]", False)
    assert (answer.strategy, answer.reranker, answer.llm) == ("documents-first", None, "scripted")
    assert (answer.sentences, answer.citations) == ((SENTENCE,), (CITATION,))
    assert answer.nearest == found.result.hits
    assert answer.evidence == found.packed.evidence
    assert answer.relevance == found.packed.relevance > 0.6
    assert answerer.asked == [(APPLE, found.packed)]
    assert found.result.hits[0].chunk.document == "orchard.md"


def test_found_comes_before_anything_is_written(stored: Library) -> None:
    answerer = Scripted()
    with closing(generator(chain(stored, answerer).stream(APPLE))) as events:
        assert isinstance(next(events), PassagesFound)
        assert answerer.written == []


def test_waiting_and_thoughts_are_passed_on_and_are_no_text(stored: Library) -> None:
    steps = (
        AnswerProgress("queue", 1),
        AnswerProgress("load"),
        AnswerProgress("prefill", 3, 9),
        ReasoningDelta("Hm."),
    )
    found, *events, answer = list(chain(stored, Scripted((*steps, "In ", "1921."))).stream(APPLE))
    assert isinstance(found, PassagesFound)
    assert events == [*steps, Delta("In "), Delta("1921.")]
    assert isinstance(answer, Answer)
    assert answer.text == "In 1921."


HISTORY = (Exchange("Where does the Bramley apple tree stand?", "In the orchard."),)


def test_a_condensing_model_is_waited_for_and_stopped(stored: Library) -> None:
    closed: list[str] = []

    def rewrite(question: str, history: Sequence[Exchange]) -> Generator[AnswerProgress, None, str | None]:
        assert (question, tuple(history)) == ("When was it planted?", HISTORY)
        try:
            yield AnswerProgress("queue", 1)
            yield AnswerProgress("prefill", 3, 9)
        finally:
            closed.append(question)
        return APPLE

    answerer = Scripted()
    options = AskOptions(history=HISTORY)
    settings = AnswerSettings(1500, 0.3)
    asked = AnswerChain(
        stored, options, answerer=answerer, reranker=None, settings=settings, rewrite=rewrite
    ).runnable()
    events = list(asked.stream("When was it planted?"))
    assert events[:3] == [
        AnswerProgress("queue", 1),
        AnswerProgress("prefill", 3, 9),
        QuestionRewritten(APPLE),
    ]
    assert isinstance(events[3], PassagesFound)
    assert closed == ["When was it planted?"]
    answer = asked.invoke("When was it planted?")
    assert isinstance(answer, Answer)
    assert answer.standalone_question == APPLE

    closed.clear()
    stopped = asked.stream("When was it planted?")
    assert next(stopped) == AnswerProgress("queue", 1)
    stopped.close()  # type: ignore[attr-defined]
    assert closed == ["When was it planted?"]


def test_what_condensing_sends_away_is_flagged_where_nothing_is_answered(stored: Library) -> None:
    def rewrite(question: str, _: Sequence[Exchange]) -> Generator[AnswerProgress, None, str | None]:
        yield AnswerProgress("prefill")
        return question

    remote = Scripted(leaves_machine="models.example")
    chain = AnswerChain(
        stored,
        AskOptions(history=HISTORY),
        answerer=remote,
        reranker=None,
        settings=AnswerSettings(1500, 2.0),
        rewrite=rewrite,
    ).runnable()
    answer = chain.invoke("When was it planted?")
    assert isinstance(answer, Answer)
    assert answer.abstained
    assert answer.flags == ("leaves this machine: models.example",)


def test_prompts_of_one_history_have_the_same_fences(stored: Library) -> None:
    asked = [chain(stored, Scripted(), options=AskOptions(history=HISTORY)) for _ in range(2)]
    nonces = {one.invoke(question).nonce for one, question in zip(asked, (APPLE, "Who sailed?"), strict=True)}  # type: ignore[attr-defined]
    assert len(nonces) == 1
    assert chain(stored, Scripted()).invoke(APPLE).nonce not in nonces  # type: ignore[attr-defined]


def test_the_answerer_says_how_much_it_reads_where_the_settings_do_not(stored: Library) -> None:
    def kept(answerer: Scripted, evidence_tokens: int | None) -> int:
        chain(stored, answerer, evidence_tokens=evidence_tokens).invoke(APPLE)
        ((_, packed),) = answerer.asked
        return sum(answerer.count_tokens(item.text) for item in packed.evidence)

    class Hurried(Scripted):
        def evidence_tokens(self) -> int:
            return 12

    assert kept(Hurried(), None) <= 12 < kept(Hurried(), 1500) == kept(Scripted(), None)


def test_an_answer_says_that_its_question_left_the_machine(stored: Library) -> None:
    away = Scripted(leaves_machine="models.example")
    answer = chain(stored, away).invoke(APPLE)
    assert isinstance(answer, Answer)
    assert answer.flags == ("leaves this machine: models.example",)
    kept = chain(stored, away, threshold=2.0).invoke(APPLE)
    assert isinstance(kept, Answer)
    assert kept.flags == ()  # nothing was asked
    home = chain(stored, Scripted()).invoke(APPLE)
    assert isinstance(home, Answer)
    assert home.flags == ()


def test_invoke_returns_the_answer(stored: Library) -> None:
    answer = chain(stored, Scripted()).invoke(APPLE)
    assert isinstance(answer, Answer)
    assert answer.text == "In 1921. [1]"


def test_times_add_up(stored: Library) -> None:
    timings = answered(chain(stored, Scripted())).timings_ms
    assert {"pack", "answer", "total"} < timings.keys()
    assert all(milliseconds >= 0 for milliseconds in timings.values())
    assert timings["total"] >= sum(ms for stage, ms in timings.items() if stage != "total") - 0.01


class Steps(BaseCallbackHandler):
    """Remembers the names of the steps that began, ended and failed."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.names: dict[Any, str] = {}
        self.ended: list[str] = []
        self.failed: list[tuple[str, str]] = []

    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: Any, **kwargs: Any) -> None:
        self.names[run_id] = kwargs["name"]
        self.begun.append(kwargs["name"])

    def on_chain_end(self, outputs: Any, *, run_id: Any, **kwargs: Any) -> None:
        self.ended.append(self.names[run_id])

    def on_chain_error(self, error: BaseException, *, run_id: Any, **kwargs: Any) -> None:
        self.failed.append((self.names[run_id], type(error).__name__))


@pytest.mark.parametrize("streamed", [True, False])
def test_callbacks_see_the_steps(stored: Library, streamed: bool) -> None:
    steps = Steps()
    asked = chain(stored, Scripted())
    if streamed:
        list(asked.stream(APPLE, {"callbacks": [steps]}))
    else:
        asked.invoke(APPLE, {"callbacks": [steps]})
    assert set(steps.begun) == set(steps.ended) == {"ask", "rewrite", "retrieve", "pack", "answer"}
    assert len(steps.begun) == 5
    assert steps.begun[0] == "ask"
    assert steps.failed == []


def test_callbacks_see_a_failure(stored: Library) -> None:
    steps = Steps()
    with pytest.raises(ModelError):
        list(chain(stored, Scripted(["In ", ModelError("gone")])).stream(APPLE, {"callbacks": [steps]}))
    assert ("answer", "ModelError") in steps.failed
    assert ("ask", "ModelError") in steps.failed


def test_closing_the_stream_closes_the_answerer(stored: Library) -> None:
    answerer = Scripted([f"{number} " for number in range(1000)])
    events = chain(stored, answerer).stream(APPLE)
    assert isinstance(next(events), PassagesFound)
    assert [next(events), next(events)] == [Delta("0 "), Delta("1 ")]
    assert not answerer.closed
    events.close()  # type: ignore[attr-defined]
    assert answerer.closed
    assert len(answerer.written) <= 3  # at most one was written ahead


@pytest.mark.parametrize(
    "text", [NO_ANSWER, NO_ANSWER.upper(), NO_ANSWER.rstrip("."), f"I am sorry. {NO_ANSWER} [1]"]
)
def test_an_answerer_may_say_that_there_is_no_answer(stored: Library, text: str) -> None:
    answer = answered(chain(stored, Scripted([text[:5], text[5:]])))
    assert (answer.abstained, answer.outcome) == (True, Outcome.RELATED)
    assert answer.text.startswith(f"{text}\n\n")
    assert "Closest passages:\n• orchard.md, page 1: “" in answer.text
    assert answer.citations != answer.sentences == ()
    assert answer.nearest


def test_below_the_threshold_the_answerer_is_not_asked(stored: Library) -> None:
    answerer = Scripted()
    found, delta, answer = list(chain(stored, answerer).stream(OFF_TOPIC))
    assert isinstance(found, PassagesFound)
    assert isinstance(answer, Answer)
    assert delta == Delta(answer.text)
    assert (answer.abstained, answer.outcome) == (True, Outcome.NOTHING)
    assert answer.text == "Nothing in your documents is about this."
    assert (answer.citations, answer.sentences) == ((), ())
    assert answer.nearest == found.result.hits != ()
    assert answerer.asked == []

    assert answered(chain(stored, answerer, threshold=-1.0), OFF_TOPIC).abstained is False
    assert len(answerer.asked) == 1


def test_without_documents_there_is_no_answer(library: Library) -> None:
    answerer = Scripted()
    answer = answered(chain(library, answerer, threshold=-1.0))
    assert (answer.abstained, answer.nearest, answerer.asked) == (True, (), [])


@pytest.mark.parametrize("error", [ModelError("the model is gone"), ZeroDivisionError("a fault of ours")])
@pytest.mark.parametrize("before", [(), ("The documents ",)])
def test_a_failure_is_an_error_and_never_an_answer(
    stored: Library, error: Exception, before: tuple[str, ...]
) -> None:
    asked = chain(stored, Scripted([*before, error]))
    events: list[AnswerEvent] = []
    with pytest.raises(type(error), match=str(error)):
        events.extend(asked.stream(APPLE))
    assert not any(isinstance(event, Answer) for event in events)
    with pytest.raises(type(error), match=str(error)):
        asked.invoke(APPLE)


def test_a_question_that_cannot_be_asked(stored: Library) -> None:
    with pytest.raises(EmptyQuestion):
        list(chain(stored, Scripted()).stream(" ?"))
    with pytest.raises(InvalidInput, match="1001"):
        chain(stored, Scripted(), options=AskOptions(top_k=1001)).invoke(APPLE)
    for options in (
        AskOptions(strategy="x"),
        AskOptions(collections=("x",)),
        AskOptions(filters=Filters(documents=("x",))),
    ):
        with pytest.raises(UnknownName, match="'x'"):
            chain(stored, Scripted(), options=options)


def test_a_library_that_cannot_be_searched_is_no_missing_answer(stocked: Library) -> None:
    index = stocked.representation()
    index.tokens.detach(stocked.representations.segments(index.id)[0])
    stocked.close()
    with pytest.raises(Exception, match="closed"):
        chain(stocked, Scripted(), threshold=-1.0).invoke(APPLE)


@pytest.mark.parametrize("most_words", [45, 20, 12])
def test_evidence_shrinks_until_the_prompt_fits(stored: Library, most_words: int) -> None:
    answerer = Scripted(most_words=most_words)
    chain(stored, answerer, threshold=-1.0).invoke(APPLE)
    ((_, packed),) = answerer.asked
    assert packed.evidence
    assert answerer.fits(APPLE, packed)
    generous = Scripted()
    chain(stored, generous, threshold=-1.0).invoke(APPLE)
    assert not answerer.fits(APPLE, generous.asked[0][1])


def test_the_best_sentence_is_left_where_nothing_fits(stored: Library) -> None:
    answerer = Scripted(most_words=0)
    chain(stored, answerer, threshold=-1.0).invoke("Who planted the tree in 1921?")
    ((_, packed),) = answerer.asked
    (item,) = packed.evidence
    assert [sentence.text for sentence in item.sentences] == ["It was planted in 1921 by Ada Finch."]


@dataclass
class ScriptedReader:
    """Says of each passage how likely it answers by its place; remembers what it read."""

    read_of: dict[str, list[str]] = field(default_factory=dict)

    def read(self, question: str, passages: Sequence[StoredChunk]) -> list[Reading]:
        self.read_of[question] = [chunk.id for chunk in passages]
        return [replace(UNREAD, answers=1 / place) for place in range(1, len(passages) + 1)]

    def read_sentences(
        self, question: str, passages: Sequence[tuple[StoredChunk, Sequence[Span]]]
    ) -> list[tuple[SentenceReading, ...]]:
        return [tuple(SentenceReading(*span, 0.25) for span in spans) for _, spans in passages]


def test_a_reader_reads_the_standalone_question_with_what_was_found(stored: Library) -> None:
    options = AskOptions(history=(Exchange(APPLE, "In 1921."),))
    reader = ScriptedReader()
    read = AnswerChain(
        stored,
        options,
        answerer=Scripted(),
        reranker=None,
        settings=AnswerSettings(1500, 0.0),
        reader=reader,
    ).runnable()
    answer = answered(read, "Who planted it?")
    (chunks,) = reader.read_of.values()
    assert set(reader.read_of) == {answer.standalone_question}
    assert set(chunks) <= {hit.chunk.id for hit in answer.nearest}
    expected = {chunk: 1 / place for place, chunk in enumerate(chunks, start=1)}
    assert answer.evidence
    for item in answer.evidence:
        assert item.reading is not None
        assert item.reading.answers == expected.get(item.hit.chunk.id, 0.0)
    plain = answered(chain(stored, Scripted(), threshold=0.0))
    assert {item.reading for item in plain.evidence} == {None}


def instructed(library: Library, text: str, *, budget: int | None = 60) -> tuple[Answer, PromptContext]:
    """Return the answer of a chain with instructions, and the context that its answerer got."""
    answerer = Scripted()
    built = AnswerChain(
        library,
        AskOptions(),
        answerer=answerer,
        reranker=None,
        settings=AnswerSettings(budget, -1.0),
        instructions=AnswerInstructions(text),
        notes=("a note",) if text else (),
    )
    answer = answered(built.runnable())
    return answer, answerer.asked[0][1]


def words_of(packed: PromptContext) -> int:
    return sum(len(item.text.replace("…", "").split()) for item in packed.evidence)


def test_instructions_reach_the_answerer_and_are_a_part_of_the_budget(stored: Library) -> None:
    answer, packed = instructed(stored, "")
    assert packed.instructions == AnswerInstructions()
    assert "a note" not in answer.flags
    plain = words_of(packed)

    answer, packed = instructed(stored, "word " * 20)
    assert packed.instructions == answer.instructions == AnswerInstructions("word " * 20)
    assert answer.flags[-1] == "a note"
    assert (answer.budget, packed.budget) == (60, 60)
    assert words_of(packed) <= 40 < plain <= 60

    # However long they are, half of the budget is for evidence.
    _, longest = instructed(stored, "word " * 1000)
    _, half = instructed(stored, "word " * 30)
    assert longest.evidence == half.evidence
    assert 0 < words_of(half) <= 30


def test_a_refusal_by_rule_says_nothing_about_instructions(stored: Library) -> None:
    answerer = Scripted()
    built = AnswerChain(
        stored,
        AskOptions(),
        answerer=answerer,
        reranker=None,
        settings=AnswerSettings(60, 0.3),
        instructions=AnswerInstructions("Be brief."),
        notes=("a note",),
    )
    answer = answered(built.runnable(), OFF_TOPIC)
    assert (answer.abstained, answerer.asked, answer.flags) == (True, [], ())
