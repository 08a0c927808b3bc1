"""The index of the decision records, from the records themselves."""

import re
from pathlib import Path

DOCS = Path(__file__).parent.parent

# Areas in the order of the index, with the heading of each.
AREAS = {
    "ingestion": "Ingestion: from a file to chunks and vectors",
    "storage": "Storage",
    "retrieval": "Retrieval",
    "answering": "Answering",
    "llm": "Language models",
    "models": "Model files",
    "history": "History: conversations, receipts, judgements",
    "evaluation": "Evaluation",
    "page": "The page",
    "interfaces": "Command line and API",
    "project": "Project",
}

_NAME = re.compile(r"(?P<date>\d{4}-\d{2}-\d{2})-[a-z0-9-]+\.md")
_RECORD = re.compile(
    r"# (?P<title>[^\n]+)\n\n\*(?P<date>\d{4}-\d{2}-\d{2}) · (?P<area>[a-z]+)\*\n\n"
    r"## Context\n\n.+?\n\n## Decision\n\n.+?\n\n## Consequences\n\n.+",
    re.DOTALL,
)

_INTRODUCTION = """\
# Decisions

Each record holds one decision: its context, the decision and its consequences, with the figures that led to
it. Figures were measured on two cores (AVX512-VNNI) without a GPU. A decision that is replaced stays, and
links to its successor.

To add a record, copy an existing file, name it DATE-SLUG.md, and run `make docs`, which writes this index.
"""


def files() -> dict[str, str]:
    """Return the index, by its path below docs/.

    Raises:
        ValueError: A record lacks a section, or its file name does not begin with its date.
    """
    by_area: dict[str, list[str]] = {area: [] for area in AREAS}
    for path in sorted((DOCS / "decisions").glob("*.md")):
        if path.name == "index.md":
            continue
        name, record = _NAME.fullmatch(path.name), _RECORD.fullmatch(path.read_text("utf-8"))
        if name is None or record is None or name["date"] != record["date"] or record["area"] not in AREAS:
            raise ValueError(
                f"docs/decisions/{path.name} is no decision record: name it DATE-SLUG.md, and write a title, "
                "*DATE · AREA* and the sections Context, Decision and Consequences; "
                f"areas: {', '.join(AREAS)}"
            )
        by_area[record["area"]].append(f"- {record['date']} [{record['title']}]({path.name})")
    parts = [f"## {AREAS[area]}\n\n" + "\n".join(lines) for area, lines in by_area.items() if lines]
    return {"decisions/index.md": _INTRODUCTION + "\n" + "\n\n".join(parts) + "\n"}
