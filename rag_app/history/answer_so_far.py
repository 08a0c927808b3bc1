"""An answer while it is written: the events that have come, in as few as say the same."""

from dataclasses import replace

from ingestion.encoders import Encoder
from rag_app.answering.answers import (
    Answer,
    AnswerEvent,
    AnswerInstructions,
    AnswerProgress,
    AskOptions,
    Delta,
    Outcome,
    PassagesFound,
    QuestionRewritten,
)
from rag_app.answering.citations import cite_text
from rag_app.answering.prompt_injection import flags


class AnswerSoFar:
    """What is known of an answer before it is finished. It grows by its text alone."""

    def __init__(self) -> None:
        self.found: PassagesFound | None = None
        self.answer: Answer | None = None
        self._rewritten: QuestionRewritten | None = None
        self._progress: AnswerProgress | None = None
        self._pieces: list[str] = []

    def add(self, event: AnswerEvent) -> bool:
        """Take an event; return whether it changes what is known. A sign of life does not."""
        match event:
            case QuestionRewritten():
                self._rewritten = event
            case AnswerProgress():
                self._progress = event
            case PassagesFound():
                self.found = event
            case Delta(text=text) if text:
                self._pieces.append(text)
            case Answer():
                self.answer = event
            case _:
                return False
        return True

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    @property
    def is_empty(self) -> bool:
        """Whether neither passages nor text are there."""
        return self.found is None and not self.text.strip()

    def events(self) -> list[AnswerEvent]:
        """Return events that lead to where the answer is: at most one of each kind."""
        text = self.text
        so_far = (self._rewritten, self.found, self._progress, Delta(text) if text else None, self.answer)
        return [event for event in so_far if event is not None]

    def unfinished(self, question: str, options: AskOptions, llm: str) -> Answer:
        """Return what there is as an answer; its citations are not computed.

        Args:
            llm: The name of what writes it.
        """
        result = self.found.result if self.found else None
        evidence = self.found.packed.evidence if self.found else ()
        return Answer(
            question=question,
            text=self.text.strip(),
            outcome=Outcome.ANSWERED,
            strategy=result.strategy if result else options.strategy,
            reranker=result.reranker if result else options.reranker,
            llm=llm,
            citations=(),
            sentences=(),
            nearest=result.hits if result else (),
            evidence=evidence,
            relevance=self.found.packed.relevance if self.found else 0.0,
            timings_ms=result.timings_ms if result else {},
            flags=flags(evidence),
            standalone_question=self._rewritten.question if self._rewritten else None,
            conversation_id=options.conversation,
            instructions=self.found.packed.instructions if self.found else AnswerInstructions(),
        )


def cited(answer: Answer, encoder: Encoder) -> Answer:
    """Return an unfinished answer with the citations of what is written."""
    if not answer.text or not answer.evidence:
        return answer
    found = cite_text(answer.text, answer.evidence, encoder)
    return replace(answer, text=found.text, citations=found.citations, sentences=found.sentences)
