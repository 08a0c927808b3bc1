"""A comparison as people read it in a terminal."""

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from rag_app.cli.terminal.lines import line, print_warnings, shown
from rag_app.contract.search import ColumnFields, CompareResponse, HitFields

_PREVIEW = 60


def print_comparison(console: Console, found: CompareResponse) -> None:
    """Print each passage with its rank in each column, then the columns' times and overlaps."""
    names = [_name(column) for column in found.columns]
    passages = {hit.chunk_id: hit for column in found.columns for hit in column.hits}
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(shown(name), justify="right")
    table.add_column("passage", overflow="ellipsis", no_wrap=True, ratio=1)
    for row in found.rows:
        table.add_row(*map(_rank, row.ranks), _passage(passages[row.chunk_id]))
    if not found.rows:
        console.print("Nothing found. Is there a document? rag-app documents lists them.")
        return
    console.print(table)
    console.print()
    for name, column in zip(names, found.columns, strict=True):
        how = "exact" if column.exact else "approximate"
        took = f"{column.timings_ms['total']:.0f} ms, {decimal(column.stored_bytes)} stored"
        line(console, f"[bold]{shown(name)}[/] [dim]{how}, {took}[/]")
    for one in found.overlaps:
        left, right = names[one.left], names[one.right]
        line(console, f"[dim]{shown(left)} and {shown(right)} share {one.shared} of {one.either}[/]")
    print_warnings(console, found)


def _name(column: ColumnFields) -> str:
    return f"{column.strategy} + {column.reranker}" if column.reranker else column.strategy


def _rank(rank: int | None) -> str:
    return "[dim]–[/]" if rank is None else str(rank)


def _passage(hit: HitFields) -> str:
    preview = " ".join(hit.text.split())[:_PREVIEW]
    return f"{shown(hit.document)}, page {hit.page}  [dim]{shown(preview)}[/]"
