"""Models into a bundle and out of it, models of one's own, and the commands around them."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingestion.errors import InvalidInput, ModelError
from rag_app.cli.entry import app
from rag_app.config.settings import Settings
from rag_app.model_store import resolve
from rag_app.model_store.memory import Fit, Memory, memory_here
from rag_app.model_store.store import ModelStore, Presence
from tests.helpers.hub import WEIGHTS, Hub


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"own weights")
    return folder


@pytest.fixture
def other(tmp_path: Path) -> ModelStore:
    """The store of another machine: nothing is there."""
    return ModelStore(Settings(data_dir=tmp_path / "other"))


def test_a_bundle_brings_pulled_and_added_models_to_an_empty_folder(
    hub: Hub, store: ModelStore, other: ModelStore, weights: Path, tmp_path: Path
) -> None:
    store.pull("small")
    store.add("mine", role="reranker", source=f"file:{weights}")
    store.bundle(tmp_path / "b.tar")
    for file in weights.iterdir():
        file.unlink()
    assert {entry.name for entry in other.unbundle(tmp_path / "b.tar")} == {"small", "mine"}
    small = resolve("small", role="reranker", folder=other.folder)
    assert (small / "model.safetensors").read_bytes() == WEIGHTS
    mine = resolve("mine", role="reranker", folder=other.folder)
    assert (mine / "model.safetensors").read_bytes() == b"own weights"
    assert all(not one.faults for one in other.verify())
    assert not list(other.folder.glob("unbundle-*"))


def rewritten(source: Path, target: Path, change: Callable[[tarfile.TarInfo, bytes], bytes | None]) -> Path:
    """A bundle with its members changed; None leaves the member's type and drops its bytes."""
    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        for member in old:
            stream = old.extractfile(member)
            assert stream
            data = change(member, stream.read())
            member.size = len(data or b"")
            new.addfile(member, io.BytesIO(data or b""))
    return target


def damaged(member: tarfile.TarInfo, data: bytes) -> bytes:
    return data.replace(b"own", b"0wn") if member.name.endswith("safetensors") else data


def outside(member: tarfile.TarInfo, data: bytes) -> bytes:
    if member.name != "bundle.json":
        member.name = member.name.replace("0/model", "../../model")
    return data.replace(b'"path": "model', b'"path": "../../model')


def absolute(member: tarfile.TarInfo, data: bytes) -> bytes:
    return data.replace(b'"path": "model', b'"path": "/tmp/model')


def unlisted(member: tarfile.TarInfo, data: bytes) -> bytes:
    if member.name == "0/model.safetensors":
        member.name = "../escaped"
    return data


def linked(member: tarfile.TarInfo, data: bytes) -> bytes | None:
    if member.name != "0/model.safetensors":
        return data
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return None


@pytest.mark.parametrize("change", [damaged, outside, absolute, unlisted, linked])
def test_a_damaged_or_hostile_bundle_changes_nothing(
    other: ModelStore, store: ModelStore, weights: Path, tmp_path: Path,
    change: Callable[[tarfile.TarInfo, bytes], bytes | None],
) -> None:  # fmt: skip
    store.add("mine", role="reranker", source=f"file:{weights}")
    store.bundle(tmp_path / "b.tar", ["mine"])
    bad = rewritten(tmp_path / "b.tar", tmp_path / "bad.tar", change)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InvalidInput, match="bundle"):
        other.unbundle(bad)
    after = [path for path in sorted(tmp_path.rglob("*")) if path != other.folder.parent]
    assert after == before


def test_a_cut_bundle_and_what_is_none_are_refused(
    other: ModelStore, store: ModelStore, weights: Path, tmp_path: Path
) -> None:
    store.add("mine", role="reranker", source=f"file:{weights}")
    store.bundle(tmp_path / "b.tar")
    whole = (tmp_path / "b.tar").read_bytes()
    (tmp_path / "b.tar").write_bytes(whole[:2048])
    with pytest.raises(InvalidInput, match="bundle"):
        other.unbundle(tmp_path / "b.tar")
    (tmp_path / "b.tar").write_bytes(b"no tar at all")
    with pytest.raises(InvalidInput, match="no bundle"):
        other.unbundle(tmp_path / "b.tar")
    assert not other.folder.exists()


