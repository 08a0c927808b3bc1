"""Pulling from a stand-in for the hub: progress, going on after a cut, hashes, being offline later."""

import hashlib
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ingestion.errors import Cancelled, InvalidInput, ModelError, UnknownName
from rag_app.model_store import resolve
from rag_app.model_store.pulling import PullProgress
from rag_app.model_store.store import ModelStore, Presence
from tests.helpers.hub import COMMIT, FILES, LARGE, SMALL, WEIGHTS, Hub, listed

pytestmark = pytest.mark.slow


def presence(store: ModelStore, name: str = "small") -> Presence:
    (state,) = [state for state in store.states() if state.entry.name == name]
    return state.presence


def test_a_pull_reports_its_bytes_and_records_commit_and_hashes(hub: Hub, store: ModelStore) -> None:
    seen: list[PullProgress] = []
    pulled = store.pull("small", on_progress=seen.append)
    total = sum(map(len, FILES.values()))
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)
    assert (seen[-1].done, seen[-1].total) == (total, total)
    assert pulled.commit == COMMIT
    held = json.loads((store.folder / "models.lock.json").read_text())
    assert {file["path"] for file in held["models"][0]["files"]} == set(FILES)
    assert not list(store.folder.rglob("*.part"))
    assert presence(store) is Presence.VERIFIED


