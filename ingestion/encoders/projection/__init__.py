"""The fixed map from a model's token vectors to the vectors in the token store.

    y = (x / |x| - centre) @ components,   stored as y / |y|,   int8 code = round(y / scale) per dimension

Centre, components (principal axes) and scales are computed once by `ingestion.encoders.projection.fit` from
named text and shipped as a small file, never fitted to a library or a segment: so scores do not
depend on how a library is cut into segments.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingestion.errors import ModelError

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Projection:
    """A fitted projection.

    Attributes:
        centre: [d] float32, the mean of unit-length token vectors.
        components: [d, k] float32, orthonormal columns.
        scales: [k] float32, one int8 step in each dimension of a unit vector.
    """

    centre: NDArray[np.float32]
    components: NDArray[np.float32]
    scales: NDArray[np.float32]

    @property
    def source_dimension(self) -> int:
        return len(self.components)

    @property
    def dimension(self) -> int:
        return len(self.scales)

    @cached_property
    def fingerprint(self) -> str:
        parts = (self.centre, self.components, self.scales)
        return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:16]

    def apply(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map [t, d] token vectors to [t, k] unit vectors."""
        return unit_rows((unit_rows(vectors) - self.centre) @ self.components)


def projection_path(model: str) -> Path:
    """Return where the projection of `model` lies, shipped or not."""
    return _FOLDER / f"{model}.safetensors"


def load_projection(model: str) -> Projection:
    """Read the shipped projection of `model`. Raises ModelError when there is none."""
    from safetensors.numpy import load_file

    path = projection_path(model)
    if not path.is_file():
        raise ModelError(f"no projection for the model {model!r} at {path}; install the application again")
    tensors = load_file(path)
    return Projection(tensors["centre"], tensors["components"], tensors["scales"])


def unit_rows(vectors: NDArray[Any]) -> NDArray[np.float32]:
    """Scale the rows of [n, d] vectors to unit length."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
