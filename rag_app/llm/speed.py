"""Measured speeds at which models read prompts on this machine, kept in a small file beside the models."""

import json
import os
import tempfile
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from rag_app.config.folders import make_private

COMPLETION_EVIDENCE = 600  # tokens; no measurement chose this number
READING_S = 10.0  # a person waits this long for the first word; the evidence is what a model reads in it
LEAST_EVIDENCE, MOST_EVIDENCE = 300, 6000  # tokens; with less, an answer rests on a sentence or two

# A measurement on a prompt of this length replaces the warm-up's, which a slow disk distorts.
_TELLING_TOKENS = 256
# A speed that differs by less is kept, so that evidence does not change with the machine's load.
_TOLERANCE = 1.5


@dataclass(frozen=True, slots=True)
class PrefillSpeed:
    """Prompt tokens read in a second, and how many tokens the measurement read."""

    tokens_per_s: float
    measured_on: int


@dataclass(frozen=True, slots=True)
class ReadingSetup:
    """A model file, and how it is read. Other content or other threads make another reader."""

    path: Path
    threads: int
    gpu_layers: int | None = None

    @property
    def key(self) -> str | None:
        """The key of its speed; None where the file is missing."""
        with suppress(OSError):
            stat = self.path.stat()
            return f"{stat.st_size}-{stat.st_mtime_ns}-{self.threads}-{self.gpu_layers}"
        return None


class PrefillSpeeds:
    """The speeds in a JSON file; without a file, of this process alone. Safe to use from several threads."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._known: dict[str, PrefillSpeed] = {}

    def get(self, reader: ReadingSetup) -> PrefillSpeed | None:
        """Return the model's speed; None where nothing measured it."""
        with self._lock:
            return self._read().get(reader.key or "")

    def note(self, reader: ReadingSetup, tokens: int, seconds: float) -> None:
        """Keep a measurement, unless the known speed is as reliable and about the same."""
        key = reader.key
        if not tokens or seconds <= 0 or key is None:
            return
        new = PrefillSpeed(round(tokens / seconds, 1), tokens)
        with self._lock:
            known = self._read()
            if not _better(new, known.get(key)):
                return
            self._known = {**known, key: new}
            if self._file is not None:
                with suppress(OSError):  # an unwritable folder: the next process measures again
                    _write(self._file, {name: asdict(speed) for name, speed in self._known.items()})

    def _read(self) -> dict[str, PrefillSpeed]:
        if self._file is None:
            return self._known
        try:
            return {key: PrefillSpeed(**speed) for key, speed in json.loads(self._file.read_bytes()).items()}
        except (OSError, ValueError, TypeError, AttributeError):  # missing, or of another format
            return self._known


def evidence_budget(tokens_per_s: float) -> int:
    """Return the tokens that a model reads in 10 s, between 300 and 6,000."""
    return max(LEAST_EVIDENCE, min(MOST_EVIDENCE, int(tokens_per_s * READING_S)))


def chat_evidence(tokens_per_s: float, window: int) -> int:
    """Return the tokens of evidence for a chat model: what it reads in 10 s, at most half of its window."""
    return min(evidence_budget(tokens_per_s), window // 2)


def completion_evidence(window: int) -> int:
    """Return the tokens of evidence for a model that only completes text, at any speed.

    It is little: such a model is a small one, and long evidence leads it astray.
    """
    return min(COMPLETION_EVIDENCE, window // 4)


def _better(new: PrefillSpeed, old: PrefillSpeed | None) -> bool:
    if old is None:
        return True
    if new.measured_on < _TELLING_TOKENS:
        return False
    ratio = new.tokens_per_s / old.tokens_per_s
    return old.measured_on < _TELLING_TOKENS or not 1 / _TOLERANCE < ratio < _TOLERANCE


def _write(file: Path, content: object) -> None:
    make_private(file.parent)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as written:
            json.dump(content, written, indent=1)
            written.flush()
            os.fsync(written.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
