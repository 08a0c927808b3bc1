"""The floor plan: no import goes up, none goes round, and a script notices both."""

from pathlib import Path

import pytest

CONTRACTS = """
[[tool.importlinter.contracts]]
type = "layers"
layers = ["ui", "rag_app", "retrievers", "ingestion"]

[[tool.importlinter.contracts]]
type = "layers"
containers = ["rag_app"]
layers = ["server | cli", "service"]
"""


def house(root: Path, files: dict[str, str]) -> list[str]:
    """Write modules and the contracts into a folder; return the plan's problems."""
    from floor_plan import problems

    (root / "pyproject.toml").write_text(CONTRACTS)
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return list(problems(root))


def test_the_plan_of_this_project_holds() -> None:
    from floor_plan import problems

    assert problems() == []


def test_imports_that_go_down_are_no_problem(tmp_path: Path) -> None:
    assert house(tmp_path, {
        "ui/app.py": "from rag_app.service import local\nimport ingestion.text\n",
        "rag_app/server/api.py": "from rag_app import service\n",
        "rag_app/service/__init__.py": "from rag_app.service.local import Local\n",
        "rag_app/service/local.py": "",
        "ingestion/text.py": "",
    }) == []  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "from rag_app.server import api\n",
        "from ..server import api\n",
        "def f():\n    import rag_app.server.api\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from rag_app.server.api import App\n",
    ],
)
def test_an_import_that_goes_up_is_named_wherever_it_stands(tmp_path: Path, line: str) -> None:
    found = house(tmp_path, {"rag_app/server/api.py": "", "rag_app/service/local.py": line})
    assert found == ["rag_app: service imports server, which lies on a floor above it"]


def test_a_package_above_is_named(tmp_path: Path) -> None:
    found = house(tmp_path, {"ui/app.py": "", "ingestion/text.py": "import ui.app\n"})
    assert found == ["the packages: ingestion imports ui, which lies on a floor above it"]


def test_a_circle_is_named(tmp_path: Path) -> None:
    found = house(tmp_path, {
        "retrievers/a.py": "import retrievers.b\n",
        "retrievers/b.py": "def f():\n    import retrievers.c\n",
        "retrievers/c.py": "from retrievers import a\n",
    })  # fmt: skip
    assert found == [
        "these modules import each other: retrievers.a, retrievers.b, retrievers.c",
        "rooms of retrievers import each other: a, b, c",
    ]
