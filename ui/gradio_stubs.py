"""Imports Gradio without the stub files that it writes for editors: a third of the time of its import.

Gradio parses the source of each component whenever it is imported, to keep a `.pyi` file beside it up to
date. Nothing here needs these files, and where a package is read-only they cannot be written.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

_MODULE = "gradio.component_meta"
_WRITER = "create_or_modify_pyi"


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        if hasattr(module, _WRITER):
            setattr(module, _WRITER, _write_nothing)


class StubsSkipped(MetaPathFinder):
    """Finds the module that writes the files, once, and loads it without the function that does."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _MODULE:
            return None
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(fullname, spec.loader.path)
        return spec


def _write_nothing(*_: object) -> None:
    """Stand for the function that writes a component's stub file."""


def skip_stubs() -> None:
    """Make the first import of Gradio in this process write no stub files; later it changes nothing."""
    if _MODULE not in sys.modules and not any(isinstance(finder, StubsSkipped) for finder in sys.meta_path):
        sys.meta_path.insert(0, StubsSkipped())
