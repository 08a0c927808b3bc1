"""What the selectors beside the question offer, and the words that explain it."""

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
    """Return the strategies that can be used; `strategy_help` says why others cannot."""
    return [(state.strategy.name, state.strategy.name) for state in strategies if state.available]


def strategy_help(strategies: Sequence[StrategyState], chosen: str) -> list[tuple[str, str]]:
    """Return what the chosen strategy does and costs, then which others cannot be used and why."""
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


def _meanwhile(state: StrategyState) -> str:
    if not (state.available and state.reason):
        return ""
    return f" Until it is repaired, single vectors stand in: {state.reason}"


def reranker_choices(assistant: Assistant) -> Choices:
    """Return no reranker, and those that the application knows."""
    known = {name: name for name in (assistant.options().reranker, *assistant.rerankers()) if name}
    return [(NO_RERANKER, NO_RERANKER), *known.items()]


def collection_choices(assistant: Assistant) -> Choices:
    """Return the collections, the settings' one among them even where nothing was ever put into it."""
    names = dict.fromkeys((assistant.settings.collection, *assistant.collections()))
    return [(name, name) for name in names]


def document_choices(assistant: Assistant, collection: str | None) -> Choices:
    """Return a collection's documents by their labels."""
    try:
        documents = assistant.documents([collection or assistant.settings.collection])
    except UnknownName:  # nothing was ever put into it, or it is gone
        return []
    return sorted((document.label, document.id) for document in documents)


def llm_choices(assistant: Assistant) -> Choices:
    """Return the answerers on this machine."""
    files = {str(file): file.name for file in sorted(assistant.settings.models_folder.glob("*.gguf"))}
    files |= {name: name for name in assistant.llms()}
    configured = assistant.options().llm
    if configured not in (AUTO, EXTRACTIVE, *files):
        server = Server.parse(configured)
        files[configured] = Llm(server=server).name if server else Path(configured).name
    return [(AUTO, AUTO), (EXTRACTIVE, EXTRACTIVE), *((name, path) for path, name in files.items())]


def check_offered(assistant: Assistant, *, llm: str | None = None, reranker: str | None = None) -> None:
    """Raises InvalidInput for an LLM or reranker that the page does not offer, where visitors are strangers.

    A name may be any file's or server's: whoever has not this machine must not make it open them.
    """
    if assistant.settings.visitors_are_trusted:
        return
    for what, named, choices in (
        ("LLM", llm, llm_choices(assistant)),
        ("reranker", reranker, reranker_choices(assistant)),
    ):
        if named and named not in {value for _, value in choices}:
            raise InvalidInput(f"the {what} {named!r} is not among those offered here; choose one of them")


def check_may_name_files(assistant: Assistant, what: str) -> None:
    """Raises InvalidInput where whoever opens the page has not the machine whose files it would name."""
    if not assistant.settings.visitors_are_trusted:
        raise InvalidInput(f"{what} names files of the server's machine: use the command line there")


def where_to(assistant: Assistant) -> str:
    """Return, as HTML, where questions go unless a message says otherwise."""
    try:
        host = assistant.llm().leaves_machine
    except RagError:  # the selector says what is wrong
        host = None
    if host is None:
        return "Nothing leaves this machine."
    return f"<b>Questions and passages leave this machine for {escape(host)}.</b>"


def llm_help(assistant: Assistant) -> str:
    """Return what `auto` stands for now, or why it stands for nothing."""
    try:
        llm = assistant.llm()
    except RagError as error:
        return str(error)
    if llm.leaves_machine:
        return f"auto is {llm.name}: questions and passages leave this machine for {llm.leaves_machine}."
    if not llm.quotes:
        return f"auto is {llm.name}."
    return "auto is extractive: it quotes the documents. For an LLM, give a GGUF file's path."


def render_help(assistant: Assistant, strategy: str) -> str:
    """Return the words under the selectors."""
    about_llm = f"{llm_help(assistant)} Rerankers (cross-encoders) go by name or folder."
    lines = [*strategy_help(assistant.strategies(), strategy), ("LLM", about_llm)]
    return "".join(f"<p><b>{escape(name)}</b> {escape(words)}</p>" for name, words in lines)
