"""llama.cpp's error messages. Imported by the worker only."""

import ctypes
import re
from typing import Any

import llama_cpp

GGML_ERROR = 4  # ggml.h; the wrapper's own table is of an older ggml, and drops errors
REASONS_KEPT = 8
CALLER = re.compile(r"^(?:\w+: |error loading model: )+")  # the C functions that pass the cause on


class NativeLog:
    """Collects llama.cpp's errors instead of stderr. Make one instance a process."""

    def __init__(self) -> None:
        self._reasons: list[str] = []
        self._callback: Any = llama_cpp.llama_log_callback(self._take)  # kept: ctypes would free it
        llama_cpp.llama_log_set(self._callback, ctypes.c_void_p(0))

    def reason(self, error: Exception) -> str:
        """Return the cause of `error`: the first message, because later ones only pass it on."""
        return CALLER.sub("", self._reasons[0]) if self._reasons else str(error)

    def _take(self, level: int, text: bytes, _data: object) -> None:
        line = text.decode("utf-8", "replace").strip()
        if level == GGML_ERROR and line and len(self._reasons) < REASONS_KEPT:
            self._reasons.append(line)
