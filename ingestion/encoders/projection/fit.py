"""Compute a model's token projection from plain text files and write it beside this module.

    python -m ingestion.encoders.projection.fit TEXT…

The shipped file for all-MiniLM-L6-v2 was made from WordNet 3.0's glosses (definitions and example
sentences; `dict/data.noun`, `data.verb`, `data.adj`, `data.adv`): broad English that belongs to no
evaluation set. The same text and weights give the same file.
"""

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingestion.encoders.projection import Projection, projection_path

DIMENSION = 128
# Share of a dimension's values that int8 keeps unclipped.
_KEPT = 0.9999
_PASSAGE_CHARACTERS = 600
_GLOSS = re.compile(r"^\d{8} .*? \| (.*)$")


def passages(paths: Sequence[Path], *, count: int, seed: int = 0) -> list[str]:
    """Return `count` passages drawn from the files: paragraphs, or WordNet glosses joined."""
    lines = [text for path in paths for text in _texts(path)]
    np.random.default_rng(seed).shuffle(lines)
    joined: list[str] = [""]
    for line in lines:
        if len(joined[-1]) > _PASSAGE_CHARACTERS:
            if len(joined) == count:
                break
            joined.append("")
        joined[-1] = f"{joined[-1]} {line}".strip()
    return joined


def _texts(path: Path) -> Iterator[str]:
    text = path.read_text("utf-8", errors="replace")
    glosses = [match.group(1) for line in text.splitlines() if (match := _GLOSS.match(line))]
    yield from glosses or (" ".join(part.split()) for part in text.split("\n\n") if part.strip())


def fit(vectors: NDArray[np.float32], *, dimension: int = DIMENSION) -> Projection:
    """Return the projection of [t, d] token vectors onto their first principal axes."""
    centre = vectors.mean(axis=0, dtype=np.float64)
    covariance = np.cov(vectors - centre, rowvar=False, dtype=np.float64)
    _, axes = np.linalg.eigh(covariance)
    components = axes[:, ::-1][:, :dimension]
    components = components * np.sign(components[np.abs(components).argmax(axis=0), np.arange(dimension)])
    unscaled = Projection(
        centre.astype(np.float32), components.astype(np.float32), np.ones(dimension, np.float32)
    )
    sizes = np.quantile(np.abs(unscaled.apply(vectors)), _KEPT, axis=0)
    return Projection(unscaled.centre, unscaled.components, (sizes / 127).astype(np.float32))


def token_vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    """Return the built-in model's own token vectors for `texts`, [t, d]."""
    from ingestion.encoders import BUILTIN_MODEL, BertEncoder, builtin_model_folder

    dimension = 384
    identity = Projection(
        np.zeros(dimension, np.float32), np.eye(dimension, dtype=np.float32), np.ones(dimension, np.float32)
    )
    return BertEncoder(BUILTIN_MODEL, builtin_model_folder(), identity).encode(texts).tokens


def main() -> None:
    from safetensors.numpy import save_file

    from ingestion.encoders import BUILTIN_MODEL

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--passages", type=int, default=4000)
    arguments = parser.parse_args()
    drawn = passages(arguments.texts, count=arguments.passages)
    projection = fit(token_vectors(drawn))
    tensors = {
        "centre": projection.centre,
        "components": np.ascontiguousarray(projection.components),
        "scales": projection.scales,
    }
    names = " ".join(path.name for path in arguments.texts)
    save_file(tensors, projection_path(BUILTIN_MODEL), {"model": BUILTIN_MODEL, "text": names})


if __name__ == "__main__":
    main()
