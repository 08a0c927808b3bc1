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
