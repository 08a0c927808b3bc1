"""What the command line shows to people, from the same fields that --json prints."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ingestion.text.leftovers import summary

Fields = Mapping[str, Any]

_PREVIEW = 300
_WARNINGS = 20  # printed below a list of documents
_NOTHING = "Nothing found. Is there a document? rag-app documents lists them."
_SUCCESS = ("ok", "unchanged", "duplicate", "removed")
# What fits a terminal's line; --json and the report have all.
_EVALUATED = ("page@5", "page@20", "document@5", "ndcg@10", "recall@20", "success@5")
_SURE = 0.05
_COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}
# What a terminal obeys instead of showing it, but for tab and line feed; and halves of characters.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def harmless(text: str) -> str:
    """Return text of a document, a file's name or a model, without what would command the terminal."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def print_ingested(console: Console, file: Fields) -> None:
    """Print how one file ended, in a line."""
    mark = "[green]✓[/]" if succeeded(file) else "[red]✗[/]"
    chunks = file["chunks"]
    counts = f" {count(file['pages'], 'page')}, {count(chunks, 'chunk')}" if chunks else ""
    error = f": {shown(file['error'])}" if file["error"] else ""
    line(console, f"{mark} {shown(file['label'])} [bold]{file['status']}[/]{counts}{error}")
    if file["status"] != "unchanged":
        for warning in file["warnings"]:
            line(console, f"  [yellow]![/] {shown(warning)}")


def succeeded(file: Fields) -> bool:
    """Return whether a file of a job ended well."""
    return file["status"] in _SUCCESS


def print_documents(console: Console, documents: Sequence[Fields]) -> None:
    if not documents:
        console.print("No documents here yet. Add some with: rag-app ingest PATH…")
        return
    table = table_of("name", "collection", "pages", "chunks", "status", "added", "id")
    for document in documents:
        table.add_row(
            shown("\n".join(_names(document))), shown(document["collection"]), str(document["pages"]),
            str(document["chunks"]), document["status"], document["added"][:10], document["document_id"],
        )  # fmt: skip
    console.print(table)
    _print_warnings(console, documents)


def _print_warnings(console: Console, documents: Sequence[Fields]) -> None:
    """Print what the documents' text lacks, a line each."""
    lines = [(document["name"], warning) for document in documents for warning in document["warnings"]]
    for name, warning in lines[:_WARNINGS]:
        line(console, f"[yellow]![/] {shown(name)}: {shown(warning)}")
    if len(lines) > _WARNINGS:
        line(console, f"and {count(len(lines) - _WARNINGS, 'warning')} more; --json has them all")


def _names(document: Fields) -> list[str]:
    """Return a document's label, and the other names that its bytes have."""
    return [document["label"], *(f"= {name}" for name in document["names"][1:])]


def print_hits(console: Console, result: Fields) -> None:
    if not result["hits"]:
        console.print(_NOTHING)
    for hit in result["hits"]:
        heading = f" · {shown(hit['heading'])}" if hit["heading"] else ""
        line(
            console,
            f"[bold]{hit['rank']}. {shown(hit['document'])}[/], page {hit['page']}{heading} "
            f"[dim]({hit['score']:.3f})[/]",
        )
        line(console, f"   {shown(_preview(hit['text']))}")
        if hit.get("explanation"):
            line(console, f"   [dim]{shown(_reasons(hit['explanation']))}[/]")
        console.print()
    print_warnings(console, result)
    how = "exact" if result["exact"] else "approximate"
    line(console, f"[dim]{shown(result['strategy'])}, {how}, {result['timings_ms']['total']:.0f} ms[/]")


def _reasons(explanation: Fields) -> str:
    """Return the question's tokens, each with its similarity to what it found, if that is another word."""
    parts = []
    for token in explanation["tokens"]:
        found = token["matches"][0]["text"] if token["matches"] else "title or heading"
        same = token["matches"] and found.casefold() == token["text"].casefold()
        parts.append(f"{token['text']} {token['similarity']:.2f}" + ("" if same else f" “{found}”"))
    return " · ".join(parts)


def print_warnings(console: Console, fields: Fields) -> None:
    for warning in fields["warnings"]:
        line(console, f"[yellow]warning:[/] {shown(warning)}")


