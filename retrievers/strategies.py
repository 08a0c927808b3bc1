"""The one table of strategies: name → what it does, what it stores and costs, how it is built.

Command line, HTTP, screen and evaluation read this table; nothing else knows the names.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ingestion.errors import UnknownName
from ingestion.library import Library
from retrievers.cascade import CascadeRetriever
from retrievers.dense import DenseRetriever
from retrievers.fusion import FusionRetriever
from retrievers.hits import Retriever
from retrievers.late_interaction import LateInteractionRetriever
from retrievers.lexical import LexicalRetriever

DEFAULT_STRATEGY = "cascade"


@dataclass(frozen=True, slots=True)
class Strategy:
    """A way to find passages.

    Attributes:
        representation: what of a chunk it reads: "cls", "mean", "tokens", "words", joined by "+".
        stores: where that lies.
        storage: what a chunk of 180 wordpieces takes there.
        cost: what a question costs, in words.
    """

    name: str
    summary: str
    representation: str
    stores: tuple[str, ...]
    storage: str
    cost: str
    build: Callable[[Library], Retriever]


_TABLE = (
    Strategy(
        "cls",
        "bi-encoder, the [CLS] token's vector: nearest chunks in Chroma",
        "cls",
        ("chroma",),
        "1.5 kB: one vector of 384 floats",
        "one pass of the encoder, one index look-up",
        lambda library: DenseRetriever(library, "cls"),
    ),
    Strategy(
        "mean",
        "bi-encoder, the mean of all token vectors: nearest chunks in Chroma",
        "mean",
        ("chroma",),
        "1.5 kB: one vector of 384 floats",
        "one pass of the encoder, one index look-up",
        lambda library: DenseRetriever(library, "mean"),
    ),
    Strategy(
        "colbert",
        "late interaction: every word of the question finds its best match (MaxSim), all chunks scored",
        "tokens",
        ("tokens",),
        "23 kB: 180 vectors of 128 bytes",
        "one pass of the encoder, one product with every token stored",
        LateInteractionRetriever,
    ),
    Strategy(
        "bm25",
        "exact words, stemmed, rare ones first; no model",
        "words",
        ("sqlite",),
        "about half of the text: an inverted index",
        "one index look-up",
        LexicalRetriever,
    ),
    Strategy(
        "hybrid",
        "mean and bm25, merged by reciprocal rank fusion",
        "mean+words",
        ("chroma", "sqlite"),
        "mean's and bm25's",
        "mean's and bm25's",
        lambda library: FusionRetriever([DenseRetriever(library, "mean"), LexicalRetriever(library)]),
    ),
    Strategy(
        "cascade",
        "candidates from mean and bm25, ordered by MaxSim",
        "mean+words+tokens",
        ("chroma", "sqlite", "tokens"),
        "mean's, bm25's and colbert's",
        "mean's and bm25's, then MaxSim over at most 200 chunks",
        lambda library: CascadeRetriever(
            library, [DenseRetriever(library, "mean"), LexicalRetriever(library)]
        ),
    ),
)

STRATEGIES = {strategy.name: strategy for strategy in _TABLE}


def strategy_named(name: str) -> Strategy:
    """Return the strategy. Raises UnknownName, listing the choices."""
    if name not in STRATEGIES:
        raise UnknownName("strategy", name, STRATEGIES)
    return STRATEGIES[name]
