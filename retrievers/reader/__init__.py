"""The built-in reranker: the built-in encoder, whose last two layers were tuned to read question and passage
together (`retrievers.reader.network`). Its weights are shipped; `benchmarks/train_reranker.py` makes them.

It was trained to be added to the first stage's score, which knows what it does not: see `FIRST_STAGE_WEIGHT`.
"""

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.encoders import BUILTIN_MODEL, builtin_model_folder
from ingestion.errors import ModelError

if TYPE_CHECKING:
    from retrievers.reader.network import RerankerNetwork

# How much one standard deviation of the first stage's scores counts beside this reranker's score. With less
# it finds more answers, and orders worse what is merely about a subject: docs/retrieval.md.
FIRST_STAGE_WEIGHT = 4.0
MAX_TOKENS = 256


class Wordpieces:
    """Texts as the built-in encoder's wordpiece ids, with [CLS] and [SEP], cut to its window."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def __call__(self, texts: Sequence[str]) -> list[list[int]]:
        return [list(one.ids) for one in self._tokenizer.encode_batch(list(texts))]


class BuiltinReranker:
    """A cross-encoder that comes with the application. Loaded on first use; safe to use from several
    threads."""

    name = "builtin"
    first_stage_weight = FIRST_STAGE_WEIGHT

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @cached_property
    def _parts(self) -> "tuple[Wordpieces, RerankerNetwork]":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        from retrievers.reader.network import RerankerNetwork

        folder = builtin_model_folder()
        try:
            network = RerankerNetwork(folder)
            network.load_tuned(load_file(weights_path()))
            return Wordpieces(folder), network.eval()
        except (SafetensorError, OSError, KeyError, RuntimeError) as error:
            raise ModelError(
                f"the built-in reranker's weights in {weights_path()} or {folder} cannot be used: {error}; "
                "install the application again, or use --no-rerank"
            ) from error

    def score(self, question: str, passages: Sequence[str]) -> list[float]:
        """Return one score a passage. Raises ModelError where the weights cannot be loaded."""
        if not passages:
            return []
        import torch

        with self._lock, torch.inference_mode():
            wordpieces, network = self._parts
            asked, *found = network.read(wordpieces([question, *passages]))
            scores: list[float] = network([asked] * len(found), found).tolist()
        return scores


def weights_path() -> Path:
    """Return where the tuned weights lie."""
    return Path(__file__).parent / f"{BUILTIN_MODEL}.safetensors"
