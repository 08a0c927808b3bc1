"""What people have quoted from real filings is in the stored text of the page that they named."""

import json
import os
from collections import defaultdict
from pathlib import Path

import pypdf
import pypdfium2
import pytest

from ingestion.documents import Status
from ingestion.parsing import parse

DATA = os.environ.get("RAG_EVAL_DATA")
LEAST_SHARE = 0.995


def squeezed(text: str) -> str:
    return "".join(text.split())


def peers_text(path: Path, pages: set[int]) -> dict[int, str]:
    """What PDFium and pypdf by themselves read on some pages, white space left out."""
    with pypdfium2.PdfDocument(path) as document:
        by_pdfium = {number: document[number - 1].get_textpage().get_text_range() for number in pages}
    with pypdf.PdfReader(path) as reader:
        by_pypdf = {number: reader.pages[number - 1].extract_text() for number in pages}
    return {number: f"{squeezed(by_pdfium[number])} {squeezed(by_pypdf[number])}" for number in pages}


@pytest.mark.slow
@pytest.mark.skipif(not DATA, reason="RAG_EVAL_DATA is not set: it names the folder with financebench-dev")
@pytest.mark.parametrize(("every", "least"), [(24, 200), pytest.param(1, 5000, marks=pytest.mark.soak)])
def test_evidence_is_on_its_page(every: int, least: int) -> None:
    folder = Path(DATA or "") / "financebench-dev"
    quoted: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for line in (folder / "questions.jsonl").read_text("utf-8").splitlines():
        for evidence in json.loads(line)["evidence"]:
            quoted[evidence["document"]][evidence["page"]] += evidence["text"].split()
    there = missed = 0
    for name, pages in list(quoted.items())[::every]:
        document = parse(folder / "documents" / name)
        assert document.status is Status.OK, document.error
        ours = {page.number: squeezed(page.text) for page in document.pages}
        peers = peers_text(folder / "documents" / name, set(pages))
        for number, words in pages.items():
            findable = [word for word in words if word in peers[number]]
            there += len(findable)
            missed += sum(word not in ours[number] for word in findable)
    print(f"{there - missed} of {there} quoted words are on their pages")
    assert there > least
    assert 1 - missed / there >= LEAST_SHARE
