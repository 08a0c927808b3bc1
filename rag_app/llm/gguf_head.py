"""What the metadata of a GGUF file says, read without llama.cpp and without the weights.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little endian).
"""

import os
import struct
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from io import BufferedReader
from pathlib import Path
from typing import Any

from ingestion.errors import ModelError
from ingestion.regular_files import open_regular

GGUF_MAGIC = b"GGUF"
VERSIONS = (2, 3)
DEFAULT_CONTEXT_TOKENS = 8192  # the largest default: some models state 128k, which needs GBs of memory
CHATML_START = "<|im_start|>"

# The numbers of the format's value types, and the struct formats of those with a fixed size.
_FIXED = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_TEXTS = ("general.type", "general.architecture", "adapter.type", "tokenizer.chat_template")
_TOKENS = "tokenizer.ggml.tokens"
# A vocabulary and its merges have less than a million strings, and the longest string is a chat template. A
# hostile file could have more than there is time and memory to read.
_MOST_STRINGS = 4_000_000
_LONGEST_STRING = 16 * 2**20
_KEPT_HEADS = 64

_Value = str | int | float


class PromptForm(StrEnum):
    """The form of the prompts that a model gets: a chat in its template, or plain text to complete."""

    CHAT = "chat"
    COMPLETION = "completion"


@dataclass(frozen=True, slots=True)
class GgufHead:
    """The metadata of a GGUF file.

    Attributes:
        kind: "model", or "adapter", "mmproj" and the like.
        architecture: Such as "llama" and "qwen3"; "" where the file names none.
        adapter: The kind of an adapter, such as "lora"; "" for other files.
        has_template: It has a chat template.
        has_chatml: Its vocabulary has the token that begins a turn of ChatML.
        stated_context: The context window that it states, in tokens; 0 where it states none.
    """

    kind: str
    architecture: str
    adapter: str
    has_template: bool
    has_chatml: bool
    stated_context: int

    @property
    def form(self) -> PromptForm | None:
        """The form of its prompts; None for what is no language model."""
        if self.kind != "model":
            return None
        return PromptForm.CHAT if self.has_template or self.has_chatml else PromptForm.COMPLETION

    @property
    def context_window(self) -> int:
        """The context window that a model gets where no setting says otherwise, in tokens."""
        return min(self.stated_context or DEFAULT_CONTEXT_TOKENS, DEFAULT_CONTEXT_TOKENS)


def check_gguf(path: Path) -> None:
    """Raise ModelError unless `path` is a file that begins like a GGUF file."""
    try:
        with open_regular(path) as file:
            magic = file.read(len(GGUF_MAGIC))
    except FileNotFoundError:
        raise ModelError(f"{path} does not exist; download the model or correct the path") from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); give the path of a GGUF file") from error
    if magic != GGUF_MAGIC:
        raise ModelError(
            f"{path} is not a GGUF file (it begins with {magic!r}), and llama.cpp reads no other; give the "
            "path of a GGUF file"
        )


def read_head(path: Path) -> GgufHead | None:
    """Return the metadata of a GGUF file; None for a file that is missing, damaged, or no GGUF file.

    A vocabulary of 150,000 tokens takes a tenth of a second; the file's metadata is kept until it changes.
    """
    try:
        stat = path.stat()
        return _read(path, stat.st_size, stat.st_mtime_ns)
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=_KEPT_HEADS)
def _read(path: Path, size: int, changed_ns: int) -> GgufHead:  # noqa: ARG001 - they make another key
    with open_regular(path) as file:
        metadata = _Metadata(file)
        values = metadata.read()
    architecture = _text(values, "general.architecture")
    stated = values.get(f"{architecture}.context_length")
    return GgufHead(
        kind=_text(values, "general.type") or "model",
        architecture=architecture,
        adapter=_text(values, "adapter.type"),
        has_template=bool(_text(values, "tokenizer.chat_template")),
        has_chatml=metadata.has_chatml,
        stated_context=stated if isinstance(stated, int) else 0,
    )


def _text(values: dict[str, _Value], key: str) -> str:
    value = values.get(key)
    return value if isinstance(value, str) else ""


class _Metadata:
    """Reads the keys and values at the beginning of a file. Raises ValueError for a damaged one, and OSError.

    It maps no file into memory: one that is cut meanwhile would end this process.
    """

    def __init__(self, file: BufferedReader) -> None:
        self.has_chatml = False
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        self._strings = 0

    def read(self) -> dict[str, _Value]:
        """Return the numbers, and the texts that are needed."""
        if self._bytes(len(GGUF_MAGIC)) != GGUF_MAGIC or self._number("I") not in VERSIONS:
            raise ValueError("no GGUF file of a known version")
        _tensors, pairs = self._number("Q"), self._number("Q")
        values: dict[str, _Value] = {}
        for _ in range(pairs):
            key, kind = self._string().decode("utf-8", "replace"), self._number("I")
            if kind == _ARRAY:
                self._array(key)
            elif kind == _STRING:
                text = self._string()
                if key in _TEXTS:
                    values[key] = text.decode("utf-8", "replace")
            else:
                values[key] = self._number(_fixed(kind))
        return values

    def _array(self, key: str) -> None:
        """Pass over an array, and look for ChatML's token in the vocabulary."""
        kind, count = self._number("I"), self._number("Q")
        if kind != _STRING:
            length = count * struct.calcsize(f"<{_fixed(kind)}")
            if length > self._size:
                raise ValueError("an array longer than the file")
            self._file.seek(length, os.SEEK_CUR)
            return
        wanted = CHATML_START.encode() if key == _TOKENS else None
        for _ in range(count):
            if self._string() == wanted:
                self.has_chatml = True

    def _string(self) -> bytes:
        self._strings += 1
        length = self._number("Q")
        if self._strings > _MOST_STRINGS or length > _LONGEST_STRING:
            raise ValueError("more text than a model has")
        return self._bytes(length)

    def _number(self, form: str) -> Any:
        (value,) = struct.unpack(f"<{form}", self._bytes(struct.calcsize(f"<{form}")))
        return value

    def _bytes(self, count: int) -> bytes:
        found = self._file.read(count)
        if len(found) != count:
            raise ValueError("the file ends inside its metadata")
        return found


def _fixed(kind: int) -> str:
    """Return the struct format of a value type. Raises ValueError for an unknown one, and nested arrays."""
    if kind not in _FIXED:
        raise ValueError(f"value type {kind}")
    return _FIXED[kind]
