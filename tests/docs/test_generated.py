"""The pages and pictures that scripts write are current, and the site asks no other host for anything."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT


def test_a_file_that_is_not_current_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import generate

    monkeypatch.setattr(generate, "GENERATORS", (lambda: {"a.md": "new", "b.md": "same"},))
    (tmp_path / "a.md").write_text("old")
    (tmp_path / "b.md").write_text("same")
    assert generate.stale(tmp_path) == {"a.md": "new"}


def test_a_record_without_its_sections_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import decisions_index

    monkeypatch.setattr(decisions_index, "DOCS", tmp_path)
    (tmp_path / "decisions").mkdir()
    record = tmp_path / "decisions" / "2026-01-31-tea.md"
    record.write_text(
        "# Tea\n\n*2026-01-31 · project*\n\n## Context\n\nA.\n\n## Decision\n\nB.\n\n## Consequences\n\nC.\n"
    )
    assert "- 2026-01-31 [Tea](2026-01-31-tea.md)" in decisions_index.files()["decisions/index.md"]
    record.write_text("# Tea\n\nBecause.\n")
    with pytest.raises(ValueError, match=r"2026-01-31-tea\.md is no decision record"):
        decisions_index.files()


def test_the_site_is_built_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--quiet",
        "--strict",
        "--site-dir",
        str(tmp_path / "site"),
    ]
    subprocess.run(command, cwd=ROOT, check=True)
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 100
    loading = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)=[\"']?(https?:)?//")
    assert [page.name for page in pages if loading.search(page.read_text("utf-8"))] == []
    styles = sorted((tmp_path / "site").rglob("*.css"))
    assert [path.name for path in styles if re.search(r"url\([\"']?https?:", path.read_text("utf-8"))] == []
