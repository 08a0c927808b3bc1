"""A language model in the application beside llama.cpp's Python binding used plainly.

    python benchmarks/language_model.py [--model FILE.gguf] [--quick] [--json FILE]

model/prefill      tokens of the prompt that are read in a second
model/first-token  seconds from the question to the first text
model/write        tokens that are written in a second, after the first
model/memory       MiB, the most that the process with the model held
model/4-askers     tokens written in a second, reading included, for prompts asked at once and answered
                   one after the other; peer: four of them as sequences of one llama.cpp context
pass/N-tokens      seconds of a forward pass that reads N tokens and gives N distributions, as decoding with
                   guessed tokens needs; peer: a pass of one token. A ratio of 3 means that 3 tokens of each
                   pass must be right before anything is gained
lookup/LENGTH      tokens of an answer that a pass gives that also reads LENGTH - 1 guesses: those that
                   followed the last two or three tokens the time before ("prompt lookup"). The answers are to
                   questions about the passages. As many tokens as `pass/LENGTH-tokens` costs gain nothing
prefill/VARIANT    tokens read in a second with flash attention, or with keys and values of 8 bits besides;
                   peer: with neither, as in the application

The application runs llama.cpp in a child process and streams through LangChain. The binding used plainly is
`llama_cpp.Llama(path).create_completion(…, stream=True)` in a process of its own, with as many threads. Both
get the same tokens, choose the likeliest token each time, and take turns. Each prompt begins in its own
way, so that no cache spares a part of it. Without --model it is Gemma 3 270M, of the extra `gemma`.
"""

import contextlib
import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from report import Result, arguments, compare, evaluation_data, figure, publish

from rag_app.config.settings import Settings
from rag_app.llm.base import plain
from rag_app.llm.llama import LlamaCpp
from rag_app.llm.process.native_log import NativeLog
from rag_app.llm.process.plain_text import STOPS
from rag_app.llm.process.processors import default_threads
from rag_app.llm.process.vocabulary import Vocabulary
from rag_app.model_store import resolve
from rag_app.model_store.store import ModelStore

NAME = "gemma-3-270m"
CONTEXT = 4096
WRITTEN = 96  # tokens of an answer at most
PROMPTS, QUICK_PROMPTS = 12, 4
PASSAGES = 6
ASKERS = 4
BATCH = 512
# A model that completes text answers at length where an example does.
TASK = "What does source 1 say?"


def main() -> None:
    """Measure and print; with --peer be the other side."""
    parser = arguments(__doc__)
    parser.add_argument("--model", type=Path, metavar="FILE", help="a GGUF file")
    parser.add_argument("--peer", action="store_true", help="answer the prompts of standard input, plainly")
    options = parser.parse_args()
    if options.peer:
        serve_plainly(options.model)
        return
    with tempfile.TemporaryDirectory() as folder:
        model = options.model or pulled(Path(folder))
        results, settings = run(model, QUICK_PROMPTS if options.quick else PROMPTS)
    publish(results, {**settings, "quick": options.quick}, options.json)


def pulled(folder: Path) -> Path:
    """Put the packaged model into a folder of models, and return its file."""
    store = ModelStore(Settings(data_dir=folder))
    store.pull(NAME)
    return resolve(NAME, role="llm", folder=store.folder)


