"""Collections, statistics and maintenance reports as people read them in a terminal."""

from rich.console import Console
from rich.filesize import decimal

from rag_app.cli.terminal.lines import count, line, shown, table_of
from rag_app.contract.library import (
    CollectionsResponse,
    ProblemFields,
    RepairFields,
    StatsResponse,
    VerifyFields,
)


def print_collections(console: Console, response: CollectionsResponse) -> None:
    table = table_of("name", "documents", "pages", "chunks", "created")
    for each in response.collections:
        counts = map(str, (each.documents, each.pages, each.chunks))
        table.add_row(shown(each.name), *counts, each.created[:10])
    console.print(table)
    for each in response.collections:
        if each.instructions:
            said = f"instructions of {each.name}: {' '.join(each.instructions.split())}"
            line(console, f"[dim]{shown(said)}[/]")


def print_instructions(console: Console, response: CollectionsResponse) -> None:
    (found,) = response.collections
    said = found.instructions or f"{found.name} has no instructions"
    console.print(shown(said), highlight=False, soft_wrap=True)


def print_verified(console: Console, report: VerifyFields) -> None:
    """Print the problems that verify found."""
    for problem in report.problems:
        _print_problem(console, problem)
    for note in report.notes:
        line(console, f"[yellow]note[/]    {shown(note)}")
    names = ("document", "chunk", "segment", "vector", "original")
    looked = ", ".join(count(getattr(report, f"{name}s"), name) for name in names)
    found = "nothing is wrong" if report.ok else count(len(report.problems), "problem")
    line(console, f"{found}; looked at {looked}")


def print_repaired(console: Console, report: RepairFields) -> None:
    """Print the repairs, and the problems that are left."""
    for repair in report.done:
        whose = f"{shown(repair.document)}: " if repair.document else ""
        line(console, f"[green]repaired[/] {repair.store}: {whose}{shown(repair.what)}")
    for problem in report.left:
        _print_problem(console, problem)
    if not report.done and not report.left:
        line(console, "nothing was wrong")


def _print_problem(console: Console, problem: ProblemFields) -> None:
    whose = f"{shown(problem.document)}: " if problem.document else ""
    line(console, f"[red]problem[/] {problem.store}: {whose}{shown(problem.what)}")
    line(console, f"        → {shown(problem.mend)}")


def print_stats(console: Console, stats: StatsResponse) -> None:
    """Print how much the library holds."""
    table = table_of("collection", "documents", "pages", "chunks", "characters")
    for each in stats.collections:
        counts = (f"{number:,}" for number in (each.documents, each.pages, each.chunks, each.characters))
        table.add_row(shown(each.name), *counts)
    console.print(table)
    console.print()
    table = table_of("representation", "state", "reads", "documents", "token vectors", "size")
    for one in stats.representations:
        reads = f"{'+'.join(one.readings)} ({one.dimension}, {one.token_dimension} × {one.codec})"
        table.add_row(
            shown(one.name), one.state, reads, f"{one.documents:,}", f"{one.tokens:,}",
            decimal(one.bytes),
        )  # fmt: skip
    console.print(table)
    console.print()
    stores = ", ".join(f"{name} {decimal(number)}" for name, number in dict(stats.bytes).items())
    languages = ", ".join(f"{name} {number}" for name, number in stats.languages.items())
    line(console, f"on the disk: {stores}")
    line(console, f"languages: {languages or 'none yet'}")
