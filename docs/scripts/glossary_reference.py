"""docs/reference/glossary.md: the terms of the glossaries that come with the application."""

from importlib import resources

from retrievers import glossary

_INTRODUCTION = """# Glossary

<!-- Generated from retrievers/glossary/*.tsv by docs/scripts/generate.py. -->

The strategy `documents-first` looks for these terms in their other words, too. [How to add your
own](../guides/library.md#your-own-words).
"""
_TITLES = {"general.tsv": "Everyday words", "finance.tsv": "Finance"}


def files() -> dict[str, str]:
    """Return the page."""
    parts = [_INTRODUCTION]
    for name, title in _TITLES.items():
        text = resources.files(glossary).joinpath(name).read_text(encoding="utf-8")
        rows = [f"| {term} | {', '.join(also)} |" for term, also in glossary.entries(text, name)]
        parts.append("\n".join([f"## {title}\n", "| term | also looked for |", "|---|---|", *rows]) + "\n")
    return {"reference/glossary.md": "\n".join(parts)}
