"""A language model's answer through the chain: cleaned, cut, or replaced by quotations."""

from contextlib import closing
from dataclasses import dataclass, field

import pytest

from ingestion.errors import ModelError, NothingWritten
from ingestion.library import Library
from rag_app.answering.answers import (
    NO_ANSWER,
    Answer,
    AnswerEvent,
    AnswerProgress,
    AskOptions,
    CitedAnswer,
    Delta,
    Outcome,
    PromptContext,
    Verdict,
)
from rag_app.answering.chain import AnswerChain, AnswerSettings
from rag_app.answering.citations import cite_text
from rag_app.answering.extractive_answerer import ExtractiveAnswerer
from rag_app.answering.written.texts import NOT_RELIABLE, not_reliable
from tests.helpers.scripted_answerer import ScriptedAnswerer
from tests.helpers.streams import generator

APPLE = "When was the Bramley apple tree planted?"
NOTICE = NOT_RELIABLE["en"]
OTHER_WORDS = (
    "The document does not answer this [2].",
    "Yes. The documents do not answer this.",
    "The provided sources don't contain enough information.",
    "The text doesn’t provide an answer to this question [1].",
)
LOOP = "The king of the moon is a very old man. "


@dataclass
class Model(ScriptedAnswerer):
    """Its citations are computed."""

    name: str = "weak.gguf"
    library: Library = field(kw_only=True)

    def cite(self, text: str, packed: PromptContext) -> CitedAnswer:
        return cite_text(text, packed.evidence, self.library.encoder)


def events_of(library: Library, model: Model, question: str = APPLE) -> list[AnswerEvent]:
    fallback = ExtractiveAnswerer(library.encoder)
    chain = AnswerChain(
        library,
        AskOptions(),
        answerer=model,
        reranker=None,
        settings=AnswerSettings(1500, 0.3),
        fallback=fallback,
    )
    return list(chain.runnable().stream(question))


def asked(library: Library, *pieces: str | Exception, question: str = APPLE) -> tuple[str, Answer, Model]:
    """Return what was streamed, the answer, and the model."""
    model = Model(pieces, library=library)
    *events, answer = events_of(library, model, question)
    assert isinstance(answer, Answer)
    return "".join(event.text for event in events if isinstance(event, Delta)), answer, model


def quoted(library: Library) -> str:
    """Return the answer in quotations."""
    chain = AnswerChain(
        library,
        AskOptions(),
        answerer=ExtractiveAnswerer(library.encoder),
        reranker=None,
        settings=AnswerSettings(1500, 0.3),
    )
    answer = chain.runnable().invoke(APPLE)
    assert isinstance(answer, Answer)
    return answer.text


@pytest.mark.parametrize(
    ("completes", "question", "stays"),
    [
        (True, APPLE, False),
        (False, APPLE, True),  # a chat model may have concluded it; it is marked as not supported
        (True, "Wann wurde der Bramley apple tree gepflanzt?", True),  # in two languages nothing is alike
    ],
)
def test_what_a_model_that_completes_text_invents_gives_way_to_quotations(
    stored: Library, completes: bool, question: str, stays: bool
) -> None:
    model = Model(["It was planted in 1931."], library=stored, completes=completes)
    answer = events_of(stored, model, question)[-1]
    assert isinstance(answer, Answer)
    if stays:
        assert (answer.text, answer.model_text) == ("It was planted in 1931.", None)
    else:
        assert answer.text == f"{NOTICE}\n\n{quoted(stored)}"
        assert answer.model_text == "It was planted in 1931."
        assert "no source supports it" in answer.flags[0]


def test_an_answer_streams_cleaned(stored: Library) -> None:
    tag = '<source 30896fc7 number="1" page="1">'
    streamed, answer, model = asked(
        stored, "Answer: It was planted ", "in 1921 ", *tag, ".", "</s>", "<s>", "x"
    )
    assert streamed == answer.text == "It was planted in 1921 [1]."
    assert (answer.model_text, answer.flags) == (None, ())
    assert answer.citations
    assert model.closed
    assert model.written[-1] == "<s>"  # what follows the end is not asked for


