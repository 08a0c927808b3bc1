"""OpenAI's chat protocol as values: what is taken from a request, and how a conversation becomes a question.

Fields that are not here are ignored, as OpenAI's clients send many.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ingestion.errors import InvalidInput, UnknownName
from rag_app.llm import extractive
from rag_app.requests import AskRequest, ExchangeRequest, Narrowing, PathName

MODEL = "rag-app"
# Between an answer and the list of its sources, in the text of a message.
SOURCES = "\n\nSources:\n"
NEAREST = "\n\nNearest passages:\n"

_MOST_MESSAGES = 1_000


class Taken(BaseModel):
    """A part of a request; what else is in it is ignored."""

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
        """Raises InvalidInput for a part that is no text."""
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        for part in self.content:
            if part.type not in ("text", "input_text", "output_text") or part.text is None:
                raise InvalidInput(f"a message holds {part.type!r}, and only text is read; send text")
        return "\n".join(part.text or "" for part in self.content)


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

    The last message is the question, those of user and assistant before it are its history. Messages of other
    roles are ignored: the instructions that keep citations right are the application's own. Sampling that a
    quoting answerer does not need is ignored by it.
    """

    model: str
    messages: Annotated[tuple[Message, ...], Field(min_length=1, max_length=_MOST_MESSAGES)]
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


def ask_request(request: ChatRequest, strategies: Sequence[str]) -> AskRequest:
    """Return the question that a request asks.

    Raises UnknownName for a model that is not there, InvalidInput for what cannot be answered so.
    """
    _check(request)
    strategy, llm = chosen(request.model, strategies)
    said = [one for one in request.messages if one.role in ("user", "assistant")]
    if not said or said[-1].role != "user":
        raise InvalidInput("the last message has to be the user's question")
    options = request.rag_app.fields()
    return AskRequest.of(
        **{**options, "llm": llm or options.get("llm")},
        question=said[-1].text,
        strategy=strategy,
        history=history(said[:-1]),
        max_tokens=request.max_completion_tokens or request.max_tokens,
        temperature=request.temperature,
        seed=None if request.seed is None else request.seed % 2**32,
    )


def chosen(model: str, strategies: Sequence[str]) -> tuple[str | None, str | None]:
    """Return the strategy and the answerer that a model's name chooses, None where the settings do.

    "rag-app", "rag-app/STRATEGY", "rag-app/extractive", "rag-app/STRATEGY/extractive". Raises UnknownName.
    """
    first, *parts = model.split("/")
    llm = None
    if parts and parts[-1] == extractive.NAME:
        llm = parts.pop()
    if first == MODEL and not parts:
        return None, llm
    if first == MODEL and len(parts) == 1 and parts[0] in strategies:
        return parts[0], llm
    raise UnknownName("model", model, model_names(strategies))


def model_names(strategies: Sequence[str]) -> list[str]:
    """Return the models' names: the settings' strategy first, then each strategy, then quotations."""
    return [MODEL, *(f"{MODEL}/{name}" for name in strategies), f"{MODEL}/{extractive.NAME}"]


def history(messages: Sequence[Message]) -> tuple[ExchangeRequest, ...]:
    """Return what was asked and answered; a question that nobody answered is left out."""
    exchanges: list[ExchangeRequest] = []
    question: str | None = None
    for message in messages:
        if message.role == "user":
            question = message.text
        elif question is not None:
            exchanges.append(ExchangeRequest.of(question=question, answer=without_sources(message.text)))
            question = None
    return tuple(exchanges)


def without_sources(text: str) -> str:
    """Return an answer without the list that `with_sources` put below it."""
    return text.partition(SOURCES)[0].partition(NEAREST)[0]


def sources(answer: dict[str, Any]) -> str:
    """Return the list that goes below an answer's text: what it cites, or the nearest passages."""
    if answer["abstained"]:
        lines = dict.fromkeys(f"- {hit['document']}, page {hit['page']}" for hit in answer["nearest"][:3])
        return NEAREST + "\n".join(lines) if lines else ""
    cited = dict.fromkeys(
        f"[{one['marker']}] {one['document']}, page {one['page']}" for one in answer["citations"]
    )
    return SOURCES + "\n".join(cited) if cited else ""


def _check(request: ChatRequest) -> None:
    if request.n not in (None, 1):
        raise InvalidInput(f"n is {request.n}; one answer is written to a question, so leave it away")
    if request.logprobs:
        raise InvalidInput("there are no logprobs; leave them away")
    if request.response_format is not None and request.response_format.type != "text":
        raise InvalidInput(
            f"response_format is {request.response_format.type!r}, and answers are text; leave it away"
        )
