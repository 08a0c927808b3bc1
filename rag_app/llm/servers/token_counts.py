"""Counting tokens with the tokenizer of a server, where its own API has one."""

import time
from collections.abc import Callable
from typing import Any

from rag_app.llm.servers.served_model import ServedModel, ServerKind

COUNT_LIMIT_S = 0.3  # of one text; a sentence takes about a millisecond
PAUSE_S = 60.0  # without asking, after a count that failed, or when the server takes long
SPEND_S = 1.0  # of counting before such a pause, so that no question waits for it much longer

Post = Callable[[dict[str, Any]], Any]


class TokenCounter:
    """Counts texts by POST /tokenize, which llama-server and vLLM have.

    Args:
        post: Sends a body to /tokenize; returns the JSON that answers it, None where there is none.
        clock: Tells how long counting takes, and when a pause ends, in seconds.
    """

    def __init__(self, post: Post, clock: Callable[[], float] = time.monotonic) -> None:
        self._post = post
        self._clock = clock
        self._silent_until = 0.0
        self._begun, self._spent = 0.0, 0.0

    @staticmethod
    def counts(model: ServedModel | None) -> bool:
        """Return whether the model's server has a tokenizer."""
        return model is not None and model.kind in (ServerKind.LLAMA_SERVER, ServerKind.VLLM)

    def count(self, text: str, model: ServedModel | None) -> int | None:
        """Return how many tokens a text has; None where the server does not say, or counting takes long."""
        before = self._clock()
        if model is None or not self.counts(model) or before < self._silent_until:
            return None
        if before - self._begun >= PAUSE_S:
            self._begun, self._spent = before, 0.0
        text = text.encode("utf-8", "replace").decode()
        if model.kind is ServerKind.VLLM:
            answer = self._post({"model": model.name, "prompt": text, "add_special_tokens": False})
        else:
            answer = self._post({"content": text, "add_special": False})
        after = self._clock()
        self._spent += after - before
        counted = _counted(answer)
        # A vocabulary that needs more than a token a byte is none.
        failed = counted is None or not bool(text.strip()) <= counted <= len(text.encode()) + 1
        if failed or self._spent >= SPEND_S:
            self._silent_until = after + PAUSE_S
        return None if failed else counted


def _counted(answer: Any) -> int | None:
    if not isinstance(answer, dict):
        return None
    count, listed = answer.get("count"), answer.get("tokens")
    if isinstance(count, int) and not isinstance(count, bool):
        return count
    return len(listed) if isinstance(listed, list) else None
