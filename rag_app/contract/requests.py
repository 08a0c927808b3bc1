"""Requests: bounded values, checked once for command line, HTTP and MCP.

A field that is None was not given: the settings decide.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    SerializationInfo,
    ValidationError,
)

from ingestion.errors import InvalidInput
from ingestion.fields.values import FIELD_NAMES, FieldName

# Longer than any honest name, path or question; short enough that a list of them fits into a request.
_LONGEST_NAME = 1_000
_LONGEST_PATH = 4_096
LONGEST_QUESTION = 20_000
LONGEST_ANSWER = 100_000
# Of what a request asks about the form of its answer: a page of text, about 1,000 tokens of every prompt.
LONGEST_INSTRUCTIONS = 4_000
_MOST_NAMES = 1_000
_MOST_PATHS = 10_000


def _path(value: Any) -> str:
    """Accept any string as a path: a file's name may hold bytes that are no text, which pydantic refuses."""
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST_PATH or "\0" in value:
        raise ValueError(f"a path is text of 1 to {_LONGEST_PATH} characters without NUL")
    return value


def _absolute(path: str, info: SerializationInfo) -> str:
    return str(Path(path).expanduser().absolute()) if info.context is _ABSOLUTE else path


def _absolute_if_there(name: str, info: SerializationInfo) -> str:
    return _absolute(name, info) if Path(name).expanduser().exists() else name


# The context of `Request.fields` for a process in another folder.
_ABSOLUTE = object()

Name = Annotated[str, Field(max_length=_LONGEST_NAME)]
_AnyText = PlainValidator(_path, json_schema_input_type=str)
PathName = Annotated[str, _AnyText, PlainSerializer(_absolute)]
# A path where there is such a file, else a name: of a model, or of a job's file.
NameOrPath = Annotated[str, _AnyText, PlainSerializer(_absolute_if_there)]
Text = Annotated[str, Field(max_length=LONGEST_QUESTION)]
Names = Annotated[tuple[Name, ...], Field(max_length=_MOST_NAMES)]
Paths = Annotated[tuple[PathName, ...], Field(max_length=_MOST_PATHS)]
NamesOrPaths = Annotated[tuple[NameOrPath, ...], Field(max_length=_MOST_PATHS)]

TaskKind = Literal["verify", "repair", "compact", "reindex", "export", "import", "eval"]


