"""Loads a model folder as an encoder; its files tell the kind before anything is loaded."""

from pathlib import Path
from typing import Any

from ingestion.encoders.base import Encoder
from ingestion.encoders.checkpoint_code import check_no_code, read_json
from ingestion.encoders.device import ANY_DEVICE, ComputeDevice
from ingestion.encoders.sentence_transformers import BiEncoder, ColbertEncoder
from ingestion.errors import ModelError

_ADVICE = "give the folder of a sentence-transformers bi-encoder or a ColBERT"
_WEIGHTS = ("*.safetensors", "*.bin")


def load_encoder(source: str | Path, compute: ComputeDevice = ANY_DEVICE) -> Encoder:
    """Open a model as an encoder. Nothing is downloaded, and no code of a model is run.

    Args:
        source: The model's folder, or the name of a hub model that is on this machine already.
        compute: Where it runs.

    Returns:
        The encoder; its weights are loaded on first use.

    Raises:
        ModelError: There is no such model, or it gives no vectors of passages: a cross-encoder, a sparse
            encoder, a chat model (GGUF).
    """
    folder = _folder(source)
    _check_files(folder)
    name = folder.name if Path(source).is_dir() else str(source)
    return (ColbertEncoder if _is_colbert(folder) else BiEncoder)(name, folder, compute)


def _folder(source: str | Path) -> Path:
    path = Path(source).expanduser()
    if path.is_dir():
        return path.resolve()
    if path.suffix.lower() == ".gguf":
        raise _chat_model(path)
    if path.is_file():
        raise ModelError(f"{path} is a file, not a model's folder; {_ADVICE}")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(str(source), local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError) as error:
        raise ModelError(
            f"there is no model {str(source)!r} on this machine: no such folder, no such download; "
            f"{_ADVICE}, or download the model first"
        ) from error


def _check_files(folder: Path) -> None:
    if not (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
        if any(folder.glob("*.gguf")):
            raise _chat_model(folder)
        raise ModelError(
            f"the folder {folder} holds no model: neither config.json nor modules.json is there; {_ADVICE}"
        )
    if not any(path.is_file() for pattern in _WEIGHTS for path in folder.rglob(pattern)):
        raise ModelError(f"the model in {folder} has no weights (*.safetensors); download it again")
    check_no_code(folder)


def _is_colbert(folder: Path) -> bool:
    """Whether the model gives token vectors. Raises ModelError where it gives no vectors at all."""
    kind = _read(folder / "config_sentence_transformers.json").get("model_type")
    architectures = [str(one) for one in _read(folder / "config.json").get("architectures") or []]
    if kind == "CrossEncoder" or (
        not _modules(folder) and any(one.endswith("ForSequenceClassification") for one in architectures)
    ):
        raise ModelError(
            f"the model in {folder} is a cross-encoder: it scores pairs and gives no vectors; "
            f"use it as reranker, and {_ADVICE}"
        )
    if kind == "SparseEncoder":
        raise ModelError(f"the model in {folder} is a sparse encoder, which is not supported; {_ADVICE}")
    return (
        kind in ("ColBERT", "MultiVectorEncoder")
        or "HF_ColBERT" in architectures
        or any(
            module.startswith("pylate.") or module.endswith(".MultiVectorMask") for module in _modules(folder)
        )
    )


def _modules(folder: Path) -> list[str]:
    listed = read_json(folder / "modules.json")
    return (
        [str(one.get("type", "")) for one in listed if isinstance(one, dict)]
        if isinstance(listed, list)
        else []
    )


def _read(path: Path) -> dict[str, Any]:
    value = read_json(path)
    return value if isinstance(value, dict) else {}


def _chat_model(path: Path) -> ModelError:
    return ModelError(f"{path} is a chat model (GGUF) and gives no vectors here; {_ADVICE}")
