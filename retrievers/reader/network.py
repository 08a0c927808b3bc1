"""The reader's network: the encoder's lower layers read question and passage apart, its upper layers read
them together, MaxSim compares what comes out, and small heads say whether, in which sentence and where it
answers.

    relevance(q, p) = scale · Σ_i softmax(importance)_i · max_j cos(q_i, p_j) + pair(q_[CLS], mean of p)
    answers(q, p)   = relevance(q, p) + mlp(q_[CLS], p_[CLS], mean of p, max of p)
    like(q, p)_j    = max_i cos(q_i, p_j), and Σ_i softmax(importance)_i · cos(q_i, p_j)
    marks(q, p)_j   = linear(p_j, like_j): the logits that an answer begins at token j, ends there, and that
                      the token is in the sentence that answers

Reading apart first is DeFormer's idea (Cao et al., 2020): a question's share is computed once for all the
passages of a call. MaxSim (Khattab and Zaharia, 2020) over vectors that have seen the other side ranks well
before any training, so a few thousand questions are enough to tune it. Only what was tuned is shipped; the
rest is the built-in encoder's own.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import gelu, linear, normalize, scaled_dot_product_attention

from ingestion.encoders.device import CPU, Placement
from ingestion.encoders.device_memory import device_memory, run_in_batches
from retrievers.reader.dimensions import (
    DIMENSION,
    HEADS,
    INNER,
    LAYERS,
    LIKENESS,
    LOWER_LAYERS,
    MARKS,
    pairs_at_once,
)

_HIDDEN = 128  # of the head that says whether a passage answers
_EPSILON = 1e-12
_SCALE = 20.0  # of cosines, before training
_NOTHING = -1e9  # instead of -inf, which makes a text without words no number
_AT_ONCE = 4  # passages that the lower layers read at a time; 16 take 1.2 times as long


class Readings(NamedTuple):
    """What the network makes of b pairs; a passage has at most p tokens.

    Attributes:
        relevance: [b]; higher is better.
        answers: [b], logits.
        marks: [b, p, 3], logits of the start, the end, and the sentence of the answer; what stands before and
            behind a passage's words has a very low one.
    """

    relevance: Tensor
    answers: Tensor
    marks: Tensor


class ReaderNetwork(nn.Module):
    """Reads pairs of a question and a passage, each given as what the lower layers made of it."""

    def __init__(self, encoder: Path) -> None:
        """Take over the weights of a MiniLM of six layers from its folder.

        Raises OSError and SafetensorError for a file that cannot be read, KeyError and RuntimeError for one
        with other weights.
        """
        super().__init__()
        weights = load_file(encoder / "model.safetensors")
        self.embeddings = _Embeddings(weights)
        layers = [_layer(weights, number) for number in range(LAYERS)]
        self.lower = nn.ModuleList(layers[:LOWER_LAYERS])
        self.upper = nn.ModuleList(layers[LOWER_LAYERS:])
        self.sides = nn.Parameter(torch.zeros(2, DIMENSION))  # added to question and to passage
        self.importance = nn.Linear(DIMENSION, 1)
        self.pair = nn.Linear(2 * DIMENSION, 1)
        self.scale = nn.Parameter(torch.tensor(_SCALE))
        decides = nn.Linear(_HIDDEN, 1)
        self.answers = nn.Sequential(nn.Linear(4 * DIMENSION, _HIDDEN), nn.GELU(), decides)
        self.marks = nn.Linear(DIMENSION + 2, MARKS)
        for head in (self.importance, self.pair, decides, self.marks):
            for parameter in head.parameters():
                nn.init.zeros_(parameter)
        nn.init.constant_(decides.bias, -_SCALE / 2)
        for parameter in (*self.embeddings.parameters(), *self.lower.parameters()):
            parameter.requires_grad = False

    def tuned(self) -> dict[str, Tensor]:
        """Return what training changes, by name."""
        return {
            name: value
            for name, value in self.state_dict().items()
            if not name.startswith(("embeddings.", "lower."))
        }

    def load_tuned(self, weights: Mapping[str, Tensor]) -> None:
        """Take over what training made. Raises KeyError and RuntimeError for anything else."""
        own = self.tuned()
        for name, value in own.items():
            value.copy_(weights[name])

    @torch.inference_mode()
    def read(self, texts: Sequence[Sequence[int]], at_once: int = _AT_ONCE) -> list[Tensor]:
        """Return what the lower layers make of texts, given as wordpiece ids with [CLS] and [SEP]:
        [t, 384] each. Texts of like length are read together, `at_once` of them."""
        device = self.scale.device
        states: dict[int, Tensor] = {}
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        for first in range(0, len(order), at_once):
            some = order[first : first + at_once]
            rows = [torch.tensor(texts[one], device=device) for one in some]
            ids = nn.utils.rnn.pad_sequence(rows, batch_first=True)
            padding = _padding([len(texts[one]) for one in some], device)
            hidden = self.embeddings(ids)
            for layer in self.lower.eval():
                hidden = layer(hidden, src_key_padding_mask=padding)
            for row, one in enumerate(some):
                states[one] = hidden[row, : len(texts[one])].clone()
        return [states[one] for one in range(len(texts))]

    def forward(self, questions: Sequence[Tensor], passages: Sequence[Tensor]) -> Readings:
        """Read b pairs. [CLS] and [SEP] take no part in MaxSim."""
        question = nn.utils.rnn.pad_sequence(list(questions), batch_first=True) + self.sides[0]
        passage = nn.utils.rnn.pad_sequence(list(passages), batch_first=True) + self.sides[1]
        padding = [_padding([len(one) for one in side], question.device) for side in (questions, passages)]
        hidden = torch.cat([question, passage], dim=1)
        both = torch.cat(padding, dim=1)
        for layer in self.upper:
            hidden = layer(hidden, src_key_padding_mask=both)
        asked, found = hidden[:, : question.shape[1]], hidden[:, question.shape[1] :]
        words = [_words(one) for one in padding]
        cosines = normalize(asked, dim=-1) @ normalize(found, dim=-1).transpose(1, 2)
        best = cosines.masked_fill(~words[1][:, None], -1.0).amax(-1)
        weights = self.importance(asked)[..., 0].masked_fill(~words[0], _NOTHING).softmax(-1)
        kept = (~padding[1])[..., None].to(found.dtype)
        mean = (found * kept).sum(1) / kept.sum(1)
        pair: Tensor = self.pair(torch.cat([asked[:, 0], mean], dim=-1))[..., 0]
        late: Tensor = self.scale * (weights * best).sum(-1)
        most = found.masked_fill(padding[1][..., None], -1e4).amax(1)
        answers: Tensor = self.answers(torch.cat([asked[:, 0], found[:, 0], mean, most], dim=-1))[..., 0]
        like = cosines.masked_fill(~words[0][..., None], -1.0).amax(1), (weights[..., None] * cosines).sum(1)
        marks = self.marks(torch.cat([found, LIKENESS * torch.stack(like, dim=-1)], dim=-1))
        return Readings(late + pair, late + pair + answers, marks.masked_fill(~words[1][..., None], _NOTHING))


class TorchReader:
    """The network as a function of wordpiece ids. Not for several threads at once."""

    def __init__(
        self, encoder: Path, tuned: Mapping[str, NDArray[np.float32]], placement: Placement = CPU
    ) -> None:
        self._placement = placement
        self._network = ReaderNetwork(encoder)
        self._network.load_tuned({name: torch.from_numpy(value) for name, value in tuned.items()})
        self._network.eval().to(placement.device)

    def __call__(
        self, question: Sequence[int], passages: Sequence[Sequence[int]]
    ) -> list[tuple[float, float, NDArray[np.float32]]]:
        """Return relevance, the logit of an answer, and marks [p, 3] of each passage."""
        size, at_once = len(passages), _AT_ONCE
        if not self._placement.is_cpu:
            size = at_once = pairs_at_once(self._placement, question, passages)
        return run_in_batches(passages, size, lambda some: self._read(question, some, at_once))

    def _read(
        self, question: Sequence[int], passages: Sequence[Sequence[int]], at_once: int
    ) -> list[tuple[float, float, NDArray[np.float32]]]:
        with device_memory(self._placement):
            read = self.readings(question, passages, at_once)
            marks = read.marks.cpu().numpy()
            return [
                (relevance, answers, marks[row, : len(passage)])
                for row, (relevance, answers, passage) in enumerate(
                    zip(read.relevance.tolist(), read.answers.tolist(), passages, strict=True)
                )
            ]

    @torch.inference_mode()
    def readings(
        self, question: Sequence[int], passages: Sequence[Sequence[int]], at_once: int = _AT_ONCE
    ) -> Readings:
        """Return what the network makes of the question with each passage, as tensors of the device."""
        asked, *found = self._network.read([question, *passages], at_once)
        read: Readings = self._network([asked] * len(found), found)
        return read


class _Embeddings(nn.Module):
    """What goes into the first layer: word and position, normalised."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.words = nn.Parameter(weights["embeddings.word_embeddings.weight"])
        kind = weights["embeddings.token_type_embeddings.weight"][0]
        self.positions = nn.Parameter(weights["embeddings.position_embeddings.weight"] + kind)
        self.norm = nn.LayerNorm(DIMENSION, eps=_EPSILON)
        self.norm.load_state_dict(
            {kind: weights[f"embeddings.LayerNorm.{kind}"] for kind in ("weight", "bias")}
        )

    def forward(self, ids: Tensor) -> Tensor:
        normed: Tensor = self.norm(self.words[ids] + self.positions[: ids.shape[1]])
        return normed