def test_a_bundle_does_not_replace_what_was_recorded(
    other: ModelStore, store: ModelStore, weights: Path, tmp_path: Path
) -> None:
    store.add("mine", role="reranker", source=f"file:{weights}")
    store.bundle(tmp_path / "b.tar")
    (weights / "model.safetensors").write_bytes(b"other weight")
    other.add("mine", role="reranker", source=f"file:{weights}")
    with pytest.raises(InvalidInput, match="differs from the record of that name here"):
        other.unbundle(tmp_path / "b.tar")


def test_an_added_model_that_changed_is_refused(store: ModelStore, weights: Path) -> None:
    store.add("mine", role="reranker", source=f"file:{weights}")
    assert resolve("mine", role="reranker", folder=store.folder) == weights
    (weights / "model.safetensors").write_bytes(b"0wn weights")
    with pytest.raises(ModelError, match="differs from its record"):
        resolve("mine", role="reranker", folder=store.folder)
    store.remove("mine")
    assert (weights / "model.safetensors").exists()  # files elsewhere stay
    assert "mine" not in {state.entry.name for state in store.states()}


def test_a_pulled_model_is_removed_with_its_files(hub: Hub, store: ModelStore) -> None:
    store.pull("small")
    store.remove("small")
    assert not list(store.folder.rglob("model.safetensors"))
    with pytest.raises(InvalidInput, match="built in"):
        store.remove("builtin")


def test_use_keeps_comments_and_names_the_variable_that_comes_first(
    store: ModelStore, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.toml"
    config.write_text('# mine\ntop_k = 5  # few\nreranker = "builtin"\n')
    monkeypatch.setenv("RAG_APP_CONFIG", str(config))
    monkeypatch.setenv("RAG_APP_RERANKER", "builtin")
    store.add("mine", role="reranker", source=f"file:{weights}")
    used = store.use("mine")
    assert config.read_text() == '# mine\ntop_k = 5  # few\nreranker = "mine"\n'
    assert used.overridden_by == "RAG_APP_RERANKER"
    store.add("vectors", role="embedder", source=f"file:{weights}")
    assert store.use("vectors").command == "rag-app reindex --representation vectors --model vectors"


def test_the_commands_print_one_json_object(weights: Path, tmp_path: Path) -> None:
    def run(*words: str) -> tuple[int, dict[str, object]]:
        done = CliRunner().invoke(app, ["--data-dir", str(tmp_path / "d"), "models", *words, "--json"])
        return done.exit_code, json.loads(done.stdout)

    assert run("add", "mine", "--role", "reranker", "--source", f"file:{weights}")[0] == 0
    code, fields = run("list")
    assert code == 0
    states = {(one["role"], one["name"]): one for one in fields["models"]}  # type: ignore[attr-defined]
    assert states["reranker", "mine"]["presence"] == Presence.VERIFIED
    assert states["reranker", "builtin"]["presence"] == Presence.BUILT_IN
    assert run("verify")[1]["ok"] is True
    (weights / "config.json").write_text("[]")
    code, fields = run("verify", "mine")
    assert (code, fields["ok"]) == (1, False)
    assert run("remove", "mine", "--yes")[0] == 0


def test_what_fits_into_memory(tmp_path: Path) -> None:
    memory = Memory(total=100, available=40)
    assert [memory.fit(size) for size in (40, 41, 90, 91)] == [Fit.FITS, Fit.TIGHT, Fit.TIGHT, Fit.TOO_LARGE]
    assert Memory(None, None).fit(1) is Fit.UNKNOWN
    (tmp_path / "meminfo").write_text("MemTotal: 1000 kB\nMemAvailable: 500 kB\n")
    assert memory_here(tmp_path / "meminfo", ()) == Memory(1000 * 1024, 500 * 1024)
    (tmp_path / "memory.max").write_text("409600\n")
    (tmp_path / "memory.current").write_text("204800\n")
    (tmp_path / "memory.stat").write_text("inactive_file 102400\n")
    assert memory_here(tmp_path / "meminfo", (tmp_path,)) == Memory(409600, 307200)
