"""Pulling, hashing and adding as tasks, from the stand-in for the hub."""

import socket
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.errors import Cancelled, InvalidInput, ModelError, UnknownName
from rag_app.config.settings import Settings
from rag_app.model_store import network
from rag_app.model_store.model_tasks import AddedModels, ModelTask, ModelTasks, PulledFiles, VerifiedModels
from rag_app.model_store.network import has_network, hub_host
from rag_app.model_store.store import ModelStore, Presence
from rag_app.tasks import TaskRunning, TaskState
from tests.helpers.hub import COMMIT, FILES, Hub
from tests.helpers.tiny_gguf import write_tiny_gguf


@pytest.fixture
def tasks(store: ModelStore) -> Iterator[ModelTasks]:
    made = ModelTasks(store)
    yield made
    made.close()


def ended(tasks: ModelTasks) -> ModelTask:
    latest = tasks.latest()
    assert latest is not None
    tasks.tasks.wait(latest.task.id, 60)
    latest = tasks.latest()
    assert latest is not None
    return latest


def test_a_pull_is_a_task_with_progress_and_a_result(hub: Hub, tasks: ModelTasks) -> None:
    assert tasks.latest() is None
    tasks.pull("owner/small", "reranker")
    done = ended(tasks)
    total = sum(map(len, FILES.values()))
    assert (done.role, done.name, done.task.state) == ("reranker", "small", TaskState.DONE)
    assert (done.task.stage, done.task.done, done.task.total) == ("small", total, total)
    assert done.task.result == PulledFiles(total, COMMIT)
    tasks.verify("small", "reranker")
    assert ended(tasks).task.result == VerifiedModels({"small": []})


def test_one_at_a_time_until_it_is_cancelled(hub: Hub, tasks: ModelTasks, store: ModelStore) -> None:
    hub.slow = threading.Event()
    tasks.pull("small", "reranker")
    assert hub.slow.wait(60)
    with pytest.raises(TaskRunning, match="models are being worked on: pull runs since"):
        tasks.verify()
    tasks.cancel()
    assert isinstance(ended(tasks).task.error, Cancelled)
    hub.slow = None
    tasks.pull("small", "reranker")
    assert ended(tasks).task.state is TaskState.DONE
    tasks.cancel()  # of nothing that runs
    assert ended(tasks).task.state is TaskState.DONE
    tasks.dismiss()
    assert tasks.latest() is None


def test_what_the_hub_refuses_is_the_error(hub: Hub, tasks: ModelTasks) -> None:
    hub.wrong = True
    tasks.pull("small", "reranker")
    assert "is not what the hub says" in str(ended(tasks).task.error)
    with pytest.raises(UnknownName):
        tasks.pull("nobody", "reranker")


def test_a_file_is_added_by_its_path(tasks: ModelTasks, store: ModelStore, tmp_path: Path) -> None:
    file = write_tiny_gguf(tmp_path / "mine.gguf")
    tasks.add("", "llm", f" {file} ")
    assert ended(tasks).task.result == AddedModels(("mine",))
    (state,) = [one for one in store.states() if one.entry.name == "mine"]
    assert (state.presence, state.added) == (Presence.VERIFIED, True)
    tasks.add("again", "llm", str(tmp_path / "nowhere.gguf"))
    assert "does not exist" in str(ended(tasks).task.error)
    for name, role, path, said in (
        ("x", "llm", " ", "the path is empty"),
        ("x" * 101, "llm", str(file), "101 characters"),
        ("../x", "llm", str(file), "leave out '/'"),
        ("", "reranker", str(file), "no folder of a sentence-transformers model"),
        ("", "colbert", str(tmp_path), "no folder of a sentence-transformers model"),
    ):
        with pytest.raises(InvalidInput, match=said):
            tasks.add(name, role, path)
    (tmp_path / "notes.gguf").write_text("no model")
    with pytest.raises(ModelError, match="give the path of a GGUF file"):
        tasks.add("", "llm", str(tmp_path / "notes.gguf"))


def test_a_network_is_a_route_or_a_proxy_or_a_hub_here(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert urllib.request.getproxies_environment() == {}
    assert hub_host() == "huggingface.co"
    # An address family without a route, on any machine: what "no network" looks like to a program.
    monkeypatch.setattr(network, "_REMOTE", ((socket.AF_INET, "0.0.0.256"),))
    assert not has_network()
    monkeypatch.setattr(network, "_REMOTE", ((socket.AF_INET, "127.0.0.1"),))
    assert has_network()
    monkeypatch.setattr(network, "_REMOTE", ())
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert has_network()
    monkeypatch.delenv("https_proxy")
    for address in ("http://127.0.0.1:8000", "http://localhost:1", "http://[::1]:2"):
        monkeypatch.setenv("HF_ENDPOINT", address)
        assert has_network()


def test_a_bundle_is_taken_up_where_a_model_is_added(hub: Hub, store: ModelStore, tmp_path: Path) -> None:
    store.pull("small")
    store.bundle(tmp_path / "b.tar")
    other = ModelStore(Settings(data_dir=tmp_path / "other"))
    tasks = ModelTasks(other)
    tasks.add("ignored", "llm", f" {tmp_path / 'b.tar'} ")
    done = ended(tasks)
    assert (done.name, done.task.state) == ("b.tar", TaskState.DONE)
    assert done.task.result == AddedModels(("small",))
    assert done.task.done == done.task.total > sum(map(len, FILES.values())) - 1
    assert other.entry("small").role == "reranker"
    (tmp_path / "b.tar").write_bytes((tmp_path / "b.tar").read_bytes()[:-2_000_000])
    tasks.add("", "llm", str(tmp_path / "b.tar"))
    assert isinstance(ended(tasks).task.error, InvalidInput)
    tasks.close()
