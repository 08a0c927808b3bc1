"""How fast models read prompts on this machine, as measured, kept in a small file beside them."""

import json
import os
import tempfile
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

READING_S = 10.0  # how long a person waits for the first word: what this reads meanwhile is the evidence
LEAST_EVIDENCE, MOST_EVIDENCE = 300, 6000  # tokens: below, an answer rests on a sentence or two

# A prompt this long says more than the warm-up at loading, which a disk or a busy machine slows down.
_TELLING_TOKENS = 256
# Evidence shall not change from question to question because the machine is a little busier.
_TOLERANCE = 1.5


@dataclass(frozen=True, slots=True)
class PrefillSpeed:
    """Tokens of a prompt read in a second, and on how many tokens that was measured."""

    tokens_per_s: float
    measured_on: int


@dataclass(frozen=True, slots=True)
class Reader:
    """A model file as it is read here. With another content or other threads it is another one."""

    path: Path
    threads: int
    gpu_layers: int = 0

    @property
    def key(self) -> str | None:
        """What it is kept under; None where the file cannot be looked at."""
        with suppress(OSError):
            stat = self.path.stat()
            return f"{stat.st_size}-{stat.st_mtime_ns}-{self.threads}-{self.gpu_layers}"
        return None


class PrefillSpeeds:
    """The speeds in a JSON file; without a file, those of this process. Safe to use from several threads."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._known: dict[str, PrefillSpeed] = {}

    def get(self, reader: Reader) -> PrefillSpeed | None:
        """Return the model's speed, or None where it has not been measured."""
        with self._lock:
            return self._read().get(reader.key or "")

    def note(self, reader: Reader, tokens: int, seconds: float) -> None:
        """Take a measurement in, unless what is known is as good and about the same."""
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
                with suppress(OSError):  # a folder that cannot be written to: it is measured again next time
                    _write(self._file, {name: asdict(speed) for name, speed in self._known.items()})

    def _read(self) -> dict[str, PrefillSpeed]:
        if self._file is None:
            return self._known
        try:
            return {key: PrefillSpeed(**speed) for key, speed in json.loads(self._file.read_bytes()).items()}
        except (OSError, ValueError, TypeError, AttributeError):  # not there, or not ours
            return self._known


def evidence_budget(tokens_per_s: float) -> int:
    """Return the tokens of evidence that are read in about 10 s, within 300 and 6,000."""
    return max(LEAST_EVIDENCE, min(MOST_EVIDENCE, int(tokens_per_s * READING_S)))


def _better(new: PrefillSpeed, old: PrefillSpeed | None) -> bool:
    if old is None:
        return True
    if new.measured_on < _TELLING_TOKENS:
        return False
    ratio = new.tokens_per_s / old.tokens_per_s
    return old.measured_on < _TELLING_TOKENS or not 1 / _TOLERANCE < ratio < _TOLERANCE


def _write(file: Path, content: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
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
