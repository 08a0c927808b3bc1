"""Which strategies a library can use."""

from collections.abc import Iterator
from dataclasses import dataclass

from ingestion.errors import LibraryDamaged
from ingestion.library import Library
from ingestion.storage.open_representations import BUILTIN_NAME
from retrievers.strategies import STRATEGIES, Strategy, strategy_named


@dataclass(frozen=True, slots=True)
class StrategyState:
    """Whether a library can use a strategy.

    Attributes:
        reason: Why not, and what to do; for an available strategy, what it does without meanwhile.
    """

    strategy: Strategy
    available: bool
    reason: str | None = None


def strategy_states(library: Library) -> list[StrategyState]:
    """Return every strategy with its state, over each representation that is ready."""
    chroma, tokens = library.vectors.fault, next(iter(library.damaged_tokens()), None)
    if (
        chroma
        and not tokens
        and sum(one.chunks for one in library.catalogue.documents()) <= library.scan.most
    ):
        chroma = None  # not needed: every vector is compared
    return [
        _state(strategy, chroma, tokens)
        for strategy in (*STRATEGIES.values(), *_over_added_representations(library))
    ]


def _state(strategy: Strategy, chroma: LibraryDamaged | None, tokens: LibraryDamaged | None) -> StrategyState:
    if chroma and "chroma" in strategy.stores:
        return StrategyState(strategy, False, str(chroma))
    return StrategyState(strategy, True, str(tokens) if tokens and "tokens" in strategy.stores else None)


def _over_added_representations(library: Library) -> Iterator[Strategy]:
    """Yield the strategies over added representations, where these hold the vectors that a strategy reads."""
    for index in library.open_representations.ready():
        read = {*index.record.vector_kinds, "words"}
        for strategy in STRATEGIES.values():
            needed = set(strategy.representation.split("+"))
            if index.name != BUILTIN_NAME and needed != {"words"} and needed <= read:
                yield strategy_named(f"{strategy.name}@{index.name}")
