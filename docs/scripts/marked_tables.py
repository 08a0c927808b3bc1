"""Parts of written pages that come from the code: the table of strategies, the list of file types."""

import re
from collections.abc import Sequence
from pathlib import Path

from ingestion.parsing import DOCUMENT_SUFFIXES, SUPPORTED_SUFFIXES
from retrievers.strategies import STRATEGIES

DOCS = Path(__file__).parent.parent


def files() -> dict[str, str]:
    """Return the pages with their current parts, by their paths below docs/."""
    rows = ["| strategy | what it does | a chunk takes | a question costs |", "|---|---|---|---|"]
    rows += [f"| `{s.name}` | {s.summary} | {s.storage} | {s.cost} |" for s in STRATEGIES.values()]
    code = [suffix for suffix in sorted(SUPPORTED_SUFFIXES) if suffix not in DOCUMENT_SUFFIXES]
    suffixes = f"The file types are {_listed(DOCUMENT_SUFFIXES)}; of source code {_listed(code)}."
    return {
        "strategies.md": _marked("strategies.md", "strategies", "\n".join(rows)),
        "guides/library.md": _marked("guides/library.md", "formats", suffixes),
    }


def _listed(suffixes: Sequence[str]) -> str:
    return ", ".join(f"`{suffix}`" for suffix in suffixes)


def _marked(page: str, name: str, part: str) -> str:
    """Return a page with the part between <!-- name --> and <!-- /name --> replaced."""
    place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    text = (DOCS / page).read_text("utf-8")
    return place.sub(lambda found: f"{found[1]}\n{part}\n\n{found[2]}", text)