def print_sources(console: Console, answer: Fields) -> None:
    """Print what stands below an answer: its sources, and what made it."""
    console.print()
    if not answer["nearest"] and answer["abstained"]:
        console.print(_NOTHING)
    elif answer["abstained"]:
        console.print("Nearest passages:")
    elif answer["citations"]:
        console.print("Sources:")
    places = (
        [(hit["rank"], hit["document"], hit["page"], hit["text"]) for hit in answer["nearest"][:3]]
        if answer["abstained"]
        else [(c["marker"], c["document"], c["page"], c["quote"]) for c in answer["citations"]]
    )
    for number, document, page, text in places:
        line(console, f"  \\[{number}] [bold]{shown(document)}[/], page {page}")
        line(console, f"      {shown(_preview(text))}")
    print_warnings(console, answer)
    for flag in answer["flags"]:
        line(console, f"[yellow]note:[/] {shown(flag)}")
    if answer["standalone_question"]:
        line(console, f"[dim]understood as: {shown(answer['standalone_question'])}[/]")
    if answer["conversation_id"]:
        line(console, f"[dim]go on with --conversation {answer['conversation_id']}[/]")
    made = [answer["strategy"], answer["reranker"] or "no reranker", answer["llm"]]
    made.append(f"{answer['timings_ms']['total'] / 1000:.1f} s")
    line(console, f"[dim]{shown(' · '.join(made))}[/]")


def print_strategies(console: Console, strategies: Sequence[Fields]) -> None:
    table = table_of("strategy", "what it does", "a chunk takes", "a question costs")
    for each in strategies:
        reason = "" if each["available"] else f" [red](not available: {shown(each['reason'] or '')})[/]"
        table.add_row(shown(each["name"]), each["summary"] + reason, each["storage"], each["cost"])
    console.print(table)


def print_checks(console: Console, checks: Sequence[Fields]) -> None:
    for check in checks:
        state = f"[{_COLOURS[check['state']]}]{check['state']:<7}[/]"
        line(console, f"{state} {shown(check['name'])}: {shown(check['detail'])}")
        if check["mend"]:
            line(console, f"        → {shown(check['mend'])}")


def print_jobs(console: Console, jobs: Sequence[Fields]) -> None:
    if not jobs:
        console.print("No jobs. rag-app ingest PATH… begins one.")
        return
    table = table_of("id", "kind", "collection", "state", "files", "failed", "created")
    for job in jobs:
        files = job["files"]
        failed = sum(file["status"] is not None and not succeeded(file) for file in files)
        ended = sum(file["status"] is not None for file in files)
        table.add_row(
            str(job["job_id"]), job["kind"], shown(job["collection"]), job["state"], f"{ended}/{len(files)}",
            str(failed), job["created"][:19].replace("T", " "),
        )  # fmt: skip
    console.print(table)


def print_job(console: Console, job: Fields) -> None:
    """Print one job with its files."""
    print_jobs(console, [job])
    for file in job["files"]:
        if file["status"] is not None:
            print_ingested(console, file)
        else:
            line(console, f"  {shown(file['label'])} {file['stage']}")
    if job["passed_over"]:
        line(console, shown(summary([(file["name"], file["kind"]) for file in job["passed_over"]])))
    if job["error"]:
        line(console, f"[red]{shown(job['error'])}[/]")


def print_collections(console: Console, collections: Sequence[Fields]) -> None:
    table = table_of("name", "documents", "pages", "chunks", "created")
    for each in collections:
        counts = (str(each[name]) for name in ("documents", "pages", "chunks"))
        table.add_row(shown(each["name"]), *counts, each["created"][:10])
    console.print(table)


def print_verified(console: Console, report: Fields) -> None:
    """Print what verifying found."""
    for problem in report["problems"]:
        _print_problem(console, problem)
    for note in report["notes"]:
        line(console, f"[yellow]note[/]    {shown(note)}")
    looked = ", ".join(
        count(report[f"{name}s"], name) for name in ("document", "chunk", "segment", "vector", "original")
    )
    found = "nothing is wrong" if report["ok"] else count(len(report["problems"]), "problem")
    line(console, f"{found}; looked at {looked}")


def print_repaired(console: Console, report: Fields) -> None:
    """Print what was mended, and what could not be."""
    for repair in report["done"]:
        whose = f"{shown(repair['document'])}: " if repair["document"] else ""
        line(console, f"[green]mended[/]  {repair['store']}: {whose}{shown(repair['what'])}")
    for problem in report["left"]:
        _print_problem(console, problem)
    if not report["done"] and not report["left"]:
        line(console, "nothing was wrong")


def _print_problem(console: Console, problem: Fields) -> None:
    whose = f"{shown(problem['document'])}: " if problem["document"] else ""
    line(console, f"[red]problem[/] {problem['store']}: {whose}{shown(problem['what'])}")
    line(console, f"        → {shown(problem['mend'])}")