class _Layer(nn.TransformerEncoderLayer):
    """BERT's layer. torch's own fast path for what is not trained takes 1.5 times as long on a CPU."""

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,  # noqa: ARG002
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,  # noqa: ARG002
    ) -> Tensor:
        attention = self.self_attn
        inputs = linear(src, attention.in_proj_weight, attention.in_proj_bias)
        query, key, value = inputs.reshape(*src.shape[:2], 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        mask = None if src_key_padding_mask is None else ~src_key_padding_mask[:, None, None]
        attended = scaled_dot_product_attention(query, key, value, attn_mask=mask)
        hidden = self.norm1(src + attention.out_proj(attended.transpose(1, 2).flatten(2)))
        out: Tensor = self.norm2(hidden + self.linear2(gelu(self.linear1(hidden))))
        return out


def _layer(weights: Mapping[str, Tensor], number: int) -> _Layer:
    layer = _Layer(DIMENSION, HEADS, INNER, 0.0, "gelu", layer_norm_eps=_EPSILON, batch_first=True)
    name = f"encoder.layer.{number}"
    places = {
        "self_attn.out_proj": "attention.output.dense",
        "norm1": "attention.output.LayerNorm",
        "linear1": "intermediate.dense",
        "linear2": "output.dense",
        "norm2": "output.LayerNorm",
    }
    own: dict[str, Tensor] = {}
    for kind in ("weight", "bias"):
        inputs = [weights[f"{name}.attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
        own[f"self_attn.in_proj_{kind}"] = torch.cat(inputs)
        own |= {f"{ours}.{kind}": weights[f"{name}.{theirs}.{kind}"] for ours, theirs in places.items()}
    layer.load_state_dict(own)
    return layer


def _padding(lengths: Sequence[int], device: torch.device) -> Tensor:
    """Return [n, longest] bool: what lies behind each one's end."""
    places = torch.arange(max(lengths), device=device)
    return places[None] >= torch.tensor(lengths, device=device)[:, None]


def _words(padding: Tensor) -> Tensor:
    """Return [n, t] bool: what is neither padding, nor the [CLS] before nor the [SEP] behind the words."""
    words = ~padding
    words[torch.arange(len(words), device=words.device), words.sum(1) - 1] = False
    words[:, 0] = False
    return words
