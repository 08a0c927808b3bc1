"""How often an answer without a language model gives the right cell, with the right page given.

    RAG_EVAL_DATA=FOLDER RAG_TRAIN_DATA=FOLDER python benchmarks/cells.py --kept FOLDER [--quick]

Two sets of questions for a figure: those of filings-dev whose answer stands in a line of figures of a gold
page, asked of that page alone; and one question of each of 80 tables of TAT-QA that one cell or its year
answers, asked of the table alone, which is ingested as a Markdown file.

SET/first line   the share of questions whose answer's first line has the gold figure
SET/cell         the share whose answer's first line has it in bold, as the one cell
SET/questions    how many questions there are
"""

import json
import os
import re
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from report import Result, arguments, evaluation_data, figure, publish

from ingestion.encoders import builtin_encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from ingestion.storage.catalogue.filters import Filters
from rag_app.config.environment import stay_offline
from rag_app.config.settings import Settings
from rag_app.llm.choice import EXTRACTIVE
from rag_app.service.composition import Assistant

TABLES = 80
KINDS = ("figure", "combine", "short")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the figures that answer it, and the page that has them."""

    question: str
    gold: frozenset[str]
    document: str
    page: int


def figures(text: str) -> frozenset[str]:
    """Return the figures of a text as digits and points alone."""
    found = re.findall(r"\d[\d,]*(?:\.\d+)?", text)
    return frozenset(one.replace(",", "").lstrip("0") for one in found) - {""}


def of_filings(quick: bool) -> Iterator[Asked]:
    lines = (evaluation_data() / "filings-dev" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    for row in map(json.loads, lines[:40] if quick else lines):
        if row["kind"] not in KINDS:
            continue
        for place in row["evidence"]:
            gold = figures(row["answer"]) & figures(place["text"])
            if gold:
                yield Asked(row["question"], gold, place["document"], place["page"])
                break


def of_tables(folder: Path, quick: bool) -> Iterator[Asked]:
    """Write the tables as files; yield a question of each."""
    data = Path(os.environ["RAG_TRAIN_DATA"]) / "tatqa.jsonl"
    count = 0
    for number, row in enumerate(map(json.loads, data.read_text(encoding="utf-8").splitlines())):
        for one in row["questions"]:
            gold = figures(" ".join(map(str, one["answer"])) if one["type"] == "span" else "")
            if one["from"] == "table" and len(gold) == 1 and one["type"] == "span":
                path = folder / f"table {number}.md"
                cells = [[" ".join(cell.split()).replace("|", "/") for cell in line] for line in row["table"]]
                head = ["| " + " | ".join(cells[0]) + " |", "|" + "---|" * len(cells[0])]
                path.write_text(
                    "\n".join([*head, *("| " + " | ".join(line) + " |" for line in cells[1:])]), "utf-8"
                )
                yield Asked(one["question"], gold, path.name, 1)
                count += 1
                break
        if count == (TABLES // 10 if quick else TABLES):
            return


def measured(assistant: Assistant, questions: list[Asked]) -> tuple[list[float], list[float]]:
    """Return for each question whether the first line has the figure, and whether it is the cell in bold."""
    lines: list[float] = []
    cells: list[float] = []
    for one in questions:
        given = Filters(documents=(one.document,), pages=(one.page, one.page))
        answer = assistant.ask(one.question, replace(assistant.options(), filters=given))
        first = re.sub(r"\[\d+\]", "", answer.text).split("\n\n")[0]
        lines.append(float(bool(figures(first) & one.gold)))
        cells.append(float(bool(figures(" ".join(re.findall(r"\*\*(.+?)\*\*", first))) & one.gold)))
    return lines, cells


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--kept", type=Path, required=True, help="keep the library in this folder")
    given = parser.parse_args()
    stay_offline()
    folder = given.kept / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    sets = {"filings-dev": list(of_filings(given.quick)), "tatqa": list(of_tables(folder, given.quick))}
    documents = {
        evaluation_data() / "filings-dev" / "documents" / one.document for one in sets["filings-dev"]
    }
    found: list[Result] = []
    with Library.open(given.kept / "library", builtin_encoder()) as library:
        for result in ingest(library, [*sorted(documents), folder]):
            if not result.status.is_success:
                sys.exit(f"{result.path} cannot be ingested: {result.error}")
        assistant = Assistant(Settings(data_dir=given.kept / "library", llm=EXTRACTIVE), library)
        for name, questions in sets.items():
            lines, cells = measured(assistant, questions)
            found.append(figure(f"{name}/first line", "share", [statistics.mean(lines)]))
            found.append(figure(f"{name}/cell", "share", [statistics.mean(cells)]))
            found.append(figure(f"{name}/questions", "questions", [len(questions)]))
    publish(found, {"kinds": ", ".join(KINDS)}, given.json)


if __name__ == "__main__":
    main()
