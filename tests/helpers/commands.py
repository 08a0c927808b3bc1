"""What the fixtures that run the command line return."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Run:
    """How one command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output, which must be one JSON object and nothing else."""
        fields: dict[str, Any] = json.loads(self.out)
        return fields


Command = Callable[..., Run]

# The fields of an answer, as every interface gives it.
ANSWER = {
    "schema_version", "question", "answer", "abstained", "outcome", "strategy", "reranker", "llm",
    "citations", "sentences", "nearest", "flags", "standalone_question", "conversation_id", "receipt_id",
    "timings_ms", "model_text", "instructions", "warnings", "usage", "finish_reason",
}  # fmt: skip
