"""The one table of strategies: name → what it does, what it stores and costs, how it is built.

Command line, HTTP, screen and evaluation read this table; nothing else knows the names.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ingestion.errors import InvalidInput, UnknownName
from ingestion.library import Library
from ingestion.storage.open_representations import BUILTIN_NAME
from retrievers.cascade import CascadeRetriever
from retrievers.dense import DenseRetriever
from retrievers.documents_first import DocumentsFirstRetriever
from retrievers.fusion import FusionRetriever
from retrievers.hits import Retriever
from retrievers.late_interaction import LateInteractionRetriever
from retrievers.lexical import LexicalRetriever

DEFAULT_STRATEGY = "documents-first"
ALL = "all"  # stands for every strategy where several may be named


@dataclass(frozen=True, slots=True)
class Strategy:
    """A way to find passages.

    Attributes:
        plain: What it is good for, in one sentence without technical words.
        summary: What it does, in technical words.
        representation: What it reads of a chunk: "cls", "mean", "tokens", "words", joined by "+".
        stores: Where that lies.
        storage: The room that a chunk of 180 wordpieces takes there.
        cost: What a question costs, in words.
        builder: Makes its retriever for a library and the name of a representation.
        over: The representation whose vectors it reads.
    """

    name: str
    plain: str
    summary: str
    representation: str
    stores: tuple[str, ...]
    storage: str
    cost: str
    builder: Callable[[Library, str], Retriever]
    over: str = BUILTIN_NAME

    def build(self, library: Library) -> Retriever:
        """Return the strategy's retriever for a library."""
        return self.builder(library, self.over)


def _first_stages(library: Library, over: str, *, candidates: bool = False) -> list[Retriever]:
    return [DenseRetriever(library, "mean", over), LexicalRetriever(library, candidates=candidates)]


_TABLE = (
    Strategy(
        name="cls",
        plain="Finds by meaning, with models that sum a passage up in one place.",
        summary="bi-encoder, the [CLS] token's vector: the nearest chunks",
        representation="cls",
        stores=("chroma",),
        storage="1.5 kB: one vector of 384 floats",
        cost="one pass of the encoder, one product with every vector; of more than 131,072 chunks, one "
        "look-up in Chroma's index",
        builder=lambda library, over: DenseRetriever(library, "cls", over),
    ),
    Strategy(
        name="mean",
        plain="Finds by meaning, also where the words are others.",
        summary="bi-encoder, the mean of all token vectors: the nearest chunks",
        representation="mean",
        stores=("chroma",),
        storage="1.5 kB: one vector of 384 floats",
        cost="one pass of the encoder, one product with every vector; of more than 131,072 chunks, one "
        "look-up in Chroma's index",
        builder=lambda library, over: DenseRetriever(library, "mean", over),
    ),
    Strategy(
        name="colbert",
        plain="Finds by meaning, word by word, and shows which words fit.",
        summary="late interaction: every word of the question finds its best match (MaxSim)",
        representation="tokens",
        stores=("tokens",),
        storage="23 kB: 180 vectors of 128 bytes; 6 kB in 4 bits and pairs",
        cost="one pass of the encoder, one product with every token stored; of more than 32,768 chunks, with "
        "the 1,000 most promising",
        builder=LateInteractionRetriever,
    ),
    Strategy(
        name="bm25",
        plain="Finds the exact words: names, codes, figures.",
        summary="exact words, stemmed, rare ones first; no model",
        representation="words",
        stores=("sqlite",),
        storage="about half of the text: an inverted index",
        cost="one index look-up",
        builder=lambda library, _: LexicalRetriever(library),
    ),
    Strategy(
        name="hybrid",
        plain="Meaning plus exact words, merged by rank.",
        summary="mean and bm25, merged by reciprocal rank fusion",
        representation="mean+words",
        stores=("chroma", "sqlite"),
        storage="mean's and bm25's",
        cost="mean's and bm25's",
        builder=lambda library, over: FusionRetriever(_first_stages(library, over)),
    ),
    Strategy(
        name="cascade",
        plain="Meaning plus exact words, then compared word by word.",
        summary="candidates from mean and bm25, ordered by MaxSim",
        representation="mean+words+tokens",
        stores=("chroma", "sqlite", "tokens"),
        storage="mean's, bm25's and colbert's",
        cost="mean's and bm25's, then MaxSim over at most 200 chunks",
        builder=lambda library, over: CascadeRetriever(
            library, _first_stages(library, over, candidates=True), over
        ),
    ),
    Strategy(
        name="fusion",
        plain="Meaning plus exact words, all counted together.",
        summary="candidates from mean and bm25, ordered by mean + bm25 + 2 MaxSim, each standardised",
        representation="mean+words+tokens",
        stores=("chroma", "sqlite", "tokens"),
        storage="cascade's",
        cost="cascade's",
        builder=lambda library, over: CascadeRetriever(
            library, _first_stages(library, over, candidates=True), over, fused=True
        ),
    ),
    Strategy(
        name="documents-first",
        plain="Best overall: meaning plus exact words, first in the documents that you name.",
        summary="fusion, first in the documents that the question names, and also for what its words mean",
        representation="mean+words+tokens",
        stores=("chroma", "sqlite", "tokens"),
        storage="cascade's",
        cost="one and a half times fusion's",
        builder=DocumentsFirstRetriever,
    ),
)
STRATEGIES = {strategy.name: strategy for strategy in _TABLE}


def strategy_named(name: str) -> Strategy:
    """Return the strategy of a name; "mean@NAME" is `mean` over the representation NAME.

    Raises:
        UnknownName: No strategy has the name; the message lists the choices.
        InvalidInput: A representation is given for a strategy that reads no vectors.
    """
    plain, _, representation = name.partition("@")
    if plain not in STRATEGIES:
        raise UnknownName("strategy", plain, STRATEGIES)
    if not representation:
        return STRATEGIES[plain]
    if plain == "bm25":
        raise InvalidInput(f"{name!r}: bm25 reads words and no vectors; leave @{representation} away")
    return replace(STRATEGIES[plain], name=name, over=representation)
