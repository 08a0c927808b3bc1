"""llama.cpp itself: load a file, render a chat, count tokens, generate. Imported by the worker only."""

import ctypes
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
import llama_cpp
from llama_cpp.llama_chat_format import CHATML_CHAT_TEMPLATE, Jinja2ChatFormatter

DEFAULT_CONTEXT_TOKENS = 8192  # the most taken unasked: some models allow 128k, which costs GBs of memory
CHATML_STOPS = ("<|im_end|>", "<|im_start|>")  # plain text to a model that was not trained with ChatML
DECODE_ABORTED = 2  # llama_decode's return value after its abort callback said yes
GGML_ERROR = 4  # ggml.h; the wrapper's own table is that of an older ggml and drops errors
REASONS_KEPT = 8

CALLER = re.compile(r"^(?:\w+: |error loading model: )+")  # the C functions that pass the cause on
NEVER = "(?!)"  # the pattern that matches nothing

ChatMessage = dict[str, str]


class EngineError(Exception):
    """One line for a person. `code` says which kind: a key of process.ADVICE."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Aborted(Exception):
    """llama.cpp stopped in the middle of a forward pass because it was asked to."""


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A rendered and tokenised chat, with the texts that end the answer beside the model's own end tokens."""

    tokens: list[int]
    stops: tuple[str, ...]


class Engine:
    """One loaded model. `generate` is for one thread at a time; counting and rendering are safe beside it."""

    def __init__(
        self,
        path: str,
        *,
        context_tokens: int | None,
        threads: int,
        gpu_layers: int,
        aborted: Callable[[], bool],
    ) -> None:
        """Load the file at `path`. `aborted` is asked between the steps of every forward pass.

        Raises EngineError with llama.cpp's own reason when it refuses the file.
        """
        reasons: list[str] = []
        self._log = _log_into(reasons)  # kept, or ctypes frees the function that llama.cpp still calls
        try:
            self.context_window = context_tokens or _context_of(path)
            self._llama: Any = llama_cpp.Llama(
                path,
                n_ctx=self.context_window,
                n_threads=threads,
                n_threads_batch=threads,
                n_gpu_layers=gpu_layers,
                verbose=False,
            )
            self._formatter, self._has_template = _formatter(self._llama)
        except jinja2.TemplateError as error:
            raise EngineError("load", f"its chat template cannot be read ({error})") from error
        except (ValueError, RuntimeError, OSError) as error:
            # The first error names the cause; those after it only pass it on.
            reason = CALLER.sub("", reasons[0]) if reasons else str(error)
            raise EngineError("context" if "llama_context" in str(error) else "load", reason) from error
        self._vocab = self._llama._model.vocab
        self._control = _control_tokens(self._llama)
        self._abort = llama_cpp.ggml_abort_callback(lambda _data: aborted())
        llama_cpp.llama_set_abort_callback(self._llama.ctx, self._abort, None)

    def count(self, text: str) -> int:
        """Return the number of tokens of `text` alone: special tokens read as plain text, no BOS."""
        return len(self._llama.tokenize(_utf8(text), add_bos=False, special=False))

    def prompt(self, messages: Sequence[ChatMessage]) -> Prompt:
        """Render the chat with the model's own template (ChatML where it has none) and tokenise it.

        The text of a control token inside a message is broken by a space, so that a document that contains
        "<|im_end|>" cannot end its own turn and speak as somebody else.
        Raises EngineError when the template refuses the messages.
        """
        safe = [{**message, "content": self._defuse(message["content"])} for message in messages]
        try:
            text = self._render(safe)
        except (jinja2.TemplateError, ValueError, TypeError) as error:
            raise EngineError("template", f"its chat template refuses these messages ({error})") from error
        tokens = self._llama.tokenize(_utf8(text), add_bos=not self._has_template, special=True)
        return Prompt(tokens=tokens, stops=() if self._has_template else CHATML_STOPS)

    def generate(self, prompt: Prompt, *, temperature: float, seed: int) -> Iterator[bytes]:
        """Yield the bytes of one token after another until the model ends its answer.

        The caller stops in time: prompt and answer together must stay within `context_window`.
        Raises EngineError when llama.cpp fails, Aborted when `aborted` said so during a forward pass.
        """
        # The constructor turns seed 0 into "random"; set_seed takes it as it is.
        self._llama.set_seed(seed)
        try:
            for token in self._llama.generate(prompt.tokens, temp=temperature):
                if llama_cpp.llama_vocab_is_eog(self._vocab, token):
                    return
                yield self._piece(token)
        except RuntimeError as error:
            # A broken forward pass leaves part of a batch in the cache: start the next answer from nothing.
            self._llama.reset()
            self._llama._ctx.kv_cache_clear()
            if str(error).endswith(f"returned {DECODE_ABORTED}"):
                raise Aborted from error
            raise EngineError("decode", f"llama.cpp could not continue ({error})") from error

    def _render(self, messages: list[ChatMessage]) -> str:
        try:
            return str(self._formatter(messages=messages).prompt)
        except (jinja2.TemplateError, ValueError):
            # Some templates (Gemma's) know no system role: say the same at the head of the first question.
            if len(messages) < 2 or messages[0]["role"] != "system" or messages[1]["role"] != "user":
                raise
            system, user, *rest = messages
            merged = {**user, "content": f"{system['content']}\n\n{user['content']}"}
            return str(self._formatter(messages=[merged, *rest]).prompt)

    def _defuse(self, text: str) -> str:
        return self._control.sub(lambda match: f"{match[0][0]} {match[0][1:]}", text)

    def _piece(self, token: int) -> bytes:
        # Not Llama.detokenize: it has room for 32 bytes and returns nothing for a longer token.
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, size, 0, False)
            if length >= 0:
                return bytes(buffer.raw[:length])
            size = -length


