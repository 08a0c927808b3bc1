"""Real odd, broken and encrypted PDFs, kept outside the project; see the variable RAG_EVAL_DATA."""

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ingestion.documents import Status
from ingestion.parsing import parse
from ingestion.parsing.ocr.tesseract import available
from tests.helpers.processes import children

DATA = os.environ.get("RAG_EVAL_DATA")
MOST_SECONDS = 300.0  # the longest, compressed in a way that only pypdf knows, takes 15
WITHOUT_PAGES = set(Status) - {Status.OK, Status.PARTIAL, Status.UNCHANGED, Status.DUPLICATE}


def gave_text(entry: Mapping[str, Any], extractor: str) -> bool:
    return any(
        name.startswith(extractor) and result["chars"] for name, result in entry.items() if "-" in name
    )


@pytest.mark.soak
@pytest.mark.slow
@pytest.mark.skipif(not DATA, reason="RAG_EVAL_DATA is not set: it names the folder with pdf-torture in it")
def test_every_file_ends_well_and_text_is_found_where_any_extractor_finds_it() -> None:
    folder = Path(DATA or "") / "pdf-torture"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest
    with_text = 0
    for entry in manifest:
        began = time.monotonic()
        document = parse(folder / "files" / entry["file"])
        assert time.monotonic() - began < MOST_SECONDS, entry["file"]
        if document.status in WITHOUT_PAGES:
            assert document.error, entry["file"]
            assert document.pages == (), entry["file"]
        else:
            assert document.status in {Status.OK, Status.PARTIAL}, entry["file"]
            assert any(page.text.strip() for page in document.pages), entry["file"]
            with_text += 1
    peers = [sum(gave_text(entry, peer) for entry in manifest) for peer in ("pypdf-", "pypdfium2-")]
    print(f"{with_text} of {len(manifest)} files give text; pypdf and PDFium: {peers}")
    assert all(peers)
    assert with_text >= max(peers) + (available(("eng",)) is None)  # some are scans
    if sys.platform == "linux":
        assert children(os.getpid()) == []
