"""The base of all responses: pydantic models, made from domain values by their attributes."""

import json
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AliasPath, BaseModel, ConfigDict, Field

# Raised when a field is removed or changes its meaning; new fields leave it as it is.
SCHEMA_VERSION = 1


class Fields(BaseModel):
    """A JSON object. Attributes of a domain value fill the fields of the same names."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True, frozen=True)

    @classmethod
    def of(cls, value: object = None, /, **more: object) -> Self:
        """Return the object for a domain value.

        Args:
            value: Its attributes fill the fields of the same names, or those that `source` names.
            more: Fields that the value lacks; with these, the value has to be a dataclass.
        """
        if not more:
            return cls.model_validate(value)
        attributes = {}
        if is_dataclass(value):
            names = {field.name for field in fields(value)}
            names |= {name for name in cls.model_fields if hasattr(type(value), name)}  # properties
            attributes = {name: getattr(value, name) for name in names}
        return cls.model_validate({**attributes, **more})


class Response(Fields):
    """A whole JSON document."""

    schema_version: int = SCHEMA_VERSION


def source(*path: str) -> Any:
    """Return a field that comes from an attribute of another name, or of a part of the value."""
    return Field(validation_alias=AliasPath(*path))


def to_json(document: Fields, *, without: set[str] | None = None) -> str:
    """Return a document as the commands print it, the schema's version first."""
    fields = {"schema_version": SCHEMA_VERSION, **document.model_dump(exclude=without)}
    return json.dumps(fields, ensure_ascii=False, indent=2)


def _rounded(timings: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in timings.items()}


# Milliseconds by stage, to a hundredth: the clock is no more precise.
Timings = Annotated[dict[str, float], AfterValidator(_rounded)]
