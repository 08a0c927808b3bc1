"""What every benchmark shares: its command line, medians and ratios, and the JSON that documents quote.

    {"machine": {…}, "settings": {…},
     "results": [{"name", "unit", "ours", "peer", "peer_name", "ratio", "runs"}]}

`ratio` is ours ÷ peer, of medians. A figure without a peer has none of both.
"""

import argparse
import json
import os
import platform
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGES = (
    "torch",
    "openvino",
    "onnxruntime",
    "sentence-transformers",
    "chromadb",
    "pypdf",
    "pypdfium2",
    "numpy",
)


@dataclass(frozen=True, slots=True)
class Result:
    """One figure. `runs` is how many runs each median is of."""

    name: str
    unit: str
    ours: float
    peer: float | None
    peer_name: str | None
    ratio: float | None
    runs: int


def compare(name: str, unit: str, ours: Sequence[float], peer: Sequence[float], peer_name: str) -> Result:
    """Return the medians of alternating runs and their ratio."""
    mine, theirs = statistics.median(ours), statistics.median(peer)
    return Result(name, unit, _rounded(mine), _rounded(theirs), peer_name, _rounded(mine / theirs), len(ours))


def figure(name: str, unit: str, ours: Sequence[float]) -> Result:
    """Return the median of a figure that has no peer."""
    return Result(name, unit, _rounded(statistics.median(ours)), None, None, None, len(ours))


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options that every benchmark takes."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="under two minutes on two cores")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    return parser


def evaluation_data() -> Path:
    """Return the folder of the evaluation sets; end with a message where it is not named."""
    if not os.environ.get("RAG_EVAL_DATA"):
        sys.exit("the variable RAG_EVAL_DATA is not set; it names the folder of the evaluation sets")
    return Path(os.environ["RAG_EVAL_DATA"])


def publish(results: Sequence[Result], settings: Mapping[str, Any], file: Path | None) -> None:
    """Print the results as a table, and write them with machine and settings where a file is named."""
    width = max(len(result.name) for result in results)
    for result in results:
        line = f"{result.name:{width}}  {result.ours:>10g} {result.unit}"
        if result.peer is not None:
            line += f"   {result.peer_name} {result.peer:g}   ratio {result.ratio:g}"
        print(line)
    if file:
        whole = {
            "machine": machine(),
            "settings": dict(settings),
            "results": [asdict(result) for result in results],
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", "utf-8")


def machine() -> dict[str, Any]:
    """Describe the machine without naming it."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": _memory(),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": versions,
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.is_file():
        return platform.processor() or platform.machine()
    fields = [line.split(":", 1) for line in cpuinfo.read_text("utf-8").splitlines() if ":" in line]
    values = {key.strip(): value.strip() for key, value in fields}
    vector = [name for name in ("avx2", "avx512f", "avx512_vnni") if name in values.get("flags", "").split()]
    return " ".join([values.get("model name", platform.machine()), *vector])


def _memory() -> float | None:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}") if abs(value) < 0.999 else float(f"{value:.6g}")
