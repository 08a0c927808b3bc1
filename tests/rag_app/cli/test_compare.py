"""rag-app compare."""

from pathlib import Path

import pytest

from tests.helpers.commands import Command

pytestmark = pytest.mark.slow

CRANE = "When did the crane's cable break?"


def test_the_command_prints_columns(run: Command, data: Path) -> None:
    done = run("--data-dir", data, "compare", CRANE, "--strategies", "mean, colbert", "--top-k", 2)
    assert (done.code, done.err) == (0, "")
    assert "mean and colbert share" in done.out
    assert "harbour.pdf, page 2" in done.out
    found = run("--data-dir", data, "compare", CRANE, "--strategies", "mean,colbert,bm25", "--json").json
    assert found.keys() == {
        "schema_version", "question", "encode_ms", "columns", "rows", "overlaps", "warnings",
    }  # fmt: skip
    assert [one["strategy"] for one in found["columns"]] == ["mean", "colbert", "bm25"]
    assert len(found["overlaps"]) == 3
    for arguments, said in [
        (("--strategies", "mean"), "1 to compare"),
        (("--strategies", "mean,cosine"), "'cosine'"),
        (("--strategies", "mean,mean"), "twice"),
        (("--strategies", "mean,bm25", "--top-k", 0), "top-k"),
    ]:
        wrong = run("--data-dir", data, "compare", CRANE, *arguments)
        assert (wrong.code, wrong.out) == (2, "")
        assert said in wrong.err
    assert run("--data-dir", data, "compare", "  ", "--strategies", "mean,bm25").code == 2
