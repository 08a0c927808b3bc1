"""Compiles the extension when the project is installed. Without a compiler it is installed all the same.

The result goes into this folder, so that an editable install sees it; nothing else is left behind.
"""

import contextlib
import io
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from setuptools import Distribution, Extension
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError

FOLDER = Path(__file__).resolve().parent
MODULE = "ingestion.storage.tokens.kernel._native"
# No fused multiply-add: scores are to be the same on every machine, to the last bit.
OPTIONS = ["-O3", "-g0", "-std=c11", "-ffp-contract=off", "-fvisibility=hidden"]


class _Build(build_ext):
    def build_extensions(self) -> None:
        if self.compiler.compiler_type != "msvc":
            for extension in self.extensions:
                extension.extra_compile_args = OPTIONS
        super().build_extensions()


class CustomBuildHook(BuildHookInterface):
    """What hatchling calls before it makes a wheel, or an editable one."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        for old in built():
            old.unlink()
        try:
            compile_extension()
        except (BaseError, CCompilerError, OSError) as error:
            self.app.display_warning(
                f"MaxSim is not compiled; torch computes it, about three times slower. {error}"
            )
            return
        build_data["artifacts"] += [str(file.relative_to(self.root)) for file in built()]
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def clean(self, versions: list[str]) -> None:
        for file in built():
            file.unlink()


def built() -> list[Path]:
    """Return what an earlier build left here."""
    return [*FOLDER.glob("_native*.so"), *FOLDER.glob("_native*.pyd")]


def compile_extension() -> None:
    extension = Extension(
        MODULE,
        sources=[str(FOLDER / name) for name in ("module.c", "products.c", "lists.c")],
        py_limited_api=True,
    )
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        build = _Build(Distribution({"name": "kernel", "ext_modules": [extension]}))
        build.build_lib = build.build_temp = folder
        build.ensure_finalized()
        build.run()
        made = Path(build.get_ext_fullpath(MODULE))
        target = FOLDER / made.name
        new = target.with_suffix(".new")
        new.write_bytes(made.read_bytes())
        new.replace(target)
