"""Peak memory of ingestion: one long document, many small ones, and a table that grows as it is read.

    python benchmarks/memory.py [--quick] [--vectors model|random] [--case CASE …] [--json FILE]

A case is `text:CHARACTERS`, `files:COUNT` or `csv:ROWS`. Each runs in a process of its own. Peaks are above
the memory of that process when it is idle: its library is open and has a document, its model has answered.
`parent` is the largest resident set of the process itself, `family` the largest sum over it and the children
that parse, pages that processes share counted once.

With random vectors the model is not run: they have the model's number and shape, in a fraction of its time.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from ingest import family, proportional_memory
from report import Result, arguments, figure, publish

from ingestion.encoders import Encoder, builtin_encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from rag_app.config.environment import stay_offline

CASES = ("text:2000000", "text:4000000", "text:8000000", "text:50000000", "files:10000", "csv:34580")
QUICK_CASES = ("text:250000", "text:500000", "files:50", "csv:300")
VECTORS = ("model", "random")

SENTENCES = Path(__file__).parent.parent / "ingestion" / "encoders" / "sentences.txt"
PARAGRAPH = 5  # sentences
SMALL_CHARACTERS = 3_000  # of a small file
# Names that make a short row a long passage: 2.3 MB of such rows are 34,580 chunks.
COLUMNS = [f"{what} of the reporting segment, in thousands of dollars, before adjustments" for what in (
    "Operating revenue", "Cost of goods sold", "Depreciation and amortisation", "Interest expense",
    "Income tax provision", "Net income attributable", "Total assets", "Total liabilities",
)]  # fmt: skip
POOL = 4096


def write_text(folder: Path, characters: int) -> list[Path]:
    """Write one text of so many characters."""
    file = folder / "long.txt"
    with file.open("w", encoding="utf-8") as stream:
        left = characters
        for paragraph in paragraphs(0):
            left -= stream.write(paragraph[: max(left, 0)])
            if left <= 0:
                return [file]
    return [file]


def write_files(folder: Path, count: int) -> list[Path]:
    """Write so many small texts."""
    for number in range(count):
        text = ""
        for paragraph in paragraphs(number + 1):
            text += paragraph
            if len(text) > SMALL_CHARACTERS:
                break
        (folder / f"{number:05}.txt").write_text(text, "utf-8")
    return [folder]


def write_table(folder: Path, rows: int) -> list[Path]:
    """Write a table of so many rows, 67 bytes each."""
    values = random.Random(0)
    file = folder / "table.csv"
    with file.open("w", encoding="utf-8") as stream:
        stream.write(",".join(f'"{name}"' for name in COLUMNS) + "\n")
        for _ in range(rows):
            stream.write(",".join(f"{values.randrange(10**7):07}" for _ in COLUMNS) + "\n")
    return [file]


WRITERS: dict[str, Callable[[Path, int], list[Path]]] = {
    "text": write_text,
    "files": write_files,
    "csv": write_table,
}


def paragraphs(seed: int) -> Iterator[str]:
    """Yield paragraphs without end, of sentences of random words."""
    choose = random.Random(seed)
    words = sorted({word.strip(".,;:()\"'") for word in SENTENCES.read_text("utf-8").split()} - {""})
    while True:
        sentences = (" ".join(choose.choices(words, k=choose.randint(8, 30))) for _ in range(PARAGRAPH))
        yield "\n".join(f"{sentence.capitalize()}." for sentence in sentences) + "\n\n"


def random_vectors(encoder: Encoder) -> None:
    """Let an encoder tokenise as ever, and take random vectors for those of its model."""
    choose = np.random.default_rng(0)

    def units(dimension: int) -> Any:
        vectors = choose.normal(size=(POOL, dimension)).astype(np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    pooled, tokens = units(encoder.dimension), units(encoder.token_dimension)

    def forward(ids: Any, _: Any) -> tuple[Any, Any, Any]:
        rows = ids.sum(axis=1)
        return pooled[rows % POOL], pooled[(rows + 1) % POOL], tokens[ids % POOL]

    vars(encoder)["_forward"] = forward


def run_case(case: str, vectors: str) -> None:
    """Ingest a case's files; say on stdout when idle and at the end, wait for an answer when idle."""
    kind, _, size = case.partition(":")
    encoder = builtin_encoder("int8")
    if vectors == "random":
        random_vectors(encoder)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "files"
        folder.mkdir()
        files = WRITERS[kind](folder, int(size))
        warm = Path(place) / "warm.txt"
        warm.write_text(next(paragraphs(-1)), "utf-8")
        with Library.open(Path(place) / "library", encoder) as library:
            list(ingest(library, [warm]))
            Path("/proc/self/clear_refs").write_text("5", "ascii")  # the peak begins here
            print(json.dumps({"idle": own_memory("VmRSS")}), flush=True)
            sys.stdin.readline()
            started = time.perf_counter()
            results = list(ingest(library, files))
            seconds = time.perf_counter() - started
            library.merger.wait()
    statuses = sorted({str(result.status) for result in results})
    chunks = sum(result.chunks for result in results)
    found = {"peak": own_memory("VmHWM"), "seconds": seconds, "chunks": chunks, "statuses": statuses}
    print(json.dumps(found), flush=True)


def own_memory(field: str) -> float:
    """Return a field of this process's status in MiB."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def measure(case: str, vectors: str) -> dict[str, Any]:
    """Run a case in a process of its own; return its figures with the peaks above idle, in MiB."""
    command = [sys.executable, __file__, "--vectors", vectors, "--run", case]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        idle = json.loads(process.stdout.readline() or "{}")
        if not idle:
            raise SystemExit(f"the case {case} ended before it began; see above")
        together = proportional_memory(process.pid)
        process.stdin.write("\n")
        process.stdin.flush()
        peak = 0.0
        while process.poll() is None:
            with suppress(OSError):
                peak = max(peak, sum(map(proportional_memory, family(process.pid))))
            time.sleep(0.1)
        output = process.stdout.read()
    if process.returncode:
        raise SystemExit(f"the case {case} failed with exit code {process.returncode}; see above")
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    if found["statuses"] != ["ok"]:
        raise SystemExit(f"the case {case} ended with {', '.join(found['statuses'])}, not ok")
    return found | {"parent": found["peak"] - idle["idle"], "family": peak - together, **idle}


def results_of(case: str, found: dict[str, Any]) -> list[Result]:
    return [
        figure(f"memory/{case}/parent", "MiB above idle", [found["parent"]]),
        figure(f"memory/{case}/family", "MiB above idle", [found["family"]]),
        figure(f"memory/{case}/idle", "MiB", [found["idle"]]),
        figure(f"memory/{case}/chunks", "chunks", [found["chunks"]]),
        figure(f"memory/{case}/seconds", "s", [found["seconds"]]),
    ]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--case", action="append", help="measure this case; may be given again")
    parser.add_argument("--vectors", choices=VECTORS, default="model", help="who makes the vectors")
    parser.add_argument("--run", help="run this case, here, for the process that measures it")
    options = parser.parse_args()
    stay_offline()
    if options.run:
        run_case(options.run, options.vectors)
        return
    cases = options.case or (QUICK_CASES if options.quick else CASES)
    results = [one for case in cases for one in results_of(case, measure(case, options.vectors))]
    publish(results, {"vectors": options.vectors, "quick": options.quick}, options.json)


if __name__ == "__main__":
    main()