def run(model: Path, count: int) -> tuple[list[Result], dict[str, Any]]:
    """Return the figures and the settings."""
    prompts = list(messages(count))
    vocabulary = Vocabulary(str(model), NativeLog())
    tokens = [vocabulary.prompt(plain(prompt)).tokens for prompt in prompts]
    ours: list[dict[str, float]] = []
    peers: list[dict[str, float]] = []
    with LlamaCpp(model_path=model, context_tokens=CONTEXT, max_tokens=WRITTEN) as mine, peer(model) as ask:
        stream(mine, [HumanMessage("Hello")])  # loads the model
        ask(tokens[0][:8])
        for number, prompt in enumerate(prompts):
            turns = [lambda p=prompt: ours.append(stream(mine, p)),
                     lambda n=number: peers.append(ask(tokens[n]))]  # fmt: skip
            for turn in turns if number % 2 else reversed(turns):
                turn()
        memory = ([peak_memory(mine.pid)], [ask([])["memory"]])
    lengths = [len(one) for one in tokens]
    results = [
        compare("model/prefill", "tokens/s", *rates(lengths, ours, peers, "first"), "binding"),
        compare("model/first-token", "s", *each("first", ours, peers), "binding"),
        compare("model/write", "tokens/s", *each("rate", ours, peers), "binding"),
        compare("model/memory", "MiB", *memory, "binding"),
    ]
    one_by_one = sum(one["tokens"] for one in ours) / sum(one["first"] + one["writing"] for one in ours)
    together = [in_parallel(model, tokens[start : start + ASKERS]) for start in range(0, count, ASKERS)]
    results.append(compare("model/4-askers", "tokens/s", [one_by_one], together, "4 sequences"))
    results += variants(model, tokens)
    asked = [vocabulary.prompt(plain(prompt)).tokens for prompt in messages(count, asks=True)]
    results += lookups(model, asked)
    settings = {
        "model": model.name, "prompts": count, "tokens of a prompt": [min(lengths), max(lengths)],
        "written at most": WRITTEN, "threads": default_threads(), "llama-cpp-python": llama_cpp.__version__,
    }  # fmt: skip
    return results, settings


def messages(count: int, *, asks: bool = False) -> Iterator[list[BaseMessage]]:
    """Yield prompts of numbered passages, each with a beginning of its own.

    Args:
        asks: The last message asks something about its first source, rather than what it says.
    """
    folder = evaluation_data() / "xquad-en"
    passages = lines_of(folder / "corpus.jsonl")
    questions = {one["_id"]: one["text"] for one in lines_of(folder / "queries.jsonl")}
    with next((folder / "qrels").iterdir()).open(encoding="utf-8", newline="") as rows:
        about = {row["corpus-id"]: questions[row["query-id"]] for row in csv.DictReader(rows, delimiter="\t")}
    for number in range(count):
        first, *chosen = (one["text"] for one in passages[number * PASSAGES : (number + 1) * PASSAGES])
        task = about[passages[number * PASSAGES + 1]["_id"]] if asks else TASK
        sources = "\n\n".join(f"Source {place}:\n{text}" for place, text in enumerate(chosen, 1))
        yield [
            SystemMessage(f"Task {number}: sources are copied."),
            HumanMessage(f"Source 1:\n{first}\n\nQuestion: {TASK}"),
            AIMessage(first),
            HumanMessage(f"{sources}\n\nQuestion: {task}"),
        ]


def lines_of(file: Path) -> list[dict[str, Any]]:
    """Return the values of a file of JSON lines."""
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def stream(model: LlamaCpp, prompt: list[BaseMessage]) -> dict[str, float]:
    """Have the application's model answer; return seconds to the first text, tokens, and tokens a second."""
    started = time.perf_counter()
    first = 0.0
    count = 0
    for chunk in model.stream(prompt):
        if chunk.text and not first:
            first = time.perf_counter() - started
        if chunk.usage_metadata:
            count += chunk.usage_metadata["output_tokens"]
    return timed(first, count, time.perf_counter() - started)


def timed(first: float, count: int, whole: float) -> dict[str, float]:
    """Return what was measured of one answer."""
    writing = max(whole - first, 1e-9)
    return {"first": first, "tokens": float(count), "writing": writing, "rate": max(0, count - 1) / writing}


