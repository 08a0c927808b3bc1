"""Calls to a process that answers nothing: a stopped server keeps no command waiting for ever."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rag_app.service import client
from tests.helpers.commands import Command
from tests.helpers.served_library import Served, serving_copy

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(stock_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving_copy(stock_template, tmp_path_factory.mktemp("served")) as running:
        yield running


@contextmanager
def stopped(served: Served) -> Iterator[None]:
    served.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        served.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("command", [("documents",), ("search", "lighthouse"), ("ask", "Who?"), ("token",)])
def test_a_stopped_server_is_named(
    run: Command, served: Served, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "QUIET_S", 0.1)
    monkeypatch.setattr(client, "PROBE_S", 0.5)
    with stopped(served):
        done = run("--data-dir", served.data, *command)
    assert done.code == 1
    assert f"process {served.process.pid}, which answers nothing at all" in done.err
    assert f"kill -CONT {served.process.pid}" in done.err
    assert run("--data-dir", served.data, "documents").code == 0


def test_a_server_that_stops_during_an_answer_is_named(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rag_app.config.settings import load_settings
    from rag_app.contract.requests import AskRequest

    monkeypatch.setattr(client, "QUIET_S", 0.1)
    monkeypatch.setattr(client, "PROBE_S", 0.5)
    service = client.RemoteService.of(load_settings(data_dir=served.data))
    assert service is not None
    with service:
        served.process.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(client.NotAnswering):
                list(service.ask(AskRequest(question="When was the lighthouse lit?")))
        finally:
            served.process.send_signal(signal.SIGCONT)


def test_a_slow_answer_is_waited_for(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked all the time whether it is there, and it is."""
    from rag_app.config.settings import load_settings
    from rag_app.contract.requests import SearchRequest

    monkeypatch.setattr(client, "QUIET_S", 0.0)
    service = client.RemoteService.of(load_settings(data_dir=served.data))
    assert service is not None
    with service:
        for _ in range(3):
            assert service.search(SearchRequest(question="When was the lighthouse lit?", explain=True)).hits


def test_no_note_holds_what_was_given_with_a_command(stock_template: Path, tmp_path: Path) -> None:
    """Neither the note beside the lock, nor doctor, nor the log holds a login."""
    import shutil

    from ingestion.storage.lock import read_holder
    from rag_app.config.logging import LOG_FILE
    from tests.helpers.processes import fork_server

    data = shutil.copytree(stock_template, tmp_path / "data")
    with fork_server().start(
        ["--data-dir", data, "serve", "--port", "0", "--auth", "ann:hush hush"],
        env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout
        assert "serving" in process.stdout.readline()
        note, holder = (data / "library.holder").read_text("utf-8"), read_holder(data)
        with fork_server().start(
            ["--data-dir", data, "doctor", "--json"],
            env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as doctor:  # fmt: skip
            said = "".join(doctor.communicate(timeout=120))
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=120)
    assert holder is not None
    assert holder.command == "rag-app --data-dir … serve --port … --auth …"
    assert "rag-app --data-dir … serve --port … --auth …" in said
    for text in (note, said, errors, (data / LOG_FILE).read_text("utf-8")):
        assert "hush" not in text
        assert "ann" not in text.replace("cannot", "").replace("channel", "")
