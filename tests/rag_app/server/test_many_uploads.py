"""Many files uploaded at once by several clients, over HTTP, to a library that is served."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.helpers.commands import Command
from tests.helpers.served_library import Served, serving

pytestmark = pytest.mark.slow

CLIENTS = 9
PATIENCE_S = 1500


def note(number: int) -> tuple[str, bytes, str | None]:
    """A note's name and bytes. It says a word that no other one says."""
    text = f"Note {number}: the lighthouse keeper wrote the word quay{number:04d}x into the log."
    return f"note-{number:04d}.txt", text.encode(), None


def locked(number: int) -> tuple[str, bytes, str | None]:
    """A note in a PDF that opens with a password of its own."""
    from fpdf import FPDF
    from fpdf.enums import EncryptionMethod

    password = f"sesame-{number}"
    pdf = FPDF()
    pdf.set_encryption(f"owner-{number}", password, encryption_method=EncryptionMethod.AES_256)
    pdf.set_font("Helvetica", size=12)
    pdf.add_page()
    pdf.multi_cell(0, 8, f"Note {number}: the cave opens for those who say quay{number:04d}x.")
    return f"locked-{number:04d}.pdf", bytes(pdf.output()), password


@contextmanager
def searching(served: Served) -> Iterator[Counter[int]]:
    """Search again and again during the block; count the answers by their HTTP status."""
    statuses: Counter[int] = Counter()
    stop = threading.Event()

    def search() -> None:
        with served.client() as client:
            while not stop.wait(0.1):
                fields = {"question": "What did the lighthouse keeper write?"}
                statuses[client.post("/api/v1/search", json=fields).status_code] += 1

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(search)
        try:
            yield statuses
        finally:
            stop.set()
        done.result()


def ended(client: httpx.Client, identity: int) -> dict[str, str]:
    """Wait for a job's end; return its files' statuses by name."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        answer = client.get(f"/api/v1/jobs/{identity}")
        assert answer.status_code == 200, answer.text
        if answer.json()["finished"]:
            return {file["name"]: file["status"] for file in answer.json()["files"]}
        time.sleep(0.2)
    raise AssertionError(f"job {identity} has not ended")


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("plain", "with_password"), [(14, 4), pytest.param(950, 50, marks=pytest.mark.soak)])
def test_every_upload_is_taken_once_and_no_password_is_lost(
    plain: int, with_password: int, run: Command, tmp_path: Path
) -> None:
    files = [note(number) for number in range(plain)]
    files += [locked(number) for number in range(plain, plain + with_password)]
    # Among the others, so that they meet a queue that is worked on.
    files = [file for start in range(CLIENTS) for file in files[start::CLIENTS]]
    data = tmp_path / "data"

    with serving(data) as served, served.client() as client, searching(served) as searches:

        def send(mine: list[tuple[str, bytes, str | None]]) -> list[tuple[int, str]]:
            with served.client() as sender:
                answers = [
                    sender.post(
                        "/api/v1/documents",
                        files=[("file", (name, body))],
                        data={} if password is None else {"password": password},
                    )
                    for name, body, password in mine
                ]
            return [(answer.status_code, answer.text) for answer in answers]

        began = time.monotonic()
        with ThreadPoolExecutor(CLIENTS) as pool:
            parts = list(pool.map(send, (files[start::CLIENTS] for start in range(CLIENTS))))
        sent = time.monotonic() - began
        answers = [answer for part in parts for answer in part]
        assert Counter(status for status, _ in answers) == {200: len(files)}, answers

        jobs = [job["job_id"] for job in client.get("/api/v1/jobs").json()["jobs"]]
        assert len(jobs) == min(50, len(files))
        statuses: dict[str, str] = {}
        for identity in range(1, len(files) + 1):
            statuses |= ended(client, identity)
        taken = time.monotonic() - began
        assert statuses == {name: "ok" for name, _, _ in files}
        listed = Counter(d["name"] for d in client.get("/api/v1/documents").json()["documents"])
        assert listed == {name: 1 for name, _, _ in files}
    assert set(searches) == {200}

    print(
        f"{len(files)} files sent in {sent:.1f} s, ingested after {taken:.1f} s, "
        f"{searches.total()} searches meanwhile"
    )
    with serving(data) as served, served.client() as client:
        documents = client.get("/api/v1/documents").json()["documents"]
        assert Counter(d["name"] for d in documents) == {name: 1 for name, _, _ in files}
        for number in (0, plain - 1, plain, plain + with_password - 1):
            fields = {"question": f"quay{number:04d}x", "strategy": "bm25"}
            hits = client.post("/api/v1/search", json=fields).json()["hits"]
            assert Path(hits[0]["document"]).stem.endswith(f"{number:04d}")
    verified = run("--data-dir", data, "verify")
    assert (verified.code, verified.out.startswith("nothing is wrong")) == (0, True), verified
    assert list((data / "uploads").iterdir()) == []
