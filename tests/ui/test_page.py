"""The page as it is built, without a browser: what it offers to whom."""

import json
from pathlib import Path
from typing import Any

import pytest

from ingestion.encoders import Encoder
from ingestion.errors import InvalidInput
from ingestion.library import Library
from rag_app.config.settings import Settings
from rag_app.llm.servers.finder import ServerFinder
from rag_app.service.composition import Assistant
from retrievers.search import search
from retrievers.strategies import strategy_named
from tests.helpers import model_servers
from tests.helpers.built_page import built_page
from tests.helpers.openai_server import serving
from tests.helpers.tiny_gguf import TinyModel, write_tiny_gguf
from ui.background import Workers
from ui.chat.changes import fingerprint
from ui.chat.controller import ChatController, QueryOptions
from ui.compare.controller import CompareController
from ui.components.choices import (
    check_may_name_files,
    check_offered,
    llm_choices,
    llm_help,
    strategy_choices,
    strategy_help,
)
from ui.header import render_header


@pytest.fixture
def assistant(library: Library, tmp_path: Path) -> Assistant:
    return Assistant(Settings(data_dir=tmp_path / "library"), library)


@pytest.fixture
def config(assistant: Assistant) -> dict[str, Any]:
    """What the browser is told of the page."""
    return dict(built_page(assistant).get_config_file())


def test_no_handler_is_an_endpoint(config: dict[str, Any]) -> None:
    handlers = config["dependencies"]
    assert handlers
    assert {handler["api_visibility"] for handler in handlers} == {"private"}


def test_the_page_names_no_other_host(config: dict[str, Any]) -> None:
    shown = json.dumps([item["props"] for item in config["components"]], default=str)
    assert "http://" not in shown
    assert "https://" not in shown


def test_what_a_strategy_does_without_damaged_vectors_is_explained(
    stocked: Library, encoder: Encoder
) -> None:
    stocked.close()
    segment = sorted((stocked.folder / "tokens").iterdir())[0]
    segment.write_bytes(segment.read_bytes()[:100])
    with Library.open(stocked.folder, encoder) as damaged:
        search(damaged, "crane", strategy_named("colbert"), damaged.catalogue.scope())
        states = Assistant(Settings(data_dir=stocked.folder), damaged).strategies()
    offered = [name for name, _ in strategy_choices(states)]
    assert {"colbert", "cascade", "mean"} <= set(offered)
    ((_, words),) = strategy_help(states, "colbert")
    assert "single vectors stand in: the token vectors of " in words
    assert "rag-app repair" in words
    ((_, words),) = strategy_help(states, "mean")
    assert "damaged" not in words


def test_a_tab_is_told_when_what_it_shows_has_changed(stocked: Library) -> None:
    assistant = Assistant(Settings(data_dir=stocked.folder), stocked)
    state_of = fingerprint(assistant)
    empty = state_of({"conversation": None, "collection": None})
    assert state_of({"conversation": "", "collection": "default"}) == empty
    assert state_of({"conversation": None, "collection": "other"}) != empty
    assistant.delete(assistant.documents()[0].name)
    assert state_of({}) != empty
    conversation = assistant.conversations.create().id
    before = state_of({"conversation": conversation})
    assert not before[1]
    assert before != state_of({"conversation": "gone"})
    assistant.conversations.begin_turn(conversation, "Who planted the tree?")
    asked, is_writing = state_of({"conversation": conversation})
    assert (asked, is_writing) != before
    assert is_writing


def test_the_page_says_where_questions_go(stocked: Library) -> None:
    def bar(chosen: str = "auto", **settings: Any) -> str:
        return render_header(Assistant(Settings(data_dir=stocked.folder, **settings), stocked), chosen)

    far = "https://models.example/v1#m"
    for own in (bar(), bar(llm="http://127.0.0.1:11434/v1#m"), bar("extractive", llm=far)):
        assert "<summary>local</summary>" in own
        assert "Nothing leaves this machine." in own
    for elsewhere in (bar(llm=far), bar(far)):  # of the settings, and chosen in the chat
        assert "<summary>Questions and passages leave this machine for models.example.</summary>" in elsewhere
        assert "local" not in elsewhere
    for served in (bar(host="192.0.2.1"), bar(public_url="https://rag.example")):
        assert "local" not in served
        assert "Nothing leaves the server." in served


def test_strangers_choose_among_what_is_offered(stocked: Library) -> None:
    settings = Settings(data_dir=stocked.folder, host="192.0.2.1")
    assistant = Assistant(settings, stocked)
    chat = ChatController(assistant, Workers())
    for how in (
        QueryOptions(reranker="/etc/passwd"),
        QueryOptions(llm="http://192.0.2.7/v1#m"),
        QueryOptions(llm="/etc/passwd"),
    ):
        with pytest.raises(InvalidInput, match="is not among those offered here"):
            chat.begin("Who planted the tree?", (), None, None, how)
    assert assistant.conversations.list() == []
    with pytest.raises(InvalidInput, match="not among those offered"):
        CompareController(assistant, Workers()).compare(
            "tree?", [("mean", "/etc/passwd"), ("bm25", None)], collection=None, top=5, blind=False
        )
    with pytest.raises(InvalidInput, match="use the command line there"):
        check_may_name_files(assistant, "a BEIR folder")


def test_an_installed_model_that_completes_text_can_be_chosen(stocked: Library, tmp_path: Path) -> None:
    assistant = Assistant(Settings(data_dir=tmp_path / "own"), stocked)
    assert llm_help(assistant).startswith("No language model yet")
    base = write_tiny_gguf(tmp_path / "base.gguf", TinyModel(chat_template=None, has_chatml=False))
    assistant.models.add("base", role="llm", source=f"file:{base}")
    assert assistant.llm().quotes
    assert llm_help(assistant).startswith("base is installed, which does not follow instructions")
    chat = write_tiny_gguf(tmp_path / "chat.gguf")
    assistant.models.add("chat", role="llm", source=f"file:{chat}")
    assert llm_help(assistant).startswith("chat is installed: choose it here")


def test_models_of_servers_on_this_machine_are_offered(stocked: Library) -> None:
    settings = Settings(data_dir=stocked.folder, auth="ada:x")  # visitors may choose only what is offered
    assistant = Assistant(settings, stocked)
    with serving(model_servers.llama_server()) as server:
        url = f"{server.url}#qwen3-4b.gguf"
        assistant.model_pool.servers = ServerFinder([server.root], limit_s=60.0)
        with pytest.raises(InvalidInput, match="not among those offered"):
            check_offered(assistant, llm=url)
        assert server.seen == []  # a question does not wait for servers
        assert ("qwen3-4b.gguf (llama-server)", url) in llm_choices(assistant)
        check_offered(assistant, llm=url)
        with pytest.raises(InvalidInput, match="not among those offered"):
            check_offered(assistant, llm=f"{server.url}#other")
        assert "choose a server's model" in llm_help(assistant)
        assert assistant.llm().quotes  # auto does not choose it
        page = json.dumps(built_page(assistant).get_config_file(), default=str)
        assert url in page
