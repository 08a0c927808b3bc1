"""A model's tokenizer and chat template, loaded long before its weights. Imported by the worker only."""

import ctypes
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import jinja2
import llama_cpp
from llama_cpp._internals import LlamaModel
from llama_cpp.llama_chat_format import CHATML_CHAT_TEMPLATE, Jinja2ChatFormatter

from rag_app.llm.chat_forms import ChatMessage, chat_forms, keeps_system_text
from rag_app.llm.gguf_head import CHATML_START, DEFAULT_CONTEXT_TOKENS
from rag_app.llm.process.engine_error import EngineError
from rag_app.llm.process.native_log import NativeLog
from rag_app.llm.process.plain_text import STOPS, plain_text
from rag_app.llm.reasoning import opens_thought

CHATML_STOPS = ("<|im_end|>", CHATML_START)  # plain text for a model without ChatML
NEVER = "(?!)"  # matches nothing

_REFUSALS = (jinja2.TemplateError, ValueError, TypeError)  # of a template that cannot render a chat


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A rendered and tokenised chat.

    Attributes:
        stops: Texts that end the answer, beside the model's own end tokens.
        thinking: The template has opened the reasoning, and the model goes on inside it.
    """

    tokens: list[int]
    stops: tuple[str, ...]
    thinking: bool


class Vocabulary:
    """The head of a GGUF file: tokenizer, template, context length. Safe to use from several threads.

    Attributes:
        completes: The file has neither a chat template nor ChatML's tokens: its model was not tuned to chat.
        context_length: The context window that the file states, at most `DEFAULT_CONTEXT_TOKENS`.
    """

    def __init__(
        self,
        path: str,
        log: NativeLog,
        rendering: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """Read the file's head.

        Args:
            path: The file.
            log: llama.cpp's messages.
            rendering: Entered while the chat template renders.

        Raises:
            EngineError: llama.cpp refuses the file; the message has its reason.
        """
        self._rendering = rendering
        parameters = llama_cpp.llama_model_default_params()
        parameters.vocab_only = True
        try:
            self._model: Any = LlamaModel(path_model=path, params=parameters, verbose=False)
            metadata = self._model.metadata()
            self._formatter, self._has_template = _formatter(self._model, metadata)
            self.completes = not self._has_template and not _has_chatml(self._model)
        except jinja2.TemplateError as error:
            raise EngineError("load", f"its chat template cannot be read ({error})") from error
        except (ValueError, RuntimeError, OSError) as error:
            raise EngineError("load", log.reason(error)) from error
        # llama_model_n_ctx_train is 0 for a model without weights.
        stated = metadata.get(f"{metadata.get('general.architecture')}.context_length", "")
        number = int(stated) if stated.isdigit() else 0
        self.context_length = min(number or DEFAULT_CONTEXT_TOKENS, DEFAULT_CONTEXT_TOKENS)
        self._control = _control_tokens(self._model)
        self._adds_bos = bool(llama_cpp.llama_vocab_get_add_bos(self._model.vocab))

    def count(self, text: str) -> int:
        """Return the number of tokens of `text` alone: special tokens read as plain text, no BOS."""
        return len(self.tokens(text))

    def tokens(self, text: str, *, add_bos: bool = False) -> list[int]:
        """Return the tokens of `text`: special tokens read as plain text."""
        return self._tokenize(text, add_bos=add_bos, special=False)

    def prompt(self, messages: Sequence[ChatMessage], *, thinking: bool = False) -> Prompt:
        """Render the chat with the model's own template and tokenise it.

        Without a template it is ChatML where the model has its tokens, and plain text elsewhere. The prompt
        begins with the BOS token, once, where the template or the file says so.

        A space breaks the text of a control token inside a message, so that a document that contains
        "<|im_end|>" cannot end its turn and speak in another role.

        Args:
            thinking: The template's `enable_thinking`; most templates ignore it.

        Raises:
            EngineError: The template refuses the messages in every form.
        """
        safe = [{**message, "content": self._defuse(message["content"])} for message in messages]
        if self.completes:
            return Prompt(tokens=self.tokens(plain_text(safe), add_bos=True), stops=STOPS, thinking=False)
        with self._rendering():
            text = self._render(safe, thinking)
        tokens = self._tokenize(text, add_bos=False, special=True)
        if self._adds_bos and tokens[:1] != [self._model.token_bos()]:
            tokens = [self._model.token_bos(), *tokens]
        return Prompt(
            tokens=tokens,
            stops=() if self._has_template else CHATML_STOPS,
            thinking=opens_thought(text),
        )

    def piece(self, token: int) -> bytes:
        """Return the bytes of a token."""
        # Llama.detokenize has room for 32 bytes, and returns nothing for a longer token.
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = llama_cpp.llama_token_to_piece(self._model.vocab, token, buffer, size, 0, False)
            if length >= 0:
                return bytes(buffer.raw[:length])
            size = -length

    def ends(self, token: int) -> bool:
        """Return whether a token ends the answer."""
        return bool(llama_cpp.llama_vocab_is_eog(self._model.vocab, token))

    def _tokenize(self, text: str, *, add_bos: bool, special: bool) -> list[int]:
        # Broken documents contain lone surrogates, which become "?".
        tokens: list[int] = self._model.tokenize(text.encode("utf-8", "replace"), add_bos, special)
        return tokens

    def _render(self, messages: list[ChatMessage], thinking: bool) -> str:
        """Return the chat as text, in the first form that the template takes and keeps whole."""
        refusal: Exception | None = None
        taken: str | None = None
        for form in chat_forms(messages):
            try:
                text = str(self._formatter(messages=form, enable_thinking=thinking).prompt)
            except _REFUSALS as error:
                refusal = refusal or error
                continue
            if keeps_system_text(messages, text):
                return text
            taken = taken or text
        if taken is None:
            raise EngineError(
                "template", f"its chat template refuses these messages ({refusal})"
            ) from refusal
        return taken  # a template that writes texts in another way

    def _defuse(self, text: str) -> str:
        return self._control.sub(lambda match: f"{match[0][0]} {match[0][1:]}", text)


def _formatter(model: Any, metadata: dict[str, str]) -> tuple[Callable[..., Any], bool]:
    """Return the chat template as a function, and whether the file contains it."""
    template = metadata.get("tokenizer.chat_template") or None
    bos, eos = (
        "" if token == -1 else _text(model, token) for token in (model.token_bos(), model.token_eos())
    )
    formatter = Jinja2ChatFormatter(template=template or CHATML_CHAT_TEMPLATE, bos_token=bos, eos_token=eos)
    return formatter, template is not None


def _has_chatml(model: Any) -> bool:
    start = model.tokenize(CHATML_START.encode(), False, True)
    return len(start) == 1


def _text(model: Any, token: int) -> str:
    # A vocabulary may hold bytes that are not UTF-8; the wrapper's token_get_text fails on them.
    return str(llama_cpp.llama_vocab_get_text(model.vocab, token).decode("utf-8", "replace"))


def _control_tokens(model: Any) -> re.Pattern[str]:
    """Return a pattern of the texts of all control tokens."""
    control = llama_cpp.LLAMA_TOKEN_ATTR_CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_UNKNOWN
    texts = set()
    for token in range(model.n_vocab()):
        attributes = llama_cpp.llama_vocab_get_attr(model.vocab, token)
        if attributes & (control | llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED):
            text = _text(model, token)
            # Ordinary text (tabs, HTML tags) may be user-defined too; only <|…|> certainly is no text.
            if len(text) > 1 and (attributes & control or re.fullmatch(r"<\|.*\|>", text)):
                texts.add(text)
    longest_first = sorted(texts, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) or NEVER)
