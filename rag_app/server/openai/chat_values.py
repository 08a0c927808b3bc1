"""Requests of OpenAI's chat protocol: the fields that are read, and the question that a conversation asks.

Fields that are not here are ignored, as OpenAI's clients send many.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ingestion.errors import InvalidInput, UnknownName
from rag_app.answering.refusals.texts import TEXTS
from rag_app.answering.side_tasks import SideTask, side_task_of
from rag_app.contract.answers import AnswerFields
from rag_app.contract.requests import (
    LONGEST_ANSWER,
    LONGEST_INSTRUCTIONS,
    LONGEST_QUESTION,
    AskRequest,
    ExchangeRequest,
    Narrowing,
    PathName,
)
from rag_app.llm.choice import EXTRACTIVE, Server

MODEL = "rag-app"
# Between an answer and the list of its sources, in the text of a message.
SOURCES = "\n\nSources:\n"
NEAREST = "\n\nNearest passages:\n"
# Below both: the parts of the message that were not read.
NOTE = "\n\nNote: "
_THIS_MESSAGE = "this message holds"
_SYSTEM_MESSAGES = "the system messages have"

# Of a longer conversation the last ones are read.
_MOST_MESSAGES = 1_000
_TEXTS = ("text", "input_text", "output_text")
# What is left out, by the type of a message's part.
_KINDS = {
    "image_url": "an image", "input_image": "an image", "image": "an image", "image_file": "an image",
    "input_audio": "a sound recording", "audio": "a sound recording", "file": "a file",
    "input_file": "a file",
    "video_url": "a video", "refusal": "a refusal",
}  # fmt: skip


class Taken(BaseModel):
    """A part of a request; unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Part(Taken):
    """A part of a message; only text is read."""

    type: str
    text: str | None = None


class Message(Taken):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | tuple[Part, ...] | None = None

    @property
    def text(self) -> str:
        """What is said in words."""
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        return "\n".join(part.text or "" for part in self.content if part.type in _TEXTS)

    @property
    def left_out(self) -> tuple[str, ...]:
        """What else the message holds, once each."""
        if self.content is None or isinstance(self.content, str):
            return ()
        others = (part.type for part in self.content if part.type not in _TEXTS)
        return tuple(dict.fromkeys(_KINDS.get(kind, f"a part of type {kind[:40]!r}") for kind in others))


class StreamOptions(Taken):
    include_usage: bool = False


class ResponseFormat(Taken):
    type: str = "text"


class LibraryOptions(Narrowing):
    """Where to look, beyond OpenAI's fields: sent as `rag_app` (`extra_body` of the Python client)."""

    reranker: PathName | None = None
    llm: PathName | None = None
    top_k: int | None = None


class ChatRequest(Taken):
    """What is read of a request for a chat completion.

    The last message is the question, those of user and assistant before it are its history. System messages
    are instructions about the form of the answer. Messages of other roles are ignored. Sampling that a
    quoting answerer does not need is ignored by it. What is no text is left out, and so are long system
    messages, and of a long conversation the beginning; `notes` say so.
    """

    model: str
    messages: Annotated[tuple[Message, ...], Field(min_length=1)]
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0.0, le=2.0)] | None = None
    seed: int | None = None
    n: int | None = None
    logprobs: bool | None = None
    response_format: ResponseFormat | None = None
    rag_app: LibraryOptions = LibraryOptions()

    @property
    def wants_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage


def side_task_in(request: ChatRequest) -> SideTask | None:
    """Return a chat program's own request, such as a title; None for a person's question."""
    read = [(one.role, one.text) for one in _system(request)] + [
        (one.role, one.text) for one in _said(request)
    ]
    if not read or read[-1][0] != "user":
        return None
    return side_task_of(read, as_json=_wants_json(request))


def notes(request: ChatRequest) -> list[str]:
    """Return sentences about the parts of a conversation that are not read."""
    said = _said(request)
    found = []
    if said and said[-1].left_out:
        found.append(f"{_THIS_MESSAGE} {' and '.join(said[-1].left_out)}; only its text is read")
    earlier = dict.fromkeys(kind for one in said[:-1] for kind in one.left_out)
    if earlier:
        found.append(f"an earlier message holds {' and '.join(earlier)}; only text is read")
    count = sum(one.role in ("user", "assistant") for one in request.messages) - len(said)
    if count:
        found.append(f"the first {count:,} messages are left out; the last {len(said):,} are read")
    longest = {"user": LONGEST_QUESTION, "assistant": LONGEST_ANSWER}
    if any(len(one.text) > longest[one.role] for one in said[:-1]):
        found.append("of a long earlier message only the beginning is read")
    if (size := len(_system_text(request))) > LONGEST_INSTRUCTIONS:
        found.append(
            f"{_SYSTEM_MESSAGES} {size:,} characters, and at most {LONGEST_INSTRUCTIONS:,} are read, so they "
            "were left out; shorten them to what they ask about the form of answers"
        )
    return found


def _said(request: ChatRequest) -> list[Message]:
    said = [one for one in request.messages if one.role in ("user", "assistant")]
    return said[-_MOST_MESSAGES:]


def _system(request: ChatRequest) -> list[Message]:
    return [one for one in request.messages if one.role in ("system", "developer")][:_MOST_MESSAGES]


def _system_text(request: ChatRequest) -> str:
    return "\n\n".join(filter(None, (one.text.strip() for one in _system(request))))


