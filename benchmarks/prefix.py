"""What the prompt-prefix cache spares a follow-up question.

    python benchmarks/prefix.py [--quick] [--json FILE]

prefix/TOKENS/prefill  seconds to read the prompt of a follow-up question, of which TOKENS are instructions
                       and evidence that the question before had too; peer: the same read from its beginning
prefix/TOKENS/read     tokens that are read; peer: likewise
prefix/prefill         tokens read in a second, without the cache

The model has the shape of a language model of half a billion parameters (24 layers, width 896, 14 heads, 2
of them for keys and values, Q8_0) and random weights: reading takes the same time whatever they are. It runs
in a child process, as in the application. The two take turns; in between another prompt empties the cache.
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from report import Result, arguments, compare, figure, publish

from rag_app.config.sampling import Sampling
from rag_app.llm.process.engine import BLOCK
from rag_app.llm.process.processors import default_threads
from rag_app.llm.process.supervisor import ModelProcess

sys.path.append(str(Path(__file__).parents[1]))
from tests.helpers.tiny_gguf import TinyModel, write_tiny_gguf  # the tests' writer of model files

HALF_A_BILLION = TinyModel(
    width=896,
    layers=24,
    head_size=64,
    kv_heads=2,
    inner=4864,
    more_words=65_000,
    context=8192,
    quantized=True,
)
QUICK_MODEL = TinyModel(
    width=896,
    layers=4,
    head_size=64,
    kv_heads=2,
    inner=4864,
    more_words=1000,
    context=4096,
    quantized=True,
)
SHARED, QUICK_SHARED = (500, 1500, 3000), (300,)  # tokens of instructions and evidence
RUNS, QUICK_RUNS = 7, 2
SENTENCE = "The ferry of the year was the one on the water in the rain. "
INSTRUCTIONS = "Answer from the sources below, and from nothing else."
QUESTIONS = ("When was the ferry in the rain?", "And where was the one on the water in that year?")
OTHER = "What is the name of the harbour?"


def run(quick: bool) -> tuple[list[Result], dict[str, Any]]:
    """Return the figures and the settings."""
    model = QUICK_MODEL if quick else HALF_A_BILLION
    runs = QUICK_RUNS if quick else RUNS
    results: list[Result] = []
    speeds: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        path = write_tiny_gguf(Path(folder) / "model.gguf", model)
        process = ModelProcess(path, context_tokens=model.context)
        try:
            for shared in QUICK_SHARED if quick else SHARED:
                again, anew = follow_ups(process, shared, runs)
                speeds += [done["prompt_tokens"] / done["read_s"] for done in anew]
                results += figures(shared, again, anew)
        finally:
            process.close()
    settings = {
        "model": {**asdict(model), "chat_template": "ChatML"},
        "block": BLOCK,
        "runs": runs,
        "quick": quick,
        "threads": default_threads(),
    }
    return [*results, figure("prefix/prefill", "tokens/s", speeds)], settings


def follow_ups(process: ModelProcess, shared: int, runs: int) -> tuple[list[Any], list[Any]]:
    """Read follow-up questions in turns with and without the cache; return what the worker says of each."""
    evidence = of_tokens(process, shared)
    first, second = (f"{INSTRUCTIONS}\n\n{evidence}\n\nQuestion: {question}" for question in QUESTIONS)
    again, anew = [], []
    for _ in range(runs):
        read(process, first)
        again.append(read(process, second))
        read(process, OTHER)
        anew.append(read(process, second))
    assert all(done["cached_tokens"] for done in again)
    assert not any(done["cached_tokens"] for done in anew)
    return again, anew


def of_tokens(process: ModelProcess, count: int) -> str:
    """Return text of about so many tokens."""
    return SENTENCE * max(1, round(count / process.count("count", text=SENTENCE)))


def read(process: ModelProcess, prompt: str) -> Any:
    """Have a prompt read and one token written; return what the worker says of it."""
    messages = [{"role": "user", "content": prompt}]
    *_, done = process.generate(
        messages=messages, max_tokens=1, sampling=asdict(Sampling()), stop=[], thinking=False
    )
    return done


def figures(shared: int, again: Sequence[Any], anew: Sequence[Any]) -> list[Result]:
    """Return the figures of one length."""
    times, peers = [done["read_s"] for done in again], [done["read_s"] for done in anew]
    tokens = [float(done["prompt_tokens"] - done["cached_tokens"]) for done in again]
    whole = [float(done["prompt_tokens"]) for done in anew]
    return [
        compare(f"prefix/{shared}/prefill", "s", times, peers, "no cache"),
        compare(f"prefix/{shared}/read", "tokens", tokens, whole, "no cache"),
    ]


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__).parse_args()
    results, settings = run(options.quick)
    publish(results, settings, options.json)


if __name__ == "__main__":
    main()
