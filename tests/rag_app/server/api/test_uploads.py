"""Files sent to the API: streamed to disk, named harmlessly, gone without a trace where anything fails."""

import errno
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ingestion.errors import InvalidInput
from rag_app.service.uploads import safe_name
from tests.helpers.served_library import Served, serving_copy

pytestmark = pytest.mark.slow

GATE = b"The gate opens at nine in the morning."
BOUNDARY = "multipart/form-data; boundary=x"


@pytest.fixture(scope="module")
def served(stock_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served library that takes files of at most 1 MB."""
    folder = tmp_path_factory.mktemp("served")
    with serving_copy(stock_template, folder, RAG_APP_MAX_FILE_MB="1") as running:
        yield running


@pytest.fixture
def client(served: Served, eventually: Callable[[Callable[[], bool]], bool]) -> Iterator[httpx.Client]:
    with served.client() as client:
        yield client
        # A cancelled job says so a moment before its files have gone.
        assert eventually(lambda: not left_behind(served)), left_behind(served)


def left_behind(served: Served) -> list[Path]:
    # os.walk passes over what goes while it looks; Path.rglob raises.
    folders = os.walk(served.data / "uploads")
    return [Path(place) / name for place, below, names in folders for name in (*below, *names)]


def ended(client: httpx.Client, job: dict[str, Any]) -> dict[str, Any]:
    waiting = threading.Event()
    while not job["finished"]:
        waiting.wait(0.05)
        job = client.get(f"/api/v1/jobs/{job['job_id']}").json()
    return job


def upload(client: httpx.Client, *files: tuple[str, bytes], **fields: str) -> httpx.Response:
    return client.post("/api/v1/documents", files=[("file", file) for file in files], data=fields)


def test_files_are_ingested_and_a_second_one_of_the_name_replaces_the_first(client: httpx.Client) -> None:
    answer = upload(
        client, ("gate.txt", GATE), ("../../etc/door.txt", b"The door closes."), collection="gates"
    )
    assert answer.status_code == 200
    job = ended(client, answer.json())
    assert [(file["name"], file["path"], file["status"]) for file in job["files"]] == [
        ("gate.txt", "upload:gate.txt", "ok"), ("door.txt", "upload:door.txt", "ok"),
    ]  # fmt: skip
    ended(client, upload(client, ("gate.txt", b"The gate opens at ten."), collection="gates").json())
    listed = client.get("/api/v1/documents", params={"collections": "gates"}).json()["documents"]
    assert [document["name"] for document in listed] == ["door.txt", "gate.txt"]
    found = client.post("/api/v1/search", json={"question": "gate", "collections": ["gates"]}).json()
    assert "The gate opens at ten." in [hit["text"] for hit in found["hits"]]

    original = client.get(f"/api/v1/documents/{listed[1]['document_id']}/original")
    assert (original.status_code, original.content) == (200, b"The gate opens at ten.")
    client.delete("/api/v1/collections", params={"name": "gates"}).raise_for_status()


def test_a_big_file_is_not_held_in_memory(served: Served, client: httpx.Client) -> None:
    """Fifty files of almost the limit: what the server has in memory does not grow by what they are."""

    def resident() -> int:
        (line,) = [
            line
            for line in Path(f"/proc/{served.process.pid}/status").read_text().splitlines()
            if line.startswith("VmRSS")
        ]
        return int(line.split()[1]) * 1024

    one = b"no PDF at all " * 70_000  # 980 kB
    upload(client, ("small.pdf", one))
    before = resident()
    answer = upload(client, *[(f"{number}.pdf", one) for number in range(50)])
    after = resident()
    assert answer.status_code == 200
    assert after - before < 25 * 10**6
    job = client.post(f"/api/v1/jobs/{answer.json()['job_id']}/cancel").json()
    assert ended(client, job)["state"] in ("cancelled", "finished")
    for job in client.get("/api/v1/jobs").json()["jobs"]:
        ended(client, job)


def test_a_file_that_is_too_large_is_refused_with_all_that_came_with_it(client: httpx.Client) -> None:
    before = client.get("/api/v1/jobs").json()
    answer = upload(client, ("gate.txt", GATE), ("huge.txt", b"x" * 1_000_001), ("more.txt", GATE))
    assert answer.status_code == 413
    assert "huge.txt has more than 1 MB" in answer.json()["error"]["message"]
    assert client.get("/api/v1/jobs").json() == before


@pytest.mark.parametrize("name", ["..", ".", "/", "\\", "a/..", "x" * 300 + ".txt", "é" * 128, "\n"])
def test_names_that_are_none_are_refused(client: httpx.Client, name: str) -> None:
    with pytest.raises(InvalidInput):
        safe_name(name)
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\nA\r\n--x--\r\n'
    sent = body % name.replace("\\", "\\\\").replace("\n", "").encode()
    answer = client.post("/api/v1/documents", content=sent, headers={"Content-Type": BOUNDARY})
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\report.pdf", "report.pdf"),
        ("a\0b.txt", "ab.txt"),
        ("line\nfeed.txt", "linefeed.txt"),
        (".hidden", ".hidden"),
        ("Bericht über Äpfel.pdf", "Bericht über Äpfel.pdf"),
        ("/tmp/x/", "x"),
    ],
)
def test_of_a_path_the_name_is_kept(name: str, kept: str) -> None:
    assert safe_name(name) == kept


PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nA\r\n'


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", BOUNDARY),
        (PART, BOUNDARY),  # no end
        (PART[:50], BOUNDARY),
        (PART + b"--x--\r\n", "multipart/form-data"),
        (PART + b"--x--\r\n", "application/json"),
        (PART + b"--x--\r\n", "multipart/form-data; boundary=" + "y" * 500),
        (b"--x--\r\n", BOUNDARY),
        (b'--x\r\nContent-Disposition: form-data; name="collection"\r\n\r\ngates\r\n--x--\r\n', BOUNDARY),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\nA\r\n--x--\r\n", BOUNDARY),
        (b"--x\r\n\r\nA\r\n--x--\r\n", BOUNDARY),
        (b'--x\r\nContent-Disposition: form-data; name="cls"\r\n\r\nA\r\n' + PART + b"--x--\r\n", BOUNDARY),
        (
            b'--x\r\nContent-Disposition: form-data; name="collection"\r\n\r\n' + b"c" * 5_000 + b"\r\n"
            + PART + b"--x--\r\n",
            BOUNDARY,
        ),
        (b"\xff" * 1_000, BOUNDARY),
        (b"--x\r\nBad Header\r\n\r\nA\r\n--x--\r\n", BOUNDARY),
    ],
)  # fmt: skip
def test_bodies_that_are_no_upload(client: httpx.Client, body: bytes, kind: str) -> None:
    answer = client.post("/api/v1/documents", content=body, headers={"Content-Type": kind})
    assert answer.status_code in (400, 413), answer.text
    assert answer.json()["error"]["message"]


def test_a_collection_that_cannot_be_is_refused_and_nothing_is_kept(client: httpx.Client) -> None:
    answer = upload(client, ("gate.txt", GATE), collection="a/b")
    assert answer.status_code == 400
    assert "a/b" in answer.json()["error"]["message"]


def test_an_upload_that_breaks_off_leaves_nothing(served: Served, client: httpx.Client) -> None:
    before = client.get("/api/v1/jobs").json()
    with socket.create_connection(("127.0.0.1", served.port)) as connection:
        head = (
            f"POST /api/v1/documents HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
            f"Authorization: Bearer {served.token}\r\nContent-Type: {BOUNDARY}\r\n"
            "Content-Length: 900000\r\n\r\n"
        )
        connection.sendall(head.encode() + PART[:-3] + b"A" * 400_000)
        waiting = threading.Event()
        while not left_behind(served):  # until it is on the disk
            waiting.wait(0.02)
    while left_behind(served):
        waiting.wait(0.02)
    assert client.get("/api/v1/jobs").json() == before


def test_a_length_that_is_not_said_is_no_way_around_the_limit(client: httpx.Client) -> None:
    def chunks() -> Iterator[bytes]:
        yield PART[:-3]
        for _ in range(30):
            yield b"A" * 50_000
        yield b"\r\n--x--\r\n"

    answer = client.post("/api/v1/documents", content=chunks(), headers={"Content-Type": BOUNDARY})
    assert answer.status_code == 413


def test_what_failed_can_be_tried_again_with_a_password(client: httpx.Client, tmp_path: Path) -> None:
    from fpdf import FPDF
    from fpdf.enums import EncryptionMethod

    pdf = FPDF()
    pdf.set_encryption("owner", "sesame", encryption_method=EncryptionMethod.AES_256)
    pdf.set_font("Helvetica", size=12)
    pdf.add_page()
    pdf.multi_cell(0, 8, "The cave opens for those who know the word.")
    secret = bytes(pdf.output())

    job = ended(client, upload(client, ("cave.pdf", secret), collection="caves").json())
    assert [file["status"] for file in job["files"]] == ["needs_password"]
    again = client.post(f"/api/v1/jobs/{job['job_id']}/retry", json={"passwords": {"cave.pdf": "sesame"}})
    assert [file["status"] for file in ended(client, again.json())["files"]] == ["ok"]
    at_once = upload(client, ("cave2.pdf", secret), collection="caves", password="sesame")
    assert "sesame" not in at_once.text
    assert [file["status"] for file in ended(client, at_once.json())["files"]] == ["duplicate"]
    client.delete("/api/v1/collections", params={"name": "caves"}).raise_for_status()
    client.delete("/api/v1/jobs").raise_for_status()


def test_a_hostile_document_is_saved_and_not_shown(client: httpx.Client) -> None:
    page = b"<html><body><script>alert(document.domain)</script><p>The tide turns at six.</p></body></html>"
    name = 'tide"; filename=x.html\r\nSet-Cookie: a=b.html'
    job = ended(client, upload(client, (name, page), collection="tides").json())
    (file,) = job["files"]
    answer = client.get(f"/api/v1/documents/{file['document_id']}/original")
    assert answer.content == page
    headers = answer.headers
    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-disposition"].startswith("attachment; filename*=utf-8''")
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in headers
    client.delete("/api/v1/collections", params={"name": "tides"}).raise_for_status()
    assert client.get(f"/api/v1/documents/{file['document_id']}/original").status_code == 404
    assert client.get("/api/v1/documents/none/original").status_code == 404


def test_an_encoding_that_is_told_is_taken_and_an_unknown_one_refused(client: httpx.Client) -> None:
    text = "联通的门在九点打开。"
    answer = upload(client, ("tor.txt", text.encode("gb2312")), collection="told", encoding="GB2312")
    assert answer.status_code == 200
    (file,) = ended(client, answer.json())["files"]
    assert (file["status"], file["warnings"]) == ("ok", [])
    page = client.get(f"/api/v1/documents/{file['document_id']}/pages/1").json()
    assert page["text"].strip() == text
    refused = upload(client, ("tor.txt", b"x"), collection="told", encoding="latin-99")
    assert refused.status_code == 400
    message = refused.json()["error"]["message"]
    assert "latin-99" in message
    assert "GB18030" in message


def test_files_of_a_job_are_tried_again_by_name(client: httpx.Client) -> None:
    job = ended(client, upload(client, ("a.wpd", b"a"), ("b.wpd", b"b")).json())
    path = f"/api/v1/jobs/{job['job_id']}/retry"
    answer = client.post(path, json={"files": ["c.wpd"]})
    assert (answer.status_code, "a.wpd, b.wpd" in answer.text) == (404, True), answer.text
    assert job["unreadable"] == []


def test_an_upload_to_a_full_disk_is_refused_with_what_to_do(tmp_path: Path) -> None:
    from ingestion.errors import DiskFull
    from ingestion.storage.disk_space import explained
    from rag_app.server.errors import status_of

    with pytest.raises(DiskFull, match="No space left") as told, explained(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert status_of(told.value) == 507
