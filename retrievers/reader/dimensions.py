"""The sizes of the reader's network, and of its batches on an accelerator."""

from collections.abc import Sequence

from ingestion.encoders.device import Placement
from ingestion.encoders.device_memory import ModelShape, free_bytes, passages_at_once

DIMENSION = 384
INNER = 1536
HEADS = 12
LAYERS = 6
LOWER_LAYERS = 3  # the rest makes a file of 11 MB in 16 bits
MARKS = 3
LIKENESS = 5.0  # the weight of cosines beside the numbers of a token's vector


def pairs_at_once(placement: Placement, question: Sequence[int], passages: Sequence[Sequence[int]]) -> int:
    """Return how many passages an accelerator reads at a time, with the question before each."""
    longest = len(question) + max(map(len, passages), default=0)
    return passages_at_once(free_bytes(placement), ModelShape(DIMENSION, INNER, HEADS), longest)
