"""The one table of strategies: name → what it does, what it stores and costs, how it is built.

Command line, HTTP, screen and evaluation read this table; nothing else knows the names.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ingestion.errors import InvalidInput, UnknownName
from ingestion.library import Library
from ingestion.storage.open_representations import BUILTIN_NAME
from ingestion.storage.vectors.store import Pooling
from retrievers.cascade import CascadeRetriever
from retrievers.dense import DenseRetriever
from retrievers.fusion import FusionRetriever
from retrievers.hits import Retriever
from retrievers.late_interaction import LateInteractionRetriever
from retrievers.lexical import LexicalRetriever

DEFAULT_STRATEGY = "fusion"
ALL = "all"  # of them: where several may be named


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


def _table(representation: str) -> tuple[Strategy, ...]:
    """The strategies over one representation."""

    def dense(pooling: Pooling) -> Callable[[Library], Retriever]:
        return lambda library: DenseRetriever(library, pooling, representation)

    def first_stages(library: Library, *, candidates: bool = False) -> list[Retriever]:
        return [dense("mean")(library), LexicalRetriever(library, candidates=candidates)]

    return (
        Strategy(
            "cls",
            "bi-encoder, the [CLS] token's vector: nearest chunks in Chroma",
            "cls",
            ("chroma",),
            "1.5 kB: one vector of 384 floats",
            "one pass of the encoder, one index look-up",
            dense("cls"),
        ),
        Strategy(
            "mean",
            "bi-encoder, the mean of all token vectors: nearest chunks in Chroma",
            "mean",
            ("chroma",),
            "1.5 kB: one vector of 384 floats",
            "one pass of the encoder, one index look-up",
            dense("mean"),
        ),
        Strategy(
            "colbert",
            "late interaction: every word of the question finds its best match (MaxSim)",
            "tokens",
            ("tokens",),
            "23 kB: 180 vectors of 128 bytes; 6 kB in 4 bits and pairs",
            "one pass of the encoder, one product with every token stored; of more than 32,768 chunks, with "
            "the 1,000 most promising",
            lambda library: LateInteractionRetriever(library, representation),
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
            lambda library: FusionRetriever(first_stages(library)),
        ),
        Strategy(
            "cascade",
            "candidates from mean and bm25, ordered by MaxSim",
            "mean+words+tokens",
            ("chroma", "sqlite", "tokens"),
            "mean's, bm25's and colbert's",
            "mean's and bm25's, then MaxSim over at most 200 chunks",
            lambda library: CascadeRetriever(library, first_stages(library, candidates=True), representation),
        ),
        Strategy(
            "fusion",
            "candidates from mean and bm25, ordered by mean + bm25 + 2 MaxSim, each standardised",
            "mean+words+tokens",
            ("chroma", "sqlite", "tokens"),
            "cascade's",
            "cascade's",
            lambda library: CascadeRetriever(
                library, first_stages(library, candidates=True), representation, fused=True
            ),
        ),
    )


STRATEGIES = {strategy.name: strategy for strategy in _table(BUILTIN_NAME)}


def strategy_named(name: str) -> Strategy:
    """Return the strategy; "mean@NAME" is `mean` over the representation of that name.

    Raises UnknownName, listing the choices, and InvalidInput for a strategy that reads no vectors.
    """
    plain, _, representation = name.partition("@")
    if plain not in STRATEGIES:
        raise UnknownName("strategy", plain, STRATEGIES)
    if not representation:
        return STRATEGIES[plain]
    if plain == "bm25":
        raise InvalidInput(f"{name!r}: bm25 reads words and no vectors; leave @{representation} away")
    strategy = next(one for one in _table(representation) if one.name == plain)
    return replace(strategy, name=name)
