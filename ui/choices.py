"""What the selectors beside the question offer, and the words that explain it."""

from collections.abc import Sequence

from ingestion.errors import RagError
from rag_app.assistant import AUTO, Assistant, StrategyState
from rag_app.llm.extractive import NAME as EXTRACTIVE

NO_RERANKER = "none"

Choices = list[tuple[str, str]]


def strategy_choices(strategies: Sequence[StrategyState]) -> Choices:
    """Return the strategies that can be used; `strategy_help` says why others cannot."""
    return [(state.strategy.name, state.strategy.name) for state in strategies if state.available]


def strategy_help(strategies: Sequence[StrategyState], chosen: str) -> str:
    """Return what the chosen strategy does and costs, and why others cannot be used."""
    lines = [
        f"{state.strategy.name}: {state.strategy.summary}. Costs {state.strategy.cost}."
        for state in strategies
        if state.strategy.name == chosen
    ]
    lines += [
        f"{state.strategy.name} is not available: {state.reason}"
        for state in strategies
        if not state.available
    ]
    return " ".join(lines)


def reranker_choices(assistant: Assistant) -> Choices:
    """Return no reranker, and those that the application knows."""
    known = {name: name for name in (assistant.options().reranker, *assistant.rerankers()) if name}
    return [(NO_RERANKER, NO_RERANKER), *known.items()]


def llm_choices(assistant: Assistant) -> tuple[Choices, str]:
    """Return the answerers on this machine, and what `auto` stands for now."""
    folder = assistant.settings.models_folder
    files = {str(file): file.name for file in sorted(folder.glob("*.gguf"))}
    configured = assistant.options().llm
    if configured not in (AUTO, EXTRACTIVE, *files):
        files[configured] = configured.rsplit("/", 1)[-1]
    choices = [(AUTO, AUTO), (EXTRACTIVE, EXTRACTIVE), *((name, path) for path, name in files.items())]
    try:
        path = assistant.llm()
    except RagError as error:
        return choices, str(error)
    used = path.name if path else f"{EXTRACTIVE}: quotations, no LLM"
    return choices, f"auto is {used}; or the path of a GGUF file"