def _utf8(text: str) -> bytes:
    """UTF-8, with "?" for the lone surrogates that broken documents contain."""
    return text.encode("utf-8", "replace")


def _log_into(reasons: list[str]) -> Any:
    """Make llama.cpp log its errors into `reasons` instead of stderr."""

    def log(level: int, text: bytes, _data: object) -> None:
        line = text.decode("utf-8", "replace").strip()
        if level == GGML_ERROR and line and len(reasons) < REASONS_KEPT:
            reasons.append(line)

    callback = llama_cpp.llama_log_callback(log)
    llama_cpp.llama_log_set(callback, ctypes.c_void_p(0))
    return callback


def _context_of(path: str) -> int:
    """The context length that the file states, at most DEFAULT_CONTEXT_TOKENS; reads no weights."""
    parameters = llama_cpp.llama_model_default_params()
    parameters.vocab_only = True
    model = llama_cpp.llama_model_load_from_file(path.encode(), parameters)
    if model is None:
        raise ValueError("the file cannot be loaded")
    try:
        # llama_model_n_ctx_train is 0 for a model without weights.
        architecture = _metadata(model, "general.architecture")
        stated = _metadata(model, f"{architecture}.context_length")
    finally:
        llama_cpp.llama_model_free(model)
    number = int(stated) if stated.isdigit() else 0
    return min(number or DEFAULT_CONTEXT_TOKENS, DEFAULT_CONTEXT_TOKENS)


def _metadata(model: Any, key: str) -> str:
    buffer = ctypes.create_string_buffer(256)
    found = llama_cpp.llama_model_meta_val_str(model, key.encode(), buffer, len(buffer))
    return buffer.value.decode("utf-8", "replace") if found >= 0 else ""


def _formatter(llama: Any) -> tuple[Callable[..., Any], bool]:
    """The chat template as a function, and whether the file brought it."""
    template = llama.metadata.get("tokenizer.chat_template")
    ends = (llama.token_bos(), llama.token_eos())
    bos, eos = ("" if token == -1 else _text(llama, token) for token in ends)
    formatter = Jinja2ChatFormatter(template=template or CHATML_CHAT_TEMPLATE, bos_token=bos, eos_token=eos)
    return formatter, template is not None


def _text(llama: Any, token: int) -> str:
    # Not the wrapper's token_get_text: a vocabulary may hold bytes that are not UTF-8.
    return str(llama_cpp.llama_vocab_get_text(llama._model.vocab, token).decode("utf-8", "replace"))


def _control_tokens(llama: Any) -> re.Pattern[str]:
    """A pattern for the text of every token that has a meaning of its own in a prompt."""
    control = llama_cpp.LLAMA_TOKEN_ATTR_CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_UNKNOWN
    texts = set()
    for token in range(llama.n_vocab()):
        attributes = llama_cpp.llama_vocab_get_attr(llama._model.vocab, token)
        if attributes & (control | llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED):
            text = _text(llama, token)
            # Ordinary text (tabs, HTML tags) may be user-defined as well; only <|…|> is certainly not.
            if len(text) > 1 and (attributes & control or re.fullmatch(r"<\|.*\|>", text)):
                texts.add(text)
    longest_first = sorted(texts, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) or NEVER)
