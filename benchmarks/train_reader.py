"""Train the built-in reader and write its weights beside the code that reads them.

    RAG_EVAL_DATA=FOLDER RAG_TRAIN_DATA=FOLDER python benchmarks/train_reader.py MANUALS
                                               [--seed N] [--out FILE]

MANUALS has one folder for each unpacked package that `reader_manuals` names.

Of the encoder's six layers the last three are tuned, so that a file of 11 MB is enough. An example is a
question with one passage that answers it and several that do not: what `fusion` found (`reader_lists`),
passages of question sets (`reader_sources`), and hard negatives made from both (`reader_corruptions`). The
loss has four parts:

    order     cross-entropy of the right passage among all, by the relevance, and by the relevance plus the
              first stage's standardised score where there is one
    answers   binary cross-entropy: whether a passage answers
    sentence  binary cross-entropy of each token: whether it is in the sentence that answers
    span      cross-entropy of the answer's first and last token

The network is trained twice, with different shares of the kinds, and the weights are the mean of both: the
mean answers better than either (Wortsman et al., 2022, "Model soups"). It uses a GPU where there is one; on
two cores it takes less than two hours.
"""

import argparse
import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from reader_corruptions import corrupted, heading_line, of_another
from reader_examples import Example, Span, TrainingPassage, by_sentence
from reader_lists import list_examples
from reader_manuals import manuals
from reader_sources import source_examples
from report import evaluation_data
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, pad

from ingestion.encoders import builtin_encoder, builtin_model_folder
from rag_app.config.environment import stay_offline
from retrievers.reader import Wordpieces, weights_path
from retrievers.reader.network import ReaderNetwork, Readings

EXAMPLES_A_STEP = 6
WRONG = 3


@dataclass(frozen=True, slots=True)
class Course:
    """A course of training.

    Attributes:
        steps: The steps of the rate's whole course.
        stop: The step after which it ends.
        shares: How often each kind of example is drawn.
    """

    steps: int
    stop: int
    shares: Mapping[str, float]


# One with people's questions and question sets, which ends early, and one with manuals as well.
COURSES = (
    Course(
        2400,
        800,
        {
            "questions": 0.40,
            "cloze": 0.06,
            "topic": 0.06,
            "medquad": 0.13,
            "policyqa": 0.07,
            "tatqa": 0.18,
            "fetaqa": 0.06,
            "pubmedqa": 0.04,
        },
    ),
    Course(
        1800,
        1800,
        {
            "questions": 0.32,
            "headings": 0.12,
            "cloze": 0.05,
            "manual cloze": 0.05,
            "topic": 0.015,
            "manual topic": 0.015,
            "medquad": 0.10,
            "policyqa": 0.07,
            "tatqa": 0.18,
            "fetaqa": 0.06,
            "pubmedqa": 0.02,
        },
    ),
)
CORRUPTED = 0.5  # the share of examples with a hard negative made from text
BY_SENTENCE = 0.8  # the share that is asked of the right passage's sentences too
OF_ANOTHER = 0.25  # the share that is asked of another name or year too, which nothing answers
RATE, HEAD_RATE = 2e-4, 1e-3  # of layers, and of what is new
WARM_UP = 100
# What one standard deviation of the first stage's scores counts beside the relevance.
FIRST_STAGE_SHARE = 2.0
ALONE = 0.5  # the share of the loss by the relevance alone
SPAN_SHARE = 0.25
_AT_ONCE = 8  # pairs
_POOL = 8  # batches that are sorted by length together
_KEPT = 12_000  # passages whose lower layers are kept
_TOLD = 25


@dataclass(frozen=True, slots=True)
class Pair:
    """A question, a passage, and the passage's labels by token: a span is its first and its last token."""

    question: str
    passage: TrainingPassage
    spans: tuple[Span, ...]
    sentence: tuple[float, ...]


