"""Writes a small GGUF that llama.cpp really loads: random weights, a real tokenizer, a chat template.

The text that it generates means nothing, but it is readable (letters and short pieces, no stray bytes),
the same on every run, and goes on until the caller stops it, because one number of the hidden state is kept
constant and the output matrix uses it to rule tokens out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] "
    "+ '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
NO_SYSTEM_ROLE = (
    "{% for message in messages %}{% if message['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}"
)

UNK, BOS, EOS, IM_START, IM_END = range(5)
ALLOW, FORBID = 0.0, -200.0  # weights on the constant number; other logits stay within some tens

Weights = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class TinyModel:
    """What to write.

    `width` (a multiple of `head_size`) and `layers` set the time that a token takes: the defaults take a
    fraction of a millisecond, 256 and 12 several (50 MB). `kv_heads` and `inner` (the width of the
    feed-forward layer) are as many as there are heads, and 4 × `width`, where they are None. `more_words`
    made-up ones come on top of the small vocabulary. `quantized`: matrices are Q8_0 instead of float32.
    Without `has_chatml` its vocabulary has no tokens of that form. `control` are more control tokens, `bos`
    and `eos` the texts of those tokens, and `adds_bos` says that prompts begin with BOS. With `space_prefix`
    text begins with a space, as SentencePiece has it. `ends_at_once` makes the end of the answer the only
    likely token. `counts`: it writes the `more_words` one after the other, at any temperature, so that a text
    is known in advance and nothing in it repeats.
    """

    width: int = 64
    layers: int = 2
    head_size: int = 32
    kv_heads: int | None = None
    inner: int | None = None
    more_words: int = 0
    quantized: bool = False
    context: int = 2048
    chat_template: str | None = CHATML
    has_chatml: bool = True
    control: tuple[str, ...] = ()
    bos: str = "<s>"
    eos: str = "</s>"
    adds_bos: bool = True
    space_prefix: bool = True
    ends_at_once: bool = False
    counts: bool = False
    seed: int = 7

    @property
    def heads(self) -> int:
        return self.width // self.head_size


SMALL = TinyModel()
# It writes 3,000 different words, for minutes, so that nothing but a test stops it.
WORDY = TinyModel(width=256, layers=12, context=16_384, more_words=3000, counts=True)


def write_tiny_gguf(path: Path, model: TinyModel = SMALL) -> Path:
    """Write `model` to `path` and return `path`. The file is the same for the same `model`."""
    pieces, scores, types = _vocabulary(model)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(model.context)
    writer.add_embedding_length(model.width)
    writer.add_block_count(model.layers)
    writer.add_feed_forward_length(model.inner or 4 * model.width)
    writer.add_head_count(model.heads)
    writer.add_head_count_kv(model.kv_heads or model.heads)
    writer.add_rope_dimension_count(model.head_size)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(pieces))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(pieces)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    writer.add_unk_token_id(UNK)
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(EOS)
    writer.add_add_bos_token(model.adds_bos)
    writer.add_add_space_prefix(model.space_prefix)
    if model.chat_template is not None:
        writer.add_chat_template(model.chat_template)
    for name, values in _tensors(model, types):
        if model.quantized and values.ndim == 2:
            packed = gguf.quants.quantize(values, gguf.GGMLQuantizationType.Q8_0)
            writer.add_tensor(name, packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        else:
            writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_tiny_adapter(path: Path, model: TinyModel = SMALL, rank: int = 4) -> Path:
    """Write random low-rank weights for the queries of all layers of `model`; return `path`."""
    random = np.random.default_rng(model.seed)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 2.0 * rank)
    for layer in range(model.layers):
        for name, shape in (("lora_a", (rank, model.width)), ("lora_b", (model.width, rank))):
            values = random.standard_normal(shape, dtype=np.float32)
            writer.add_tensor(f"blk.{layer}.attn_q.weight.{name}", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def made_up_word(number: int) -> str:
    """Return the word at place `number` of `more_words`, like "bababu"; each tenth ends a sentence."""
    ends = "." if number % 10 == 9 else ""
    consonants, vowels = "bdfgklmnprstvz", "aeiou"
    syllables = []
    for _ in range(3):
        number, place = divmod(number, len(consonants) * len(vowels))
        syllables.append(consonants[place // len(vowels)] + vowels[place % len(vowels)])
    return "".join(reversed(syllables)) + ends


def as_written(answer: str) -> str:
    """Return an answer as the model wrote it: without the citations that were computed afterwards.

    A nonsense word may resemble a source enough to get one; which nonsense depends on the library's key.
    """
    return re.sub(r"\s*\[\d+\]", "", answer)


def _vocabulary(model: TinyModel) -> tuple[list[bytes], list[float], list[int]]:
    """SentencePiece with byte fallback: control tokens, 256 bytes, characters, merged pieces."""
    form = ("<|im_start|>", "<|im_end|>") if model.has_chatml else ("<mask>", "<pad>")
    control = ["<unk>", model.bos, model.eos, *form, *model.control]
    pieces = [text.encode() for text in control]
    types = [gguf.TokenType.UNKNOWN] + [gguf.TokenType.CONTROL] * (len(control) - 1)
    scores = [0.0] * len(control)
    pieces += [f"<0x{byte:02X}>".encode() for byte in range(256)]
    types += [gguf.TokenType.BYTE] * 256
    scores += [0.0] * 256
    merged = ["▁t", "he", "▁the", "in", "er", "an", "on", "▁a", "re", "▁w", "or", "ing", "▁of", "日本"]
    texts = [*merged, "▁", *"etaoinshrdlcumwfgypbvkjxqzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,?!é日本"]
    texts += [f"▁{made_up_word(number)}" for number in range(model.more_words)]
    pieces += [text.encode() for text in texts]
    types += [gguf.TokenType.NORMAL] * len(texts)
    scores += [-float(rank) for rank in range(len(texts))]
    return pieces, scores, [int(kind) for kind in types]


def _tensors(model: TinyModel, types: list[int]) -> Iterator[tuple[str, Weights]]:
    random = np.random.default_rng(model.seed)
    width, inner = model.width, model.inner or 4 * model.width
    keys = (model.kv_heads or model.heads) * model.head_size

    def matrix(rows: int, columns: int, scale: float = 1.0) -> Weights:
        values = random.standard_normal((rows, columns), dtype=np.float32)
        return values * np.float32(scale / np.sqrt(columns))

    embedding = matrix(len(types), width, 0.3 * np.sqrt(width))  # small: fewer repetitions
    embedding[:, 0] = 1.0  # the constant number: no layer writes to it
    output = matrix(len(types), width, 4.0)
    output[:, 0] = [ALLOW if kind == gguf.TokenType.NORMAL else FORBID for kind in types]
    if model.ends_at_once:
        output[EOS, 0] = -FORBID
    if model.counts:
        _count(embedding, output, len(types) - model.more_words)
    yield "token_embd.weight", embedding
    yield "output_norm.weight", np.ones(width, np.float32)
    yield "output.weight", output
    for layer in range(model.layers):
        attention_out, feed_forward_out = matrix(width, width), matrix(width, inner)
        attention_out[0] = feed_forward_out[0] = 0.0
        if model.counts:  # what a token says of itself passes all layers unchanged
            attention_out[:] = feed_forward_out[:] = 0.0
        yield f"blk.{layer}.attn_norm.weight", np.ones(width, np.float32)
        yield f"blk.{layer}.attn_q.weight", matrix(width, width)
        yield f"blk.{layer}.attn_k.weight", matrix(keys, width)
        yield f"blk.{layer}.attn_v.weight", matrix(keys, width)
        yield f"blk.{layer}.attn_output.weight", attention_out
        yield f"blk.{layer}.ffn_norm.weight", np.ones(width, np.float32)
        yield f"blk.{layer}.ffn_gate.weight", matrix(inner, width)
        yield f"blk.{layer}.ffn_up.weight", matrix(inner, width)
        yield f"blk.{layer}.ffn_down.weight", feed_forward_out


def _count(embedding: Weights, output: Weights, first: int) -> None:
    """Let every token from `first` on be followed by the next one, and all others by `first`.

    Embeddings of 256 numbers are nearly orthogonal: a row of the output matrix that is the embedding of
    the token before gives its successor a logit that is far above all others.
    """
    embedding[:first, 1:] = embedding[0, 1:]
    output[first:, 1:] = 0.0
    output[first + 1 :, 1:] = embedding[first:-1, 1:]
    output[first, 1:] = embedding[0, 1:] + embedding[-1, 1:]
    output[first:, 1:] *= 10.0
