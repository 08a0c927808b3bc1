"""Write the generated pages and pictures of docs/, or check that they are current.

python docs/scripts/generate.py            write them
python docs/scripts/generate.py --check    exit 1 and name each file that is not current
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import cli_reference
import decisions_index
import floor_plan
import glossary_reference
import http_reference
import marked_tables
import settings_reference
import strategy_pictures

DOCS = Path(__file__).parent.parent

# Each generator returns the text of its files, by their paths below docs/.
GENERATORS: tuple[Callable[[], dict[str, str]], ...] = (
    cli_reference.files,
    decisions_index.files,
    floor_plan.files,
    glossary_reference.files,
    http_reference.files,
    marked_tables.files,
    settings_reference.files,
    strategy_pictures.files,
)


def stale(docs: Path = DOCS) -> dict[str, str]:
    """Return the new text of each file that is not current, by its path below `docs`."""
    generated = {name: text for files in GENERATORS for name, text in files().items()}
    return {
        name: text
        for name, text in generated.items()
        if not (docs / name).is_file() or (docs / name).read_text("utf-8") != text
    }


def main(arguments: Sequence[str]) -> int:
    """Run the script and return its exit status."""
    check = "--check" in arguments
    try:
        changed = stale()
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    for name, text in changed.items():
        if check:
            print(f"docs/{name} is not current; run: make docs", file=sys.stderr)
        else:
            (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
            (DOCS / name).write_text(text, "utf-8")
            print(f"wrote docs/{name}")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
