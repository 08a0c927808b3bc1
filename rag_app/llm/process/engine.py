"""llama.cpp itself: load the weights, read a prompt, generate. Imported by the worker only."""

import ctypes
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from time import perf_counter
from typing import Any

import llama_cpp

from rag_app.config.sampling import Sampling
from rag_app.llm.process.engine_error import Aborted, EngineError
from rag_app.llm.process.native_log import NativeLog
from rag_app.llm.process.vocabulary import Prompt, Vocabulary

DECODE_ABORTED = 2  # llama_decode's return value after its abort callback said yes

# Tokens of one forward pass. The last bits of a sum depend on how many tokens are read together, and one seed
# must give one answer: so the size is fixed, blocks begin at its multiples, and only whole blocks are reused.
# Small blocks show progress; a GPU needs large ones.
BLOCK, GPU_BLOCK = 64, 512

# Tokens of the warm-up. Its first pass waits for the disk, and decides whether a second pass is affordable.
_FIRST_PASS = 16
_LONGEST_FIRST_PASS_S = 2.0


@dataclass(frozen=True, kw_only=True)
class LoadOptions:
    """How to load a model's weights."""

    context_window: int
    threads: int
    gpu_layers: int
    adapter: str | None = None  # the path of low-rank weights for the model


def gpu_layers_here(asked: int | None) -> int:
    """Return how many layers llama.cpp puts on a GPU; -1: all.

    Args:
        asked: None: all, where this llama.cpp was built for a GPU.
    """
    if asked is not None:
        return asked
    return -1 if llama_cpp.llama_supports_gpu_offload() else 0


