"""The command line. What each command prints as JSON is a contract: see `rag_app.contract`."""

from rag_app.cli.entry import main

__all__ = ["main"]