class Request(BaseModel):
    """A request's fields. An unknown field is an error: it would be ignored otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def of(cls, **fields: Any) -> Self:
        """Return the request; fields that are None count as not given. Raises InvalidInput."""
        try:
            return cls(**{name: value for name, value in fields.items() if value is not None})
        except ValidationError as error:
            raise InvalidInput(first_fault(error.errors())) from error

    def fields(self, *, absolute: bool = False) -> dict[str, Any]:
        """Return the given fields as JSON, with `absolute` paths for a process in another folder."""
        return self.model_dump(mode="json", exclude_none=True, context=_ABSOLUTE if absolute else None)


def first_fault(faults: Sequence[Any]) -> str:
    """Return the first fault of a request, without the values that were sent: they may be passwords."""
    fault = faults[0]
    place = ".".join(str(part) for part in fault["loc"])
    return f"{place}: {fault['msg']}" if place else str(fault["msg"])


class Narrowing(Request):
    """Collections (none: the settings' one), and filters on the documents in them.

    `pages` is "7", "3-7" or "3-"; the days are in local time and included.
    """

    collections: Names = ()
    documents: Names = ()
    folders: Paths = ()
    types: Names = ()
    added_from: date | None = None
    added_to: date | None = None
    pages: Name | None = None


class DeleteRequest(Request):
    """A document by its name or path in the collections (none: the settings' one), or by its id in any."""

    name: Annotated[str, _AnyText]
    collections: Names = ()


class NameRequest(Request):
    """A collection's name."""

    name: Name


class InstructionsRequest(Request):
    """What a collection asks of a language model about the form of answers, in at most 1,000 characters; an
    empty text removes it."""

    text: Annotated[str, Field(max_length=LONGEST_QUESTION)]


class FieldsRequest(Request):
    """What a person writes of a document's fields; those that are not given stay as they are.

    An empty text says that the document has none. `restore` takes fields back to what is recognised.
    """

    title: Text | None = None
    organisation: Text | None = None
    period: Text | None = None
    type: Text | None = None
    restore: tuple[FieldName, ...] = ()

    def written(self) -> dict[FieldName, str]:
        """Return the fields that are given, by name."""
        return {name: text for name in FIELD_NAMES if (text := getattr(self, name)) is not None}


class TitleRequest(Request):
    """A conversation's title."""

    title: Name


class ConversationsRequest(Request):
    """Which conversations to list: those whose title, questions or answers have each word of `search`.

    Case and accents do not count; "words in quotation marks" are one phrase.
    """

    search: Name = ""


class ReceiptsRequest(Request):
    """How many receipts to list."""

    limit: Annotated[int, Field(ge=1, le=10_000)] = 50


class QuestionRequest(Narrowing):
    """A question and how passages are found. The reranker "none" is no reranker."""

    question: Annotated[str, Field(max_length=LONGEST_QUESTION)]
    strategy: Name | None = None
    reranker: NameOrPath | None = None
    top_k: int | None = None


class ColumnRequest(Request):
    """A strategy to compare, with a reranker or, whatever the settings say, without one."""

    strategy: Name
    reranker: NameOrPath | None = None


class CompareRequest(Narrowing):
    """A question, and two to four ways to find passages for it."""

    question: Annotated[str, Field(max_length=LONGEST_QUESTION)]
    columns: Annotated[tuple[ColumnRequest, ...], Field(max_length=_MOST_NAMES)]
    top_k: int | None = None


class SearchRequest(QuestionRequest):
    """A search; with `explain`, each passage says which of its words match the question's tokens."""

    explain: bool = False


class ExchangeRequest(Request):
    """An earlier question of the conversation, and its answer."""

    question: Annotated[str, Field(max_length=LONGEST_QUESTION)]
    answer: Annotated[str, Field(max_length=LONGEST_ANSWER)]


class AskRequest(QuestionRequest):
    """A question, how passages are found, and who answers: "auto", "extractive", a GGUF file, a server's
    URL#MODEL.

    `history` are the earlier questions and answers, oldest first; in a `conversation` (an id, or "new") the
    library keeps them. `standalone` is a follow-up question in full, where a person has written it out.
    `instructions` are what a language model is asked about the form of this answer, behind what its
    collection asks. `max_tokens`, `temperature` and `seed` overrule the settings of a language model;
    quotations use none of them.
    """

    llm: NameOrPath | None = None
    stream: bool | Literal["sse"] = False
    history: Annotated[tuple[ExchangeRequest, ...], Field(max_length=_MOST_NAMES)] = ()
    conversation: Name | None = None
    standalone: Annotated[str, Field(max_length=LONGEST_QUESTION)] | None = None
    instructions: Annotated[str, Field(max_length=LONGEST_INSTRUCTIONS)] = ""
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0.0, le=2.0)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None


class SummariseRequest(Narrowing):
    """Documents to summarise together, and who writes: "auto", "extractive", a GGUF file, a server's
    URL#MODEL."""

    llm: NameOrPath | None = None
    stream: bool | Literal["sse"] = False


class IngestRequest(Request):
    """Files and folders of this machine. `sync` also removes documents whose files have gone.

    `passwords` are by path; they are used and never stored. `encoding` is that of text files, a name like
    windows-1251; without it, the encoding is detected.
    """

    paths: Annotated[Paths, Field(min_length=1)]
    collection: Name | None = None
    sync: bool = False
    encoding: Name | None = None
    passwords: dict[PathName, Name] = Field({}, repr=False, max_length=_MOST_NAMES)


class UploadRequest(Request):
    """The collection of uploaded files; the password of encrypted ones, which is used and never stored; the
    encoding of text files, which is detected otherwise."""

    collection: Name | None = None
    password: Name | None = Field(None, repr=False)
    encoding: Name | None = None


class RetryRequest(Request):
    """Passwords by a file's path or name; they are used and never stored. `files` are paths or names, or none
    for all that failed; a file that was set aside must be among them to be tried."""

    passwords: dict[NameOrPath, Name] = Field({}, repr=False, max_length=_MOST_NAMES)
    files: Annotated[tuple[NameOrPath, ...], Field(max_length=_MOST_NAMES)] = ()


class TaskRequest(Request):
    """A task on the whole library. Each kind takes some of the fields:

    repair: `remove_orphans`; reindex: `representation`, `model`, `codec`, `remove`; export: `file`,
    `originals`, `force`, `collections`; import: `file`; eval: `dataset` (a folder, or a list of questions
    over `collections`; none: what was judged there), `strategies` (none: the settings' one), `rerankers`,
    `top_k`, `report`; with `answers` also `llm`, `without_gold` and `before` (results.json of an earlier
    evaluation of answers).
    """

    kind: TaskKind
    representation: Name | None = None
    model: NameOrPath | None = None
    codec: Name | None = None
    remove: bool = False
    remove_orphans: bool = False
    file: PathName | None = None
    originals: bool = False
    force: bool = False
    collections: Names = ()
    dataset: PathName | None = None
    strategies: Names = ()
    rerankers: NamesOrPaths = ()
    top_k: int | None = None
    report: PathName | None = None
    answers: bool = False
    llm: NameOrPath | None = None
    without_gold: bool = False
    before: PathName | None = None
