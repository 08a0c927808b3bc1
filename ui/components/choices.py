"""The choices that selectors offer, and the help beside them."""

from collections.abc import Sequence
from pathlib import Path

from ingestion.errors import InvalidInput, RagError, UnknownName
from rag_app.llm.choice import AUTO, EXTRACTIVE, Llm, Server
from rag_app.service.composition import Assistant
from retrievers.availability import StrategyState
from ui.components.text import escape

NO_RERANKER = "none"

Choices = list[tuple[str, str]]


def strategy_choices(strategies: Sequence[StrategyState]) -> Choices:
    """Return the usable strategies; `strategy_help` says why the others are not."""
    return [(state.strategy.name, state.strategy.name) for state in strategies if state.available]


def strategy_help(strategies: Sequence[StrategyState], chosen: str) -> list[tuple[str, str]]:
    """Return what the chosen strategy does and costs, then why each unusable strategy is unusable."""
    lines = [
        (
            state.strategy.name,
            f"{state.strategy.summary}. Costs {state.strategy.cost}. {_meanwhile(state)}".strip(),
        )
        for state in strategies
        if state.strategy.name == chosen
    ]
    unusable = [state for state in strategies if not state.available]
    return lines + [(state.strategy.name, f"is not available: {state.reason}") for state in unusable]


def described_strategies(strategies: Sequence[StrategyState]) -> Choices:
    """Return the usable strategies, each with a sentence on what it is good for."""
    usable = (state.strategy for state in strategies if state.available)
    return [(f"{strategy.name}: {strategy.plain}", strategy.name) for strategy in usable]


def _meanwhile(state: StrategyState) -> str:
    if not (state.available and state.reason):
        return ""
    return f" Until it is repaired, single vectors stand in: {state.reason}"


def reranker_choices(assistant: Assistant) -> Choices:
    """Return "none" and the rerankers on this machine."""
    known = dict.fromkeys((assistant.options().reranker, *assistant.model_pool.reranker_names()))
    return [(NO_RERANKER, NO_RERANKER), *((name, name) for name in known if name)]


def collection_choices(assistant: Assistant) -> Choices:
    """Return the collections, and the settings' collection even where it is still empty."""
    names = dict.fromkeys((assistant.settings.collection, *assistant.collections()))
    return [(name, name) for name in names]


def document_choices(assistant: Assistant, collection: str | None) -> Choices:
    """Return a collection's documents by their labels."""
    try:
        documents = assistant.documents([collection or assistant.settings.collection])
    except UnknownName:  # it is still empty, or was deleted
        return []
    return sorted((document.label, document.id) for document in documents)


def llm_choices(assistant: Assistant, *, ask: bool = True) -> Choices:
    """Return the language models on this machine, of files and of servers, "auto" and "extractive".

    Args:
        ask: Whether servers may be asked, which takes 300 ms at most.
    """
    files = {str(file): file.name for file in assistant.model_pool.llm_files()}
    files |= {name: name for name in assistant.model_pool.llm_names()}
    files |= {one.url: f"{one.name} ({one.kind})" for one in assistant.model_pool.served_models(ask=ask)}
    configured = assistant.options().llm
    if configured not in (AUTO, EXTRACTIVE, *files):
        server = Server.parse(configured)
        files[configured] = Llm(server=server).name if server else Path(configured).name
    usual = [("Default model", AUTO), ("Quotes only", EXTRACTIVE)]
    return [*usual, *((name, path) for path, name in files.items())]


def check_offered(assistant: Assistant, *, llm: str | None = None, reranker: str | None = None) -> None:
    """Raises InvalidInput for an LLM or reranker that the page does not offer, unless visitors are trusted.

    A name may be that of any file or server; an untrusted visitor must not make this machine open it.
    """
    if assistant.settings.visitors_are_trusted:
        return
    for what, named, choices in (
        ("LLM", llm, llm_choices(assistant, ask=False)),
        ("reranker", reranker, reranker_choices(assistant)),
    ):
        if named and named not in {value for _, value in choices}:
            raise InvalidInput(f"the {what} {named!r} is not among those offered here; choose one of them")


def check_may_name_files(assistant: Assistant, what: str) -> None:
    """Raises InvalidInput where visitors may not name files of the server's machine."""
    if not assistant.settings.visitors_are_trusted:
        raise InvalidInput(f"{what} names files of the server's machine: use the command line there")


def llm_help(assistant: Assistant) -> str:
    """Return the language model that the default is now, or why there is none."""
    try:
        llm = assistant.llm()
    except RagError as error:
        return str(error)
    if llm.leaves_machine:
        return (
            f"The default is {llm.name}: questions and passages leave this machine for {llm.leaves_machine}."
        )
    if llm.note:
        return f"{llm.note[0].upper()}{llm.note[1:]}"
    return _without_default(assistant) if llm.quotes else f"The default is {llm.name}."


def _without_default(assistant: Assistant) -> str:
    """Return why answers are quotations by default, and what else can be chosen."""
    if assistant.options().llm == EXTRACTIVE:
        return "The settings choose quotations as the default."
    names = assistant.model_pool.llm_names()
    able = [name for name in names if assistant.follows_instructions(name)]
    if able:
        return f"{able[0]} is installed: choose it here, or Use it under Models. Now answers are quotations."
    if names:
        return (
            f"{names[0]} is installed, which does not follow instructions: the default passes over it and "
            "quotes the documents. You can choose it here."
        )
    served = ", or choose a server's model" if assistant.model_pool.served_models(ask=False) else ""
    return f"No language model yet: answers are quotations. Give a GGUF file's path{served}."


def render_llm_help(assistant: Assistant) -> str:
    """Return the help below the choice of the language model, with the way to get one."""
    add = ' <a href="?tab=models" data-tab="models">Add a model →</a>'
    return f"<p>{escape(llm_help(assistant))}{add}</p>"


def render_strategy_help(assistant: Assistant, strategy: str) -> str:
    """Return what a strategy does and costs, folded, and why others cannot be used."""
    lines = strategy_help(assistant.strategies(), strategy)
    said = "".join(f"<p><b>{escape(name)}</b> {escape(words)}</p>" for name, words in lines)
    return f"<details><summary>Technical description</summary>{said}</details>"


def reranker_chosen(name: str | None) -> str | None:
    """Return the reranker that a selector names; None for none."""
    name = (name or "").strip()
    return None if name in ("", NO_RERANKER) else name