def test_a_loop_stops_the_model_and_the_answer_ends_before_it(stored: Library) -> None:
    sentence = "It was planted in 1921 by Ada Finch [1]. "
    streamed, answer, model = asked(stored, *(word + " " for word in sentence.split() * 100))
    assert streamed.strip() == answer.text == sentence.strip()
    assert answer.model_text is None
    assert answer.flags == ("weak.gguf began to repeat itself; the answer ends before that",)
    assert model.closed
    assert len(model.written) < 40


@pytest.mark.parametrize("written", OTHER_WORDS)
def test_other_words_for_no_answer_are_no_answer(stored: Library, written: str) -> None:
    _, answer, _ = asked(stored, written)
    assert answer.outcome is Outcome.RELATED
    assert answer.text.startswith(f"{NO_ANSWER}\n\n")


@pytest.mark.parametrize(
    "written",
    [
        "The documents say 1921 [1].",
        "The text does not answer how it was planted, but that the Bramley apple tree was planted in 1921 by "
        "Ada Finch [1].",
    ],
)
def test_a_sentence_about_the_documents_may_be_an_answer(stored: Library, written: str) -> None:
    assert not asked(stored, written)[1].text.startswith(NO_ANSWER)


def test_a_useless_answer_gives_way_to_quotations(stored: Library) -> None:
    streamed, answer, model = asked(stored, *(word + " " for word in LOOP.split() * 100))
    assert answer.text == f"{NOTICE}\n\n{quoted(stored)}"
    assert streamed == f"{LOOP}\n\n{answer.text}"  # the stream ends with the answer
    assert answer.model_text is not None
    assert answer.model_text.startswith(LOOP * 2)
    assert answer.flags == (
        "the text of weak.gguf was not usable (it only repeated itself); quotations stand in its place",
    )
    assert (answer.llm, answer.outcome) == ("weak.gguf", Outcome.ANSWERED)
    assert answer.citations
    assert {sentence.verdict for sentence in answer.sentences} == {Verdict.SUPPORTED}
    assert len(model.written) < 50
    assert model.closed


@pytest.mark.parametrize(
    ("pieces", "model_text"),
    [
        (["<source 30896fc7>", "\n</source 30896fc7>"], "<source 30896fc7>\n</source 30896fc7>"),
        (["!", "!!", "?"], "!!!?"),
        ([NothingWritten("weak.gguf wrote no answer within 9 tokens")], ""),
    ],
)
def test_text_of_which_nothing_is_left_is_not_streamed(
    stored: Library, pieces: list[str | Exception], model_text: str
) -> None:
    streamed, answer, _ = asked(stored, *pieces)
    assert answer.text.startswith(f"{NOTICE}\n\n")
    assert streamed.endswith(answer.text)
    assert answer.model_text == model_text
    assert len(answer.flags) == 1


def test_the_model_may_still_say_that_there_is_no_answer(stored: Library) -> None:
    _, answer, _ = asked(stored, NO_ANSWER, "<end_of_turn>")
    assert (answer.abstained, answer.model_text) == (True, None)
    assert answer.text.startswith(f"{NO_ANSWER}\n\n")


def test_a_failing_model_is_an_error_and_not_replaced(stored: Library) -> None:
    with pytest.raises(ModelError, match="gone"):
        asked(stored, "It was ", ModelError("the model is gone"))


def test_closing_the_stream_stops_the_model(stored: Library) -> None:
    model = Model([f"{number} pears, " for number in "abcdefgh"], library=stored)
    chain = AnswerChain(
        stored,
        AskOptions(),
        answerer=model,
        reranker=None,
        settings=AnswerSettings(1500, 0.3),
        fallback=ExtractiveAnswerer(stored.encoder),
    )
    with closing(generator(chain.runnable().stream(APPLE))) as events:
        assert any(isinstance(event, Delta) for event in events)
    assert model.closed


def test_progress_and_signs_of_life_are_passed_on(stored: Library) -> None:
    model = Model([AnswerProgress("load"), "<sou", "rce 30896fc7>", "In 1921."], library=stored)
    events = events_of(stored, model)[1:-1]
    assert events == [AnswerProgress("load"), Delta(""), Delta(""), Delta("In "), Delta("1921.")]


def test_the_sentence_above_the_quotations_is_in_the_language_of_the_question(stored: Library) -> None:
    _, answer, _ = asked(stored, "!!!", question="Wann wurde der Bramley apple tree von Ada Finch gepflanzt?")
    assert answer.text.startswith(NOT_RELIABLE["de"])
    assert not_reliable("xx") == NOTICE