class Texts:
    """What the lower layers make of texts, kept in 16 bits: they are not tuned."""

    def __init__(self, network: ReaderNetwork) -> None:
        self._network = network
        self._wordpieces = Wordpieces(builtin_model_folder())
        self._kept: dict[str, Tensor] = {}

    def states(self, texts: Sequence[str]) -> list[Tensor]:
        new = [text for text in dict.fromkeys(texts) if text not in self._kept]
        read = self._network.read([one.ids for one in self._wordpieces(new)])
        found = self._kept | dict(zip(new, read, strict=True))
        for text, state in zip(new, read, strict=True):
            if len(self._kept) < _KEPT:
                self._kept[text] = state.half()
        return [found[text].float() for text in texts]

    def pair(self, question: str, passage: TrainingPassage) -> Pair:
        (read,) = self._wordpieces([passage.content])
        shift = len(passage.content) - len(passage.text)
        offsets = [(start - shift, end - shift) for start, end in read.offsets]
        spans: list[Span] = []
        for start, end in passage.spans:
            inside = [
                place
                for place, one in enumerate(offsets)
                if start < one[1] and one[0] < end and one[0] < one[1]
            ]
            if inside and offsets[inside[-1]][1] >= end:
                spans.append((inside[0], inside[-1]))
        sentence = tuple(
            float(
                any(start <= one[0] and one[1] <= end and one[0] < one[1] for start, end in passage.sentences)
            )
            for one in offsets
        )
        return Pair(question, passage, tuple(spans), sentence)

    def length(self, example: Example) -> int:
        return max(len(one.content) for one in example.passages)


def drawn(
    kinds: Mapping[str, Sequence[Example]], shares: Mapping[str, float], chance: random.Random
) -> Iterator[Example]:
    """Yield examples for ever: each kind as often as its share says, and all of it before any again."""
    left: dict[str, list[Example]] = {kind: [] for kind in shares}
    recent: list[str] = [kinds[kind][0].question for kind in shares]
    while True:
        (kind,) = chance.choices(list(shares), list(shares.values()))
        if not left[kind]:
            left[kind] = chance.sample(kinds[kind], len(kinds[kind]))
        example = _with_few(left[kind].pop(), chance)
        others = chance.sample(recent, min(len(recent), chance.randint(4, 9)))
        recent = [*recent[-200:], example.question]
        asks = not kind.endswith("topic") and example.passages[example.right[0]].answers
        if asks and chance.random() < OF_ANOTHER:
            another = of_another(example, others, chance)
            if another is not None:
                yield another
        yield corrupted(example, others, chance) if asks and chance.random() < CORRUPTED else example
        if asks and chance.random() < BY_SENTENCE:
            heading = [heading_line(example.question, chance)] if chance.random() < CORRUPTED else []
            single = by_sentence(example, heading, chance)
            if single is not None:
                yield single


def _with_few(example: Example, chance: random.Random) -> Example:
    """Return an example with one of its right passages, and a few wrong ones."""
    kept = [chance.choice(example.right), *chance.sample(example.wrong, min(WRONG, len(example.wrong)))]
    return Example(
        example.question,
        tuple(example.passages[place] for place in kept),
        (0,),
        tuple(range(1, len(kept))),
        tuple(example.scores[place] for place in kept) if example.scores else (),
    )


def batches(source: Iterator[Example]) -> Iterator[list[Example]]:
    """Yield batches of examples of like length."""
    while True:
        pool = sorted(
            (next(source) for _ in range(_POOL * EXAMPLES_A_STEP)),
            key=lambda example: sum(len(one.content) for one in example.passages),
        )
        for first in range(0, len(pool), EXAMPLES_A_STEP):
            yield pool[first : first + EXAMPLES_A_STEP]


def loss_of(network: ReaderNetwork, texts: Texts, batch: Sequence[Example]) -> dict[str, Tensor]:
    """Return the parts of a batch's loss."""
    pairs = [texts.pair(one.question, passage) for one in batch for passage in one.passages]
    questions = texts.states([pair.question for pair in pairs])
    read = _by_length(network, questions, texts.states([pair.passage.content for pair in pairs]))
    labels = [pair.passage.answers for pair in pairs]
    known = [place for place, label in enumerate(labels) if label is not None]
    return {
        "order": _order(read.relevance, batch),
        "answers": binary_cross_entropy_with_logits(
            read.answers[known],
            torch.tensor([float(bool(labels[place])) for place in known], device=read.answers.device),
        )
        if known
        else read.answers.sum() * 0,
        **_marks(read, pairs),
    }


def _by_length(network: ReaderNetwork, questions: Sequence[Tensor], passages: Sequence[Tensor]) -> Readings:
    """Read pairs of like length together, which takes half the time; the marks are padded to the longest."""
    order = sorted(range(len(passages)), key=lambda place: len(passages[place]))
    parts: list[Readings] = []
    for first in range(0, len(order), _AT_ONCE):
        some = order[first : first + _AT_ONCE]
        parts.append(network([questions[place] for place in some], [passages[place] for place in some]))
    longest = max(part.marks.shape[1] for part in parts)
    marks = [pad(part.marks, (0, 0, 0, longest - part.marks.shape[1])) for part in parts]
    back = torch.tensor(sorted(range(len(order)), key=lambda place: order[place]))
    return Readings(
        torch.cat([part.relevance for part in parts])[back],
        torch.cat([part.answers for part in parts])[back],
        torch.cat(marks)[back],
    )