def test_a_pulled_model_is_found_when_the_hub_is_gone(
    hub: Hub, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.pull("small")
    asked = len(hub.requests)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    folder = resolve("small", role="reranker", folder=store.folder)
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert resolve("owner/small", role="reranker", folder=store.folder) == folder
    assert store.pull("small").commit == COMMIT  # whole: nothing is asked for
    assert len(hub.requests) == asked


def test_a_pull_that_was_cut_goes_on_where_it_ended(hub: Hub, store: ModelStore) -> None:
    hub.cut_after = 3 * 2**20
    with pytest.raises(ModelError, match=r"answered 503.*pull again later"):
        store.pull("small")
    assert presence(store) is Presence.ABSENT
    hub.cut_after = None
    hub.requests.clear()
    seen: list[PullProgress] = []
    store.pull("small", on_progress=seen.append)
    (asked,) = hub.ranges_of("model.safetensors")
    assert asked is not None
    assert 2 * 2**20 <= int(asked.removeprefix("bytes=").rstrip("-")) <= 3 * 2**20
    assert seen[0].done >= 2 * 2**20
    assert hub.ranges_of("config.json") == []
    assert (
        resolve("small", role="reranker", folder=store.folder) / "model.safetensors"
    ).read_bytes() == WEIGHTS


def test_a_hub_that_ignores_ranges_sends_the_whole_again(hub: Hub, store: ModelStore) -> None:
    hub.cut_after = 2 * 2**20
    with pytest.raises(ModelError):
        store.pull("small")
    hub.cut_after, hub.ranges = None, False
    pulled = store.pull("small")
    assert (store.lock.root(pulled) / "model.safetensors").read_bytes() == WEIGHTS


def test_a_file_that_is_not_what_the_hub_says_is_refused(hub: Hub, store: ModelStore) -> None:
    hub.wrong = True
    with pytest.raises(ModelError, match=r"model\.safetensors is not what the hub says"):
        store.pull("small")
    assert presence(store) is Presence.ABSENT
    assert not list(store.folder.rglob("model.safetensors*"))


def test_another_file_under_the_same_commit_is_refused_ever_after(hub: Hub, store: ModelStore) -> None:
    pulled = store.pull("small")
    file = store.lock.root(pulled) / "model.safetensors"
    file.unlink()
    hub.files["model.safetensors"] = bytes(reversed(WEIGHTS))  # and the tree says so
    with pytest.raises(ModelError, match="is not what the first pull recorded"):
        store.pull("small")
    assert not file.exists()
    hub.files["model.safetensors"] = WEIGHTS
    store.pull("small")
    assert file.read_bytes() == WEIGHTS


def test_damage_is_found_by_verify_and_by_resolve_and_mended_by_pull(hub: Hub, store: ModelStore) -> None:
    pulled = store.pull("small")
    file = store.lock.root(pulled) / "model.safetensors"
    assert [one.faults for one in store.verify()] == [()]
    stat = file.stat()
    damaged = bytearray(WEIGHTS)
    damaged[LARGE // 2] ^= 1
    file.write_bytes(damaged)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # as a failing disk does
    (found,) = store.verify(["small"])
    assert [(fault.file, fault.state) for fault in found.faults] == [("model.safetensors", "damaged")]
    for _ in range(2):  # the second look must not take it for whole
        with pytest.raises(ModelError, match=r"differs from its record.*rag-app models pull small"):
            resolve("small", role="reranker", folder=store.folder)
    assert presence(store) is Presence.CHANGED
    hub.requests.clear()
    store.pull("small")
    assert hub.ranges_of("config.json") == []  # what was whole is not fetched again
    assert file.read_bytes() == WEIGHTS
    assert presence(store) is Presence.VERIFIED


def test_a_file_is_hashed_again_only_when_it_looks_changed(
    hub: Hub, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rag_app.model_store import lock

    pulled = store.pull("small")
    hashed: list[Path] = []
    real = lock.sha256_of
    monkeypatch.setattr(lock, "sha256_of", lambda file, **rest: (hashed.append(file), real(file, **rest))[1])
    file = store.lock.root(pulled) / "model.safetensors"
    os.utime(file, ns=(1, 10**18))
    for _ in range(3):
        resolve("small", role="reranker", folder=store.folder)
    assert hashed == [file]
    assert store.lock.sha256(file) == hashlib.sha256(WEIGHTS).hexdigest()
    assert store.lock.sha256(store.folder / "another.gguf") is None
    file.write_bytes(WEIGHTS[:-1])
    assert store.lock.sha256(file) is None  # what was recorded is not what is there


def test_a_pull_is_cancelled_in_the_middle_and_goes_on_later(hub: Hub, store: ModelStore) -> None:
    hub.slow = threading.Event()
    with pytest.raises(Cancelled):
        store.pull("small", cancelled=hub.slow.is_set)
    assert presence(store) is Presence.ABSENT
    hub.slow = None
    store.pull("small")
    assert presence(store) is Presence.VERIFIED


def test_a_second_pull_at_once_is_refused_and_the_first_goes_on(hub: Hub, store: ModelStore) -> None:
    hub.slow, stop = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(store.pull, "small", cancelled=stop.is_set)
        assert hub.slow.wait(60)
        with pytest.raises(ModelError, match="another process is pulling owner/small; wait for it"):
            store.pull("small")
        assert not first.done()
        stop.set()
        with pytest.raises(Cancelled):
            first.result()
    hub.slow = None
    store.pull("small")
    assert presence(store) is Presence.VERIFIED


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (401, None, "answered 401 .* set HF_TOKEN"),
        (403, "GatedRepo", "is gated: accept its terms"),
        (403, None, "answered 403 .* set HF_TOKEN"),
        (404, "RepoNotFound", "has no repository owner/small"),
        (404, "RevisionNotFound", "has no revision"),
    ],
)
def test_what_the_hub_refuses_is_one_clear_line(
    hub: Hub, store: ModelStore, status: int, code: str | None, said: str
) -> None:
    hub.status, hub.error_code = status, code
    with pytest.raises(ModelError, match=said) as caught:
        store.pull("small")
    assert "\n" not in str(caught.value)


def test_no_network_is_one_clear_line(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(ModelError, match=r"hub http://127\.0\.0\.1:1 cannot be reached") as caught:
        store.pull("small")
    assert "\n" not in str(caught.value)


def test_a_disk_without_space_is_said_before_anything_is_fetched(hub: Hub, store: ModelStore) -> None:
    hub.declared = 2**60
    with pytest.raises(ModelError, match=r"needs \d+ MB more, and .* MB free"):
        store.pull("small")
    assert hub.ranges_of("config.json") == []


def test_what_cannot_be_pulled(store: ModelStore) -> None:
    with pytest.raises(UnknownName, match="no model named 'nothing'"):
        store.pull("nothing")
    with pytest.raises(InvalidInput, match=r"several models .*choose one with --role"):
        store.pull("all-MiniLM-L6-v2")
    with pytest.raises(InvalidInput, match="nothing to pull"):
        store.pull("builtin")


def test_a_pattern_without_a_file_is_said(hub: Hub, tmp_path: Path) -> None:
    store = listed(tmp_path / "data", SMALL.replace("*.json *.safetensors", "missing.gguf"))
    with pytest.raises(ModelError, match=r"has no missing\.gguf"):
        store.pull("small")
