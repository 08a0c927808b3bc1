"""The table of strategies in strategies.md, from the table in the code."""

import re
from pathlib import Path

from retrievers.strategies import STRATEGIES

PAGE = Path(__file__).parent.parent / "strategies.md"
_PLACE = re.compile(r"(<!-- strategies -->\n).*?(<!-- /strategies -->)", re.DOTALL)


def files() -> dict[str, str]:
    """Return the page with the current table, by its path below docs/."""
    rows = ["| strategy | what it does | a chunk takes | a question costs |", "|---|---|---|---|"]
    rows += [f"| `{s.name}` | {s.summary} | {s.storage} | {s.cost} |" for s in STRATEGIES.values()]
    table = "\n" + "\n".join(rows) + "\n\n"
    return {PAGE.name: _PLACE.sub(lambda place: place[1] + table + place[2], PAGE.read_text("utf-8"))}