def _order(relevance: Tensor, batch: Sequence[Example]) -> Tensor:
    total, count = relevance.sum() * 0, 0
    sizes = [len(one.passages) for one in batch]
    for own, one in zip(torch.split(relevance, sizes), batch, strict=True):
        if not one.right:
            continue
        right, count = torch.tensor([one.right[0]], device=own.device), count + 1
        if one.scores:
            first = torch.tensor(one.scores, device=own.device)
            total = total + cross_entropy((own + FIRST_STAGE_SHARE * first)[None], right)
        total = total + (ALONE if one.scores else 1.0) * cross_entropy(own[None], right)
    return total / max(count, 1)


def _marks(read: Readings, pairs: Sequence[Pair]) -> dict[str, Tensor]:
    """Return the loss of tokens in passages that answer."""
    sentence, span = [read.marks.sum() * 0], [read.marks.sum() * 0]
    for marks, pair in zip(read.marks, pairs, strict=True):
        own = marks[: len(pair.sentence)]
        if any(pair.sentence):
            words = slice(1, len(pair.sentence) - 1)
            wanted = torch.tensor(pair.sentence, device=own.device)[words]
            sentence.append(binary_cross_entropy_with_logits(own[words, 2], wanted))
        if pair.spans:
            for mark in (0, 1):
                places = torch.tensor(sorted({one[mark] for one in pair.spans}), device=own.device)
                span.append(-own[:, mark].log_softmax(0)[places].logsumexp(0) / 2)
    return {
        "sentence": torch.stack(sentence).sum() / max(len(sentence) - 1, 1),
        "span": SPAN_SHARE * torch.stack(span).sum() / max((len(span) - 1) / 2, 1),
    }


def train(kinds: Mapping[str, Sequence[Example]], course: Course, seed: int) -> ReaderNetwork:
    """Return the network after a course."""
    torch.manual_seed(seed)
    chance = random.Random(seed)
    network = ReaderNetwork(builtin_model_folder()).to("cuda" if torch.cuda.is_available() else "cpu")
    texts = Texts(network)
    new = [
        parameter
        for name, parameter in network.named_parameters()
        if not name.startswith(("embeddings.", "lower.", "upper."))
    ]
    optimiser = torch.optim.AdamW(
        [
            {"params": list(network.upper.parameters()), "lr": RATE, "weight_decay": 0.01},
            {"params": new, "lr": HEAD_RATE, "weight_decay": 0.0},
        ]
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / WARM_UP) * max(0.02, 1 - step / course.steps)
    )
    source = batches(drawn(kinds, course.shares, chance))
    network.train()
    started, told, pairs = time.monotonic(), dict[str, float](), 0
    for step in range(1, course.stop + 1):
        batch = next(source)
        pairs += sum(len(one.passages) for one in batch)
        parts = loss_of(network, texts, batch)
        optimiser.zero_grad()
        torch.stack(list(parts.values())).sum().backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_([*network.upper.parameters(), *new], 1.0)
        optimiser.step()
        schedule.step()
        told = {name: told.get(name, 0.0) + value.item() for name, value in parts.items()}
        if step % _TOLD == 0:
            losses = ", ".join(f"{name} {value / _TOLD:.3f}" for name, value in told.items())
            print(
                f"step {step} of {course.stop}: {losses}; {pairs} pairs, {time.monotonic() - started:.0f} s",
                flush=True,
            )
            told = {}
    return network.cpu().eval()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manuals", type=Path, metavar="MANUALS")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=weights_path(), metavar="FILE")
    options = parser.parse_args()
    data = evaluation_data()
    stay_offline()
    torch.set_num_threads(os.cpu_count() or 1)
    chance = random.Random(options.seed)
    kinds = {
        **list_examples(data, manuals(options.manuals, options.seed), builtin_encoder(), options.seed),
        **source_examples(Path(os.environ["RAG_TRAIN_DATA"]), chance),
    }
    print(", ".join(f"{len(some)} {kind}" for kind, some in kinds.items()), flush=True)
    made = [train(kinds, course, options.seed).tuned() for course in COURSES]
    mean = {name: torch.stack([one[name].float() for one in made]).mean(0) for name in made[0]}
    tuned = {name: value.half().contiguous() for name, value in mean.items()}
    save_file(tuned, options.out, {"seed": str(options.seed)})


if __name__ == "__main__":
    main()
