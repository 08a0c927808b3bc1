"""An answerer that has a chat model write from the prompt, and computes the citations of its text."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from typing import Any, Protocol, cast

from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.runnables import RunnableConfig

from ingestion.encoders import Encoder
from ingestion.errors import NothingWritten
from rag_app.answering.answers import (
    AnswerInstructions,
    AnswerProgress,
    CitedAnswer,
    Exchange,
    PromptContext,
    ReasoningDelta,
)
from rag_app.answering.citations import cite_text
from rag_app.answering.completion_prompts import MOST_FORM, completion_messages, form_line
from rag_app.answering.prompts import messages
from rag_app.answering.questions.query_rewriting import MOST_TOKENS, accepted, rewrite_messages
from rag_app.config.sampling import Sampling
from rag_app.llm.stream_chunks import ModelProgress, progress_of, reasoning_of
from rag_app.llm.usage import model_options

# Instructions take at most this share of the context window; the rest is for sources and answer.
_INSTRUCTIONS_SHARE = 4


class WritingModel(Protocol):
    """A LangChain chat model that knows its context window, its tokens and where it runs."""

    max_tokens: int
    thinking: bool

    @property
    def model_name(self) -> str: ...

    @property
    def leaves_machine(self) -> str | None:
        """The remote host that receives prompts; None: they stay on this machine."""
        ...

    @property
    def sampling(self) -> Sampling: ...

    @property
    def context_window(self) -> int: ...

    @property
    def completes(self) -> bool:
        """Whether it completes plain text, and has no form of a chat."""
        ...

    @property
    def is_trained(self) -> bool:
        """Whether it has an adapter for the prompts of models that complete plain text."""
        ...

    def count_tokens(self, text: str) -> int: ...

    def count_prompt_tokens(self, messages: Sequence[BaseMessage]) -> int: ...

    def evidence_tokens(self) -> int:
        """Return how many tokens of evidence it reads in reasonable time."""
        ...

    def stream(
        self, input: list[BaseMessage], config: RunnableConfig | None = None, *, progress: bool
    ) -> Iterator[Any]: ...

    def close(self) -> None: ...


class ChatAnswerer:
    """Answers in the model's own words, with markers `[n]` that name the evidence."""

    def __init__(self, model: WritingModel, encoder: Encoder) -> None:
        self.model = model
        self.name = model.model_name
        self._encoder = encoder

    @property
    def leaves_machine(self) -> str | None:
        return self.model.leaves_machine

    @property
    def completes(self) -> bool:
        """Whether the model only completes text: it answers, and follows no other instruction."""
        return self.model.completes

    def count_tokens(self, text: str) -> int:
        return self.model.count_tokens(text)

    def evidence_tokens(self) -> int:
        return self.model.evidence_tokens()

    def usable(self, asked: AnswerInstructions) -> tuple[AnswerInstructions, tuple[str, ...]]:
        """Return the instructions that the prompt has room for; also a flag where some are left out."""
        if not asked:
            return asked, ()
        if self.completes:
            most = 0 if self.model.is_trained else MOST_FORM
            used = _fitting(asked, lambda text: len(form_line(text)) <= most)
            read = f"{most} characters" if most else "none"
            why = f"{self.name} only completes text, and reads {read} of them"
        else:
            most = self.model.context_window // _INSTRUCTIONS_SHARE
            used = _fitting(asked, lambda text: self.count_tokens(text) <= most)
            why = f"they take more than {most:,} tokens, a quarter of the context window of {self.name}"
        return used, () if used == asked else (f"instructions were left out: {why}",)

    def fits(self, question: str, packed: PromptContext) -> bool:
        """Return whether the prompt leaves room for the longest answer, but at most half of the window."""
        window = self.model.context_window
        reserved = min(self.model.max_tokens, window // 2)
        return self.model.count_prompt_tokens(self._prompt(question, packed)) <= window - reserved

    def write(
        self, question: str, packed: PromptContext, config: RunnableConfig
    ) -> Generator[str | AnswerProgress | ReasoningDelta]:
        """Yield the model's progress, its reasoning, and the answer as it comes; "" is a sign of life.

        Closing the iterator stops the model.

        Raises:
            NothingWritten: The model wrote nothing but reasoning.
            ModelError: It failed.
        """
        yield from self.write_prompt(self._prompt(question, packed), config)

    def _prompt(self, question: str, packed: PromptContext) -> list[BaseMessage]:
        if self.completes:
            return completion_messages(
                question,
                packed.evidence,
                is_trained=self.model.is_trained,
                instructions=packed.instructions,
            )
        return messages(question, packed.evidence, packed.nonce, packed.instructions)

    def write_prompt(
        self, prompt: list[BaseMessage], config: RunnableConfig
    ) -> Generator[str | AnswerProgress | ReasoningDelta]:
        """Yield what the model writes on a prompt, as `write` does."""
        stream = self.model.stream(prompt, config, progress=True, **model_options(config))
        empty = True
        with closing(cast("Generator[AIMessageChunk]", stream)):
            for chunk in stream:
                if progress := progress_of(chunk):
                    yield _as_event(progress)
                elif thought := reasoning_of(chunk):
                    yield ReasoningDelta(thought)
                elif chunk.chunk_position != "last":
                    text = str(chunk.text)
                    empty = empty and not text.strip()
                    yield text
        if empty:
            raise NothingWritten(
                f"{self.name} wrote no answer within {self.model.max_tokens} tokens; "
                "raise llm_max_tokens, or choose another model"
            )

    def rewrite(
        self, question: str, history: Sequence[Exchange]
    ) -> Generator[AnswerProgress, None, str | None]:
        """Yield the model's progress; return a follow-up question in its standalone form.

        Closing the iterator stops the model.

        Returns:
            The question; None where the model writes nothing of use, or was not tuned to follow instructions.
        """
        if self.completes:
            return None
        given: dict[str, Any] = {"max_tokens": MOST_TOKENS, "temperature": 0.0}
        stream = self.model.stream(rewrite_messages(question, history), progress=True, **given)
        pieces: list[str] = []
        with closing(cast("Generator[AIMessageChunk]", stream)):
            for chunk in stream:
                progress = progress_of(chunk)
                if progress is None:
                    pieces.append(str(chunk.text))
                yield _as_event(progress or ModelProgress("prefill"))  # or a sign of life
        return accepted("".join(pieces), question)

    def cite(self, text: str, packed: PromptContext) -> CitedAnswer:
        """Return the text with its citations computed."""
        return cite_text(text, packed.evidence, self._encoder)


def _fitting(asked: AnswerInstructions, fits: Callable[[str], bool]) -> AnswerInstructions:
    """Return the instructions whose text fits; the collection's come first."""
    kept = AnswerInstructions(asked.collection if fits(asked.collection) else "")
    both = AnswerInstructions(kept.collection, asked.request)
    return both if fits(both.text) else kept


def _as_event(progress: ModelProgress) -> AnswerProgress:
    return AnswerProgress(progress.stage, progress.done, progress.total)
