"""The built-in reranker's network: the encoder's lower layers read question and passage apart, its upper
layers read them together, and MaxSim compares what comes out.

    score(q, p) = scale · Σ_i softmax(importance)_i · max_j cos(q_i, p_j) + pair(q_[CLS], mean of p)

Reading apart first is DeFormer's idea (Cao et al., 2020): a question's share is computed once for all the
passages of a call. MaxSim (Khattab and Zaharia, 2020) over vectors that have seen the other side ranks well
before any training, so a few thousand questions are enough to tune it. Only what was tuned is shipped; the
rest is the built-in encoder's own.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import gelu, linear, normalize, scaled_dot_product_attention

DIMENSION = 384
HEADS = 12
LAYERS = 6
LOWER_LAYERS = 4  # the rest makes a file of 7 MB in 16 bits
_INNER = 1536
_EPSILON = 1e-12
_DROPOUT = 0.1  # while training
_SCALE = 20.0  # of cosines, before training
_NOTHING = -1e9  # instead of -inf, which makes a text without words no number
_AT_ONCE = 4  # passages that the lower layers read at a time; 16 take 1.2 times as long


class RerankerNetwork(nn.Module):
    """Scores pairs of a question and a passage, each given as what the lower layers made of it."""

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
        for parameter in (*self.importance.parameters(), *self.pair.parameters()):
            nn.init.zeros_(parameter)
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
    def read(self, texts: Sequence[Sequence[int]]) -> list[Tensor]:
        """Return what the lower layers make of texts, given as wordpiece ids with [CLS] and [SEP]:
        [t, 384] each. Texts of like length are read together."""
        states = [torch.empty(0)] * len(texts)
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        for first in range(0, len(order), _AT_ONCE):
            some = order[first : first + _AT_ONCE]
            ids = nn.utils.rnn.pad_sequence([torch.tensor(texts[one]) for one in some], batch_first=True)
            padding = _padding([len(texts[one]) for one in some])
            hidden = self.embeddings(ids)
            for layer in self.lower.eval():
                hidden = layer(hidden, src_key_padding_mask=padding)
            for row, one in enumerate(some):
                states[one] = hidden[row, : len(texts[one])].clone()
        return states

    def forward(self, questions: Sequence[Tensor], passages: Sequence[Tensor]) -> Tensor:
        """Return [b] scores of b pairs; higher is better. [CLS] and [SEP] take no part in MaxSim."""
        question = nn.utils.rnn.pad_sequence(list(questions), batch_first=True) + self.sides[0]
        passage = nn.utils.rnn.pad_sequence(list(passages), batch_first=True) + self.sides[1]
        padding = [_padding([len(one) for one in side]) for side in (questions, passages)]
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
        return late + pair


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
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        if self.training:
            return super().forward(src, src_mask, src_key_padding_mask, is_causal)
        attention = self.self_attn
        inputs = linear(src, attention.in_proj_weight, attention.in_proj_bias)
        query, key, value = inputs.reshape(*src.shape[:2], 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        mask = None if src_key_padding_mask is None else ~src_key_padding_mask[:, None, None]
        attended = scaled_dot_product_attention(query, key, value, attn_mask=mask)
        hidden = self.norm1(src + attention.out_proj(attended.transpose(1, 2).flatten(2)))
        out: Tensor = self.norm2(hidden + self.linear2(gelu(self.linear1(hidden))))
        return out


def _layer(weights: Mapping[str, Tensor], number: int) -> _Layer:
    layer = _Layer(DIMENSION, HEADS, _INNER, _DROPOUT, "gelu", layer_norm_eps=_EPSILON, batch_first=True)
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


def _padding(lengths: Sequence[int]) -> Tensor:
    """Return [n, longest] bool: what lies behind each one's end."""
    return torch.arange(max(lengths))[None] >= torch.tensor(lengths)[:, None]


def _words(padding: Tensor) -> Tensor:
    """Return [n, t] bool: what is neither padding, nor the [CLS] before nor the [SEP] behind the words."""
    words = ~padding
    words[torch.arange(len(words)), words.sum(1) - 1] = False
    words[:, 0] = False
    return words
