"""Train the built-in reranker and write its weights beside the code that reads them.

    RAG_EVAL_DATA=FOLDER python benchmarks/train_reranker.py [--steps N] [--seed N] [--out FILE]

Of the encoder's six layers the last two are tuned, so that a file of 7 MB is enough. An example is one right
passage and six wrong ones of what `fusion` found (`reranker_examples`); the loss is the cross-entropy of the
right one by the reranker's score plus the first stage's standardised one, and half of that by the reranker's
score alone. Half an hour on two cores.
"""

import argparse
import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from report import evaluation_data
from reranker_examples import Example, examples
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import cross_entropy

from ingestion.encoders import builtin_encoder, builtin_model_folder
from rag_app.config.environment import stay_offline
from retrievers.reader import Wordpieces, weights_path
from retrievers.reader.network import RerankerNetwork

EXAMPLES_A_STEP = 4
WRONG = 6
# How often each kind is drawn.
SHARES = {"questions": 0.5, "cloze": 0.3, "topic": 0.2}
RATE, HEAD_RATE = 5e-5, 2.5e-4  # of layers, and of what is new
WARM_UP = 100
# What one standard deviation of the first stage's scores counts beside the reranker's score. When reranking
# it counts more (`FIRST_STAGE_WEIGHT`), which was found afterwards.
FIRST_STAGE_SHARE = 2.0
ALONE = 0.5  # the share of the loss by the reranker's score alone
_TOLD = 50


def drawn(kinds: Mapping[str, Sequence[Example]], chance: random.Random) -> Iterator[Example]:
    """Yield examples for ever: each kind as often as its share says, and all of it before any again."""
    left: dict[str, list[Example]] = {kind: [] for kind in kinds}
    while True:
        (kind,) = chance.choices(list(SHARES), list(SHARES.values()))
        if not left[kind]:
            left[kind] = chance.sample(kinds[kind], len(kinds[kind]))
        yield left[kind].pop()


class States:
    """What the lower layers make of texts, kept in 16 bits: they are not tuned."""

    def __init__(self, network: RerankerNetwork) -> None:
        self._network = network
        self._wordpieces = Wordpieces(builtin_model_folder())
        self._kept: dict[str, Tensor] = {}

    def of(self, texts: Sequence[str]) -> list[Tensor]:
        new = [text for text in dict.fromkeys(texts) if text not in self._kept]
        for text, state in zip(new, self._network.read(self._wordpieces(new)), strict=True):
            self._kept[text] = state.half()
        return [self._kept[text].float() for text in texts]


def loss_of(
    network: RerankerNetwork, states: States, batch: Sequence[Example], chance: random.Random
) -> Tensor:
    questions: list[Tensor] = []
    passages: list[Tensor] = []
    scores: list[Tensor] = []
    for one in batch:
        places = [chance.choice(one.right), *chance.sample(one.wrong, min(WRONG, len(one.wrong)))]
        passages += states.of([one.passages[place] for place in places])
        questions += states.of([one.question]) * len(places)
        scores.append(torch.tensor([one.scores[place] for place in places]))
    found = network(questions, passages).split([len(one) for one in scores])
    right = torch.zeros(1, dtype=torch.long)
    total = torch.zeros(())
    for own, first in zip(found, scores, strict=True):
        total = total + cross_entropy((own + FIRST_STAGE_SHARE * first)[None], right)
        total = total + ALONE * cross_entropy(own[None], right)
    return total / len(batch)


def train(kinds: Mapping[str, Sequence[Example]], steps: int, seed: int) -> RerankerNetwork:
    torch.manual_seed(seed)
    chance = random.Random(seed)
    network = RerankerNetwork(builtin_model_folder())
    states = States(network)
    new = [network.sides, network.scale, *network.importance.parameters(), *network.pair.parameters()]
    optimiser = torch.optim.AdamW(
        [
            {"params": list(network.upper.parameters()), "lr": RATE, "weight_decay": 0.01},
            {"params": new, "lr": HEAD_RATE, "weight_decay": 0.0},
        ]
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / WARM_UP) * max(0.02, 1 - step / steps)
    )
    source = drawn(kinds, chance)
    network.train()
    started, told = time.monotonic(), 0.0
    for step in range(1, steps + 1):
        loss = loss_of(network, states, [next(source) for _ in range(EXAMPLES_A_STEP)], chance)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_([*network.upper.parameters(), *new], 1.0)
        optimiser.step()
        schedule.step()
        told += loss.item()
        if step % _TOLD == 0:
            print(f"step {step} of {steps}: loss {told / _TOLD:.3f}, {time.monotonic() - started:.0f} s")
            told = 0.0
    return network.eval()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=weights_path(), metavar="FILE")
    options = parser.parse_args()
    data = evaluation_data()
    stay_offline()
    torch.set_num_threads(os.cpu_count() or 1)
    kinds = examples(data, builtin_encoder(), options.seed)
    print(", ".join(f"{len(some)} {kind}" for kind, some in kinds.items()))
    network = train(kinds, options.steps, options.seed)
    tuned = {name: value.half().contiguous() for name, value in network.tuned().items()}
    save_file(tuned, options.out, {"steps": str(options.steps), "seed": str(options.seed)})


if __name__ == "__main__":
    main()