class Engine:
    """One loaded model, for one thread. It keeps what it has read for the next prompt that begins alike."""

    def __init__(
        self,
        path: str,
        vocabulary: Vocabulary,
        log: NativeLog,
        options: LoadOptions,
        *,
        aborted: Callable[[], bool],
    ) -> None:
        """Load the weights.

        Args:
            aborted: Asked between the steps of every forward pass; True stops the pass.

        Raises:
            EngineError: llama.cpp refuses the file; the message has its reason.
        """
        self._vocabulary = vocabulary
        self._block = min(GPU_BLOCK if options.gpu_layers else BLOCK, options.context_window)
        try:
            self._llama: Any = llama_cpp.Llama(
                path,
                n_ctx=options.context_window,
                n_batch=self._block,
                n_ubatch=self._block,
                n_threads=options.threads,
                n_threads_batch=options.threads,
                n_gpu_layers=options.gpu_layers,
                verbose=False,
            )
        except (ValueError, RuntimeError, OSError) as error:
            code = "context" if "llama_context" in str(error) else "load"
            raise EngineError(code, log.reason(error)) from error
        self._adapter = self._with_adapter(options.adapter, log) if options.adapter else None
        self._blocks: list[int] = []  # the tokens of the whole blocks that llama.cpp holds
        self._abort = llama_cpp.ggml_abort_callback(lambda _data: aborted())
        llama_cpp.llama_set_abort_callback(self._llama.ctx, self._abort, None)

    def _with_adapter(self, path: str, log: NativeLog) -> Any:
        """Load low-rank weights, and have the model compute with them. Raises EngineError.

        The wrapper's own `lora_path` takes llama.cpp's refusal, a null pointer, for weights.
        """
        adapter = llama_cpp.llama_adapter_lora_init(self._llama._model.model, os.fsencode(path))
        if not adapter:
            reason = log.reason(RuntimeError("llama.cpp refuses it"))
            raise EngineError("adapter", f"the adapter {path} does not fit it ({reason})")
        adapters = (llama_cpp.llama_adapter_lora_p_ctypes * 1)(adapter)
        scales = (ctypes.c_float * 1)(1.0)
        if llama_cpp.llama_set_adapters_lora(self._llama.ctx, adapters, 1, scales):
            raise EngineError("adapter", f"the adapter {path} cannot be used with it")
        return adapter

    def read(self, prompt: Prompt) -> Iterator[int]:
        """Read a prompt; yield the number of tokens read: first those reused, then after each block.

        Raises what `write` raises.
        """
        tokens = prompt.tokens
        reused = self._reuse(tokens)
        yield reused
        for start in range(reused, len(tokens), self._block):
            block = tokens[start : start + self._block]
            self._pass(block, last=start + len(block) == len(tokens))
            if len(block) == self._block:
                self._blocks += block
            yield start + len(block)

    def write(self, prompt: Prompt, sampling: Sampling) -> Iterator[bytes]:
        """Yield the bytes of one token after another until the model ends its answer.

        Call `read` first, and stop before prompt and answer fill the context window.

        Raises:
            EngineError: llama.cpp failed.
            Aborted: `aborted` returned True during a forward pass.
        """
        # The constructor takes seed 0 for "random"; set_seed does not.
        self._llama.set_seed(sampling.seed)
        with _Failures(self):
            # `generate` finds the whole prompt read, and samples at once.
            for token in self._llama.generate(
                prompt.tokens,
                temp=sampling.temperature,
                top_p=sampling.top_p,
                top_k=sampling.top_k,
                min_p=sampling.min_p,
                repeat_penalty=sampling.repeat_penalty,
            ):
                if self._vocabulary.ends(token):
                    return
                yield self._vocabulary.piece(token)

    def measure(self) -> tuple[int, float]:
        """Read some tokens to measure the speed; return their number and the seconds."""
        measured = self._timed(min(_FIRST_PASS, self._block))
        if measured[1] < _LONGEST_FIRST_PASS_S:
            measured = self._timed(self._block)
        self.forget()
        return measured

    def forget(self) -> None:
        """Drop all that was read."""
        self._blocks = []
        self._llama.reset()
        self._llama._ctx.kv_cache_clear()

    def _timed(self, count: int) -> tuple[int, float]:
        self.forget()
        started = perf_counter()
        self._pass([token % self._llama.n_vocab() for token in range(count)], last=False)
        return count, perf_counter() - started

    def _pass(self, tokens: Sequence[int], *, last: bool) -> None:
        """Read tokens behind those that are read, in one forward pass.

        Args:
            last: The answer begins behind them. Only then is the distribution of the next token computed:
                over 262,144 tokens that takes a twelfth of a block's time. `Llama.eval` always computes it.
        """
        llama = self._llama
        with _Failures(self):
            if last:
                llama.eval(tokens)
                return
            begin, end = llama.n_tokens, llama.n_tokens + len(tokens)
            llama._ctx.kv_cache_seq_rm(-1, begin, -1)
            llama._batch.set_batch(batch=tokens, n_past=begin, logits_all=False)
            llama._batch.batch.logits[len(tokens) - 1] = False
            llama._ctx.decode(llama._batch)
            llama.input_ids[begin:end] = tokens
            llama.n_tokens = end

    def _reuse(self, tokens: Sequence[int]) -> int:
        """Return how many tokens at the beginning are read already, and cut the model's memory there."""
        same = sum(
            1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(self._blocks, tokens, strict=False))
        )
        reused = min(same, len(tokens) - 1) // self._block * self._block  # the last token is always read
        if not (reused and self._cut(reused)):
            self.forget()
            return 0
        self._blocks = self._blocks[:reused]
        self._llama.n_tokens = reused
        return reused

    def _cut(self, length: int) -> bool:
        """Drop all after the first `length` tokens; return whether the memory holds exactly those.

        A recurrent state cannot go back, nor can a sliding window that has moved on.
        """
        memory = llama_cpp.llama_get_memory(self._llama.ctx)
        window = max(1, llama_cpp.llama_model_n_swa(self._llama.model))
        if llama_cpp.llama_memory_seq_pos_min(memory, 0) > max(0, length - window):
            return False
        return bool(self._llama._ctx.kv_cache_seq_rm(0, length, -1))


class _Failures:
    """Turns llama.cpp's failures into EngineError and Aborted."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if not isinstance(error, RuntimeError):
            return
        aborted = str(error).endswith(f"returned {DECODE_ABORTED}")
        llama = self._engine._llama
        # llama.cpp removes an aborted pass from its memory, but cannot reset a recurrent state.
        if not aborted or llama._is_recurrent or llama._is_hybrid:
            self._engine.forget()
        if aborted:
            raise Aborted from error
        raise EngineError("decode", f"llama.cpp could not continue ({error})") from error
