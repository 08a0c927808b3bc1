"""Glossaries: what comes with the application, and what a person adds."""

import os
from pathlib import Path

import pytest

from ingestion.errors import InvalidInput
from retrievers.glossary import Glossary, glossary_of

ENTRIES = {
    "capital spending": ("capital expenditures",),
    "capital": ("equity",),
    "R&D": ("research and development",),
    "buy back": ("repurchases of common stock",),
    "earnings": ("net income",),
}


@pytest.mark.parametrize(
    ("question", "terms"),
    [
        ("How high was capital spending?", ["capital spending"]),  # and not "capital"
        ("How much Capital is there?", ["Capital"]),
        ("What did R&D cost?", ["R&D"]),
        ("Are they buying back shares?", ["buying back"]),
        ("What was earned, and what is an earning?", ["earning"]),  # no "earned"
        ("R and D", []),
        ("earnings and earnings", ["earnings"]),
        ("capital-spending, buy-back", ["capital-spending", "buy-back"]),
        ("", []),
    ],
)
def test_terms_of_a_question(question: str, terms: list[str]) -> None:
    found = Glossary(ENTRIES).meanings(question)
    assert [one.term for one in found] == terms
    assert all(question[one.start : one.end] == one.term for one in found)
    assert all(one.also for one in found)


def test_what_comes_with_the_application(tmp_path: Path) -> None:
    glossary = glossary_of(tmp_path, [])
    (quick,) = glossary.meanings("What is the quick ratio?")
    assert {"cash and cash equivalents", "total current liabilities"} <= set(quick.also)
    assert not glossary.meanings("Who planted the apple tree by the north wall?")
    assert len(glossary) > 100


def test_a_persons_own_terms(tmp_path: Path) -> None:
    question = "How much capex, and how many flurbs?"

    def also() -> dict[str, tuple[str, ...]]:
        return {one.term: one.also for one in glossary_of(tmp_path, ["work"]).meanings(question)}

    assert also().keys() == {"capex"}
    own = tmp_path / "glossary.tsv"
    own.write_text("# ours\n\nflurb\twidget; gadget \n", encoding="utf-8")
    assert also()["flurbs"] == ("widget", "gadget")
    assert "capital expenditures" in also()["capex"]
    own.write_text("CapEx\tinvestments\nflurb\twidget\n", encoding="utf-8-sig")
    assert also() == {"capex": ("investments",), "flurbs": ("widget",)}
    own.write_text("capex\t\nflurb\twidget\n", encoding="utf-8")  # not looked for otherwise
    assert also() == {"flurbs": ("widget",)}
    (tmp_path / "glossaries").mkdir()
    (tmp_path / "glossaries" / "work.tsv").write_text("flurb\tthing\n", encoding="utf-8")
    assert also() == {"flurbs": ("thing",)}
    assert glossary_of(tmp_path, ["home"]).meanings(question)[0].also == ("widget",)
    own.unlink()
    assert also().keys() == {"capex", "flurbs"}


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "glossary.tsv")
    with pytest.raises(InvalidInput, match=r"glossary\.tsv cannot be read: .* regular file"):
        glossary_of(tmp_path, [])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"flurb\twidget\nflurb: widget\n", r"glossary\.tsv, line 2: 'flurb: widget' .* a tab"),
        (b"\twidget\n", r"glossary\.tsv, line 1: .* the term"),
        (b"\xff\xfeflurb", r"glossary\.tsv cannot be read: .* UTF-8"),
        (b"x\ty\n" * 300_000, r"glossary\.tsv cannot be read: .* 1200000 bytes"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "glossary.tsv").write_bytes(data)
    with pytest.raises(InvalidInput, match=said):
        glossary_of(tmp_path, [])
