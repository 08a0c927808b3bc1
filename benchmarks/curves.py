"""Draw what a question costs as a library grows, from the results of query.py.

pip install matplotlib
python benchmarks/curves.py [RESULTS.json [PICTURE.svg]]
"""

import argparse
import json
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot
from matplotlib.axes import Axes

ROOT = Path(__file__).parent.parent
STRATEGIES = {"colbert": "#b3261e", "cascade": "#1f5fa8", "mean": "#2e7d32", "bm25": "#8a6d00"}
SCAN = "#444444"
STAGES = {
    "encode": "#9ecae1",
    "chroma": "#2e7d32",
    "fts5": "#8a6d00",
    "candidates": "#f4a582",
    "locate": "#bdbdbd",
    "scope": "#bdbdbd",
    "gather": "#d6604d",
    "score": "#b3261e",
    "read": "#636363",
}
SIZES = {"k": 1_000, "M": 1_000_000}

Results = dict[str, dict[str, float]]


def count(label: str) -> int:
    """Return the chunks that a size in a result's name says."""
    return int(label[:-1]) * SIZES[label[-1]]


def totals(results: Results, axes: Axes) -> None:
    """Medians over size, with the 95th percentile above them, beside the scan of every chunk."""
    labels = sorted({name.split("/")[2] for name in results if name.startswith("query/colbert")}, key=count)
    sizes = [count(label) for label in labels]
    scans = [results[f"query/colbert/{label}"]["peer"] for label in labels]
    lines = {"every chunk scored": axes.plot(sizes, scans, color=SCAN, ls="--")[0]}
    ends = {"every chunk scored": scans[-1]}
    for strategy, colour in STRATEGIES.items():
        medians = [results[f"query/{strategy}/{label}"]["ours"] for label in labels]
        ends[strategy] = medians[-1]
        highs = [results[f"query/{strategy}/{label}/p95"]["ours"] for label in labels]
        (lines[strategy],) = axes.plot(sizes, medians, color=colour, marker="o", ms=4)
        axes.fill_between(sizes, medians, highs, color=colour, alpha=0.12, lw=0)
    order = sorted(lines, key=lambda name: -ends[name])
    axes.legend([lines[name] for name in order], order, fontsize=8, frameon=False, loc="upper left")
    axes.set(xscale="log", yscale="log", xlabel="chunks", ylabel="ms a question (median, shade to 95 %)")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_xticks(sizes, labels)
    axes.minorticks_off()
    axes.grid(axis="y", alpha=0.3)


def stages(results: Results, axes: Axes) -> None:
    """Where the time of colbert and of cascade goes, at each size."""
    labels = sorted({name.split("/")[2] for name in results if name.startswith("query/colbert")}, key=count)
    bars = [(strategy, label) for strategy in ("colbert", "cascade") for label in labels]
    left = [0.0] * len(bars)
    for stage, colour in STAGES.items():
        values = [results.get(f"query/{s}/{label}/{stage}", {}).get("ours", 0.0) for s, label in bars]
        if any(values):
            axes.barh(range(len(bars)), values, left=left, color=colour, label=stage, height=0.7)
        left = [a + b for a, b in zip(left, values, strict=True)]
    axes.set_yticks(range(len(bars)), [f"{strategy} {label}" for strategy, label in bars])
    axes.invert_yaxis()
    axes.set_xlabel("ms, medians by stage")
    axes.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    axes.grid(axis="x", alpha=0.3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    default = ROOT / "benchmarks" / "results" / "query.json"
    parser.add_argument("results", type=Path, nargs="?", default=default)
    parser.add_argument("picture", type=Path, nargs="?", default=ROOT / "docs" / "query-cost.svg")
    options = parser.parse_args()
    picture: Path = options.picture
    whole = json.loads(options.results.read_text("utf-8"))
    results: Results = {one["name"]: one for one in whole["results"]}
    mpl.rcParams.update({"svg.hashsalt": "curves", "axes.spines.top": False, "axes.spines.right": False})
    figure, (first, second) = pyplot.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    totals(results, first)
    stages(results, second)
    figure.savefig(picture, metadata={"Date": None} if picture.suffix == ".svg" else None, dpi=110)


if __name__ == "__main__":
    main()