@contextlib.contextmanager
def peer(model: Path) -> Iterator[Any]:
    """Start the plain binding; give a function that has it answer a prompt's tokens."""
    command = [sys.executable, __file__, "--peer", "--model", str(model)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        to, of = process.stdin, process.stdout
        assert to
        assert of

        def ask(tokens: Sequence[int]) -> dict[str, float]:
            print(json.dumps(list(tokens)), file=to, flush=True)
            reply: dict[str, float] = json.loads(of.readline())
            return reply

        yield ask
        to.close()


def serve_plainly(model: Path) -> None:
    """Answer each line of tokens with what was measured; an empty one with the peak of memory."""
    threads = default_threads()
    llm = llama_cpp.Llama(
        str(model), n_ctx=CONTEXT, n_threads=threads, n_threads_batch=threads, verbose=False
    )
    for line in sys.stdin:
        tokens = json.loads(line)
        if not tokens:
            print(json.dumps({"memory": peak_memory("self")}), flush=True)
            continue
        started = time.perf_counter()
        first, count = 0.0, 0
        for _ in llm.create_completion(
            tokens, max_tokens=WRITTEN, temperature=0.0, stop=list(STOPS), stream=True
        ):
            first = first or time.perf_counter() - started
            count += 1
        # The last piece has no text, only the reason of the end.
        print(json.dumps(timed(first, count - 1, time.perf_counter() - started)), flush=True)


def variants(model: Path, prompts: Sequence[Sequence[int]]) -> list[Result]:
    """Measure what llama.cpp could do otherwise: longer passes, flash attention, a smaller cache."""
    eight_bits = llama_cpp.GGML_TYPE_Q8_0
    options: dict[str, dict[str, Any]] = {
        "plain": {},
        "flash": {"flash_attn": True},
        "flash-8-bit-cache": {"flash_attn": True, "type_k": eight_bits, "type_v": eight_bits},
    }
    reading: dict[str, list[float]] = {name: [] for name in options}
    passes: dict[int, list[float]] = {1: [], 4: [], 8: []}
    threads = default_threads()
    models: dict[str, Any] = {
        name: llama_cpp.Llama(
            str(model), n_ctx=CONTEXT, n_threads=threads, n_threads_batch=threads, verbose=False, **chosen
        )
        for name, chosen in options.items()
    }
    for prompt in prompts:
        for name, llm in models.items():
            llm._ctx.kv_cache_clear()
            started = time.perf_counter()
            for start in range(0, len(prompt), BATCH):
                part = enumerate(prompt[start : start + BATCH], start)
                decode(llm.ctx, [(token, place, 0) for place, token in part])
            llama_cpp.llama_synchronize(llm.ctx)
            reading[name].append(len(prompt) / (time.perf_counter() - started))
        plain, end = models["plain"], len(prompt)
        for count, seconds in passes.items():
            started = time.perf_counter()
            following = enumerate(prompt[:count], end)
            decode(plain.ctx, [(token, place, 0) for place, token in following], all_logits=True)
            llama_cpp.llama_synchronize(plain.ctx)
            seconds.append(time.perf_counter() - started)
            plain._ctx.kv_cache_seq_rm(0, end, -1)
    for llm in models.values():
        llm.close()
    plainly = reading.pop("plain")
    return [
        *(compare(f"pass/{count}-tokens", "s", passes[count], passes[1], "1 token") for count in (4, 8)),
        *(compare(f"prefill/{name}", "tokens/s", rates, plainly, "plain") for name, rates in reading.items()),
    ]


def lookups(model: Path, prompts: Sequence[Sequence[int]]) -> list[Result]:
    """Count how many tokens a pass would give that also reads guesses from the text before."""
    threads = default_threads()
    llm = llama_cpp.Llama(
        str(model), n_ctx=CONTEXT, n_threads=threads, n_threads_batch=threads, verbose=False
    )
    a_pass: dict[int, list[float]] = {4: [], 8: []}
    for prompt in prompts:
        pieces: Any = llm.create_completion(
            list(prompt), max_tokens=WRITTEN, temperature=0.0, stop=list(STOPS), stream=True
        )
        text = "".join(piece["choices"][0]["text"] for piece in pieces)
        answer = llm.tokenize(text.encode(), add_bos=False)
        for length, rates in a_pass.items():
            rates.append(len(answer) / max(1, passes_with_lookup(prompt, answer, length)))
    llm.close()
    return [figure(f"lookup/{length}", "tokens a pass", rates) for length, rates in a_pass.items()]


def passes_with_lookup(prompt: Sequence[int], answer: Sequence[int], length: int) -> int:
    """Return the passes that write an answer where each reads a token and the guesses behind it."""
    known, written, passes = list(prompt), 0, 0
    while written < len(answer):
        guesses = guessed(known, length - 1)
        right = next((n for n, one in enumerate(guesses) if answer[written + n : written + n + 1] != [one]),
                     len(guesses))  # fmt: skip
        step = min(right + 1, len(answer) - written)
        known += answer[written : written + step]
        written, passes = written + step, passes + 1
    return passes


def guessed(known: Sequence[int], count: int) -> Sequence[int]:
    """Return the tokens that followed the last three, or two, the last time before."""
    for width in (3, 2):
        ending = known[-width:]
        for place in range(len(known) - width - 1, -1, -1):
            if known[place : place + width] == ending:
                return known[place + width : place + width + count]
    return []


def in_parallel(model: Path, prompts: Sequence[Sequence[int]]) -> float:
    """Read prompts and write their answers in one context, a token of each answer in one pass.

    Returns:
        The tokens written in a second, reading included.
    """
    llm = llama_cpp.Llama(str(model), n_ctx=8, verbose=False)
    parameters = llama_cpp.llama_context_default_params()
    parameters.n_ctx, parameters.n_seq_max = CONTEXT * len(prompts), len(prompts)
    parameters.n_threads = parameters.n_threads_batch = default_threads()
    context = llama_cpp.llama_init_from_model(llm._model.model, parameters)
    size = llm.n_vocab()
    last = []
    started = time.perf_counter()
    for sequence, prompt in enumerate(prompts):
        for start in range(0, len(prompt), BATCH):
            part = list(enumerate(prompt[start : start + BATCH], start))
            decode(context, [(token, place, sequence) for place, token in part])
        last.append(likeliest(context, len(part) - 1, size))
    for step in range(WRITTEN):
        decode(
            context,
            [(token, len(prompts[sequence]) + step, sequence) for sequence, token in enumerate(last)],
            all_logits=True,
        )
        last = [likeliest(context, place, size) for place in range(len(prompts))]
    seconds = time.perf_counter() - started
    llama_cpp.llama_free(context)
    llm.close()
    return WRITTEN * len(prompts) / seconds


def decode(context: Any, tokens: Sequence[tuple[int, int, int]], *, all_logits: bool = False) -> None:
    """Read tokens, each with its place and its sequence."""
    batch = llama_cpp.llama_batch_init(len(tokens), 0, 1)
    batch.n_tokens = len(tokens)
    for number, (token, place, sequence) in enumerate(tokens):
        batch.token[number], batch.pos[number] = token, place
        batch.n_seq_id[number], batch.seq_id[number][0] = 1, sequence
        batch.logits[number] = all_logits or number == len(tokens) - 1
    assert llama_cpp.llama_decode(context, batch) == 0
    llama_cpp.llama_batch_free(batch)


def likeliest(context: Any, place: int, size: int) -> int:
    """Return the likeliest token after the token at a place of the last pass."""
    logits = llama_cpp.llama_get_logits_ith(context, place)
    return int(np.ctypeslib.as_array(logits, (size,)).argmax())


def peak_memory(process: int | str | None) -> float:
    """Return the most memory that a process held, in MiB."""
    for line in Path(f"/proc/{process}/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no peak of memory is known of process {process}")


def each(
    key: str, ours: Sequence[dict[str, float]], peers: Sequence[dict[str, float]]
) -> tuple[list[float], list[float]]:
    """Return one figure of the answers that both wrote at some length."""
    pairs = [(a[key], b[key]) for a, b in zip(ours, peers, strict=True) if min(a["tokens"], b["tokens"]) > 8]
    return [a for a, _ in pairs], [b for _, b in pairs]


def rates(
    lengths: Sequence[int], ours: Sequence[dict[str, float]], peers: Sequence[dict[str, float]], key: str
) -> tuple[list[float], list[float]]:
    """Return tokens a second of the prompts."""
    return (
        [length / one[key] for length, one in zip(lengths, ours, strict=True)],
        [length / one[key] for length, one in zip(lengths, peers, strict=True)],
    )


if __name__ == "__main__":
    main()
