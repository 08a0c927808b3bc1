"""Tasks: long work on the whole library."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from rag_app.contract.errors import ErrorFields
from rag_app.contract.evaluation import AnswerEvaluationFields, EvaluationFields
from rag_app.contract.library import (
    CompactFields,
    ExportFields,
    ImportFields,
    ReindexFields,
    RepairFields,
    VerifyFields,
)
from rag_app.contract.schema import Fields, Response, source

TaskResult = (
    VerifyFields
    | RepairFields
    | CompactFields
    | ReindexFields
    | ExportFields
    | ImportFields
    | EvaluationFields
    | AnswerEvaluationFields
)


def _error(value: object) -> object:
    return ErrorFields.of_exception(value) if isinstance(value, BaseException) else value


class TaskFields(Fields):
    """A task as it is now: `done` of `total` of a stage."""

    task_id: str = source("id")
    kind: str
    state: str = Field(description="running, done, failed or cancelled")
    started: str
    finished: str | None
    stage: str
    done: int
    total: int
    result: TaskResult | None = Field(
        description="what the command of this kind prints; null until it is done"
    )
    error: Annotated[ErrorFields | None, BeforeValidator(_error)]


class TaskResponse(TaskFields, Response):
    pass


class TasksResponse(Response):
    tasks: tuple[TaskFields, ...] = Field(description="the latest last")
