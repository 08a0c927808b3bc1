"""The reference of the command line, from the commands themselves."""

from typing import Any

import typer

from rag_app.cli.entry import app

_INTRODUCTION = """\
# Command line

Generated from the commands; `rag-app COMMAND --help` prints the same.

Options before the command:

{options}

Exit codes: 0 done, 1 failed, 2 wrong use, 3 some files failed, 130 interrupted.
"""


def files() -> dict[str, str]:
    """Return the page, by its path below docs/."""
    group: Any = typer.main.get_command(app)
    context = typer.Context(group, info_name="rag-app")
    parts = [_INTRODUCTION.format(options="\n".join(_options(group, context)))]
    for name, command in group.commands.items():
        parts.append(_command(f"rag-app {name}", command, 2))
        for below, inner in getattr(command, "commands", {}).items():
            parts.append(_command(f"rag-app {name} {below}", inner, 3))
    return {"reference/cli.md": "\n".join(parts)}


def _command(name: str, command: Any, level: int) -> str:
    """Return the section of a command or a group of commands."""
    context = typer.Context(command, info_name=name)
    lines = [f"{'#' * level} {name.removeprefix('rag-app ')}", "", (command.help or "").strip(), ""]
    if not hasattr(command, "commands"):
        usage = " ".join(command.collect_usage_pieces(context))
        lines += ["```text", f"{name} {usage}", "```", "", *_options(command, context), ""]
    return "\n".join(lines)


def _options(command: Any, context: typer.Context) -> list[str]:
    """Return a line for each argument and option, as --help has them; --help itself is left out."""
    rows = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and "--help" not in parameter.opts:
            text = " ".join(record[1].split())
            rows.append(f"- `{record[0].strip()}`" + (f": {text}" if text else ""))
    return rows