def print_evaluation(console: Console, found: Fields) -> None:
    """Print a table of what each strategy found, best by the first metric on top, and what differs."""
    first, *_ = found["compared_by"]
    names = [name for name in found["metrics"] if name in _EVALUATED]
    columns = ["strategy", *names, "p50 ms", "bytes", "lost"]
    columns.insert(1 + names.index(first) + 1, "95%")
    table = table_of(*columns)
    for column in table.columns:
        column.no_wrap = True
    for one in sorted(found["results"], key=lambda one: -one[first]):
        name = one["strategy"] + (f" + {one['reranker']}" if one["reranker"] else "")
        spread = one["intervals"][first]
        cells = [_share(one[metric]) for metric in names]
        cells.insert(names.index(first) + 1, f"[dim]{_share(spread['low'])}-{_share(spread['high'])}[/]")
        table.add_row(
            shown(name), *cells, f"{one['latency_ms_p50']:.1f}", size(one["bytes"]), str(one["lost"]),
        )  # fmt: skip
    console.print(table)
    for one in found["comparisons"]:
        if one["metric"] == first:
            said = "differs" if one["p_adjusted"] < _SURE else "may be chance"
            line(
                console,
                f"{shown(one['a'])} {one['difference']:+.3f} to {shown(one['b'])} "
                f"[dim]({one['low']:+.3f} to {one['high']:+.3f}, p {one['p_adjusted']:.3f}: {said})[/]",
            )
    if len(found["results"]) > 1:
        line(console, shown(found["recommendation"]["words"]))
    left_out = f", {found['unjudged']} more without a relevant one" if found["unjudged"] else ""
    line(
        console,
        f"[dim]{shown(found['dataset'])}: {count(found['queries'], 'question')}{left_out}, "
        f"{count(found['chunks'], 'chunk')}; {first} with its 95% interval; lost: none among the first "
        "five[/]",
    )
    for one in found["left_out"]:
        line(console, f"line {one['line']} was left out: {shown(one['reason'])} [dim]{shown(one['text'])}[/]")
    if found["report"]:
        line(console, f"report: {shown(found['report'])}/report.md")


def _share(value: float) -> str:
    """Return .987, which leaves room for another column."""
    return f"{value:.3f}".removeprefix("0")


def print_judgements(console: Console, judgements: Sequence[Fields]) -> None:
    if not judgements:
        console.print(
            "Nothing was judged yet. Begin with: rag-app judge add QUESTION --document NAME --page N"
        )
        return
    table = table_of("question", "document", "page", "answers it")
    for one in judgements:
        answers = "yes" if one["grade"] > 0 else "no"
        table.add_row(shown(one["question"]), shown(one["document"]), str(one["page"]), answers)
    console.print(table)


def print_stats(console: Console, stats: Fields) -> None:
    """Print figures of the library."""
    table = table_of("collection", "documents", "pages", "chunks", "characters")
    for each in stats["collections"]:
        counts = (f"{each[name]:,}" for name in ("documents", "pages", "chunks", "characters"))
        table.add_row(shown(each["name"]), *counts)
    console.print(table)
    console.print()
    table = table_of("representation", "state", "reads", "documents", "token vectors", "size")
    for each in stats["representations"]:
        reads = (
            f"{'+'.join(each['readings'])} ({each['dimension']}, {each['token_dimension']} × {each['codec']})"
        )
        table.add_row(
            shown(each["name"]), each["state"], reads, f"{each['documents']:,}", f"{each['tokens']:,}",
            size(each["bytes"]),
        )  # fmt: skip
    console.print(table)
    console.print()
    stores = ", ".join(f"{name} {size(number)}" for name, number in stats["bytes"].items())
    languages = ", ".join(f"{name} {number}" for name, number in stats["languages"].items())
    line(console, f"on the disk: {stores}")
    line(console, f"languages: {languages or 'none yet'}")


def size(number: int) -> str:
    """Return a number of bytes as people read it."""
    value = float(number)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def table_of(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column == "id")
    return table


def count(number: int, what: str) -> str:
    """Return 1 page, 2 pages."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def line(console: Console, markup: str) -> None:
    """Print one line, which the terminal breaks and nobody else."""
    console.print(markup, highlight=False, soft_wrap=True)


def shown(text: str) -> str:
    """Return text as rich shows it literally."""
    return escape(harmless(text))


def _preview(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _PREVIEW else line[: _PREVIEW - 1] + "…"
