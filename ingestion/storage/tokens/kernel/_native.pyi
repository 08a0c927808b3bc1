from typing import Any

from numpy.typing import NDArray

_Array = NDArray[Any]

def names() -> tuple[str, ...]: ...
def maxsim(
    name: str,
    dims: int,
    bits: int,
    query: _Array,
    steps: _Array,
    codes: _Array,
    offsets: _Array,
    rows: _Array | None,
    scores: _Array,
    /,
) -> None: ...
def nearest(
    name: str, dims: int, tokens: _Array, centroids: _Array, bias: _Array | None, index: _Array, /
) -> None: ...
def add_gains(
    probes: int, chunks: _Array, edges: _Array, picks: _Array, gains: _Array, scores: _Array, /
) -> None: ...
def spin(name: str, rounds: int, /) -> int: ...
