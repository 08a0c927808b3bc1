"""Passages and questions into vectors: CLS, mean and token vectors, where a model gives them from one pass.

`builtin_encoder()` gives the encoder that comes with the application, `load_encoder(source)` any
sentence-transformers bi-encoder or ColBERT on this machine. Both are an `Encoder`, which is all that
the rest of the application knows about models.
"""

from ingestion.encoders.base import (
    BLOCK_CHARACTERS,
    BLOCK_CHUNKS,
    CHUNKER_VERSION,
    Encoder,
    Encodings,
    join,
)
from ingestion.encoders.builtin import (
    BUILTIN_MODEL,
    PRECISIONS,
    BertEncoder,
    Precision,
    builtin_encoder,
    builtin_model_folder,
)
from ingestion.encoders.device import DEVICES, ComputeDevice, Device
from ingestion.encoders.loading import load_encoder

__all__ = [
    "BLOCK_CHARACTERS",
    "BLOCK_CHUNKS",
    "BUILTIN_MODEL",
    "CHUNKER_VERSION",
    "DEVICES",
    "PRECISIONS",
    "BertEncoder",
    "ComputeDevice",
    "Device",
    "Encoder",
    "Encodings",
    "Precision",
    "builtin_encoder",
    "builtin_model_folder",
    "join",
    "load_encoder",
]