def _instructions(request: ChatRequest) -> str:
    """Return the system messages; "" where they are too long.

    They are not cut: the half of an instruction may say the opposite of the whole. They are no error either,
    because programs add to them what a person never sees.
    """
    text = _system_text(request)
    return text if len(text) <= LONGEST_INSTRUCTIONS else ""


def ask_request(
    request: ChatRequest, strategies: Sequence[str], *, side_task: SideTask | None = None
) -> AskRequest:
    """Return the question that a request asks; of a side task, the beginning of its prompt.

    Raises:
        UnknownName: There is no such model.
        InvalidInput: The request cannot be answered, such as one without a question.
    """
    _check(request, is_side_task=side_task is not None)
    strategy, llm = chosen(request.model, strategies)
    said = _said(request)
    if not said or said[-1].role != "user":
        raise InvalidInput("the last message has to be the user's question")
    question = said[-1].text if side_task is None else side_task.prompt[:LONGEST_QUESTION]
    if said[-1].left_out and not question.strip():
        raise InvalidInput(
            f"the last message holds {said[-1].left_out[0]} and no text; write a question beside it"
        )
    options = request.rag_app.fields()
    return AskRequest.of(
        **{**options, "llm": llm or options.get("llm")},
        question=question,
        strategy=strategy,
        history=history(said[:-1]),
        instructions=_instructions(request) if side_task is None else "",
        max_tokens=request.max_completion_tokens or request.max_tokens,
        temperature=request.temperature,
        seed=None if request.seed is None else request.seed % 2**32,
    )


def chosen(model: str, strategies: Sequence[str]) -> tuple[str | None, str | None]:
    """Return the strategy and the answerer that a model's name chooses, None where the settings do.

    "rag-app", "rag-app/STRATEGY", "rag-app/extractive", "rag-app/STRATEGY/extractive", or "rag-app/" and the
    URL of a server's model.

    Raises:
        UnknownName: There is no such model.
        InvalidInput: The URL cannot be used.
    """
    named = model.removeprefix(f"{MODEL}/")
    if named != model and Server.parse(named):
        return None, named
    first, *parts = model.split("/")
    llm = None
    if parts and parts[-1] == EXTRACTIVE:
        llm = parts.pop()
    if first == MODEL and not parts:
        return None, llm
    if first == MODEL and len(parts) == 1 and parts[0] in strategies:
        return parts[0], llm
    raise UnknownName("model", model, model_names(strategies))


def model_names(strategies: Sequence[str]) -> list[str]:
    """Return the models' names: the settings' strategy first, then each strategy, then quotations."""
    return [MODEL, *(f"{MODEL}/{name}" for name in strategies), f"{MODEL}/{EXTRACTIVE}"]


def history(messages: Sequence[Message]) -> tuple[ExchangeRequest, ...]:
    """Return the questions with their answers; a question without an answer is left out."""
    exchanges: list[ExchangeRequest] = []
    question: str | None = None
    for message in messages:
        if message.role == "user":
            question = message.text
        elif question is not None:
            answer = without_sources(message.text)[:LONGEST_ANSWER]
            exchanges.append(ExchangeRequest.of(question=question[:LONGEST_QUESTION], answer=answer))
            question = None
    return tuple(exchanges)


def without_sources(text: str) -> str:
    """Return an answer without the list that `with_sources` put below it, or a refusal without passages."""
    for one in TEXTS.values():
        text = text.partition(f"\n\n{one.closest}\n")[0]
    for begin in (SOURCES, NEAREST, f"{NOTE}{_THIS_MESSAGE}", f"{NOTE}{_SYSTEM_MESSAGES}"):
        text = text.partition(begin)[0]
    return text


def below(answer: AnswerFields, notes: Sequence[str]) -> str:
    """Return the text below an answer: its sources, and which parts of the last message, or of the system
    messages, were not read.

    The unread parts of earlier messages are in the flags alone, not in each answer.
    """
    said = [note for note in notes if note.startswith((_THIS_MESSAGE, _SYSTEM_MESSAGES))]
    return sources(answer) + "".join(f"{NOTE}{note}." for note in said)


def sources(answer: AnswerFields) -> str:
    """Return the list of the pages that an answer cites, or of the nearest passages, unless its text has them
    or none is about the question."""
    if answer.outcome == "nothing" or (answer.abstained and answer.citations):
        return ""
    if answer.abstained:
        lines = dict.fromkeys(f"- {hit.document}, page {hit.page}" for hit in answer.nearest[:3])
        return NEAREST + "\n".join(lines) if lines else ""
    cited = dict.fromkeys(f"[{one.marker}] {one.place}" for one in answer.citations)
    return SOURCES + "\n".join(cited) if cited else ""


def _wants_json(request: ChatRequest) -> bool:
    return request.response_format is not None and request.response_format.type.startswith("json")


def _check(request: ChatRequest, *, is_side_task: bool) -> None:
    if request.n not in (None, 1):
        raise InvalidInput(f"n is {request.n}; a question gets one answer; leave it out")
    if request.logprobs:
        raise InvalidInput("there are no logprobs; leave them out")
    if request.response_format is not None and request.response_format.type != "text" and not is_side_task:
        raise InvalidInput(
            f"response_format is {request.response_format.type!r}, and answers are text; leave it out"
        )
