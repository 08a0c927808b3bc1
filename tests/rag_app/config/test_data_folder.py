"""Other users of the machine: who can change or read the data folder."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from rag_app.config.data_folder import readable_by_others, writable_by_others
from tests.helpers.commands import Command
from tests.helpers.processes import fork_server

ROOM = 0o700


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "above").mkdir(mode=ROOM)
    (tmp_path / "above" / "data").mkdir(mode=ROOM)
    return tmp_path / "above" / "data"


def test_a_private_folder_and_none_are_sound(folder: Path) -> None:
    for one in (folder, folder / "none"):
        assert writable_by_others(one) is None
        assert readable_by_others(one) is None


@pytest.mark.parametrize("mode", [0o777, 0o702, 0o773])
def test_a_folder_that_all_may_write_to_is_told(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    assert f"chmod 700 {folder}" in (writable_by_others(folder) or "")


def test_a_folder_that_all_may_replace_is_told(folder: Path) -> None:
    folder.parent.chmod(0o777)
    assert f"chmod o-w {folder.parent}" in (writable_by_others(folder) or "")
    folder.parent.chmod(0o1777)  # as /tmp: everybody replaces own files alone
    assert writable_by_others(folder) is None


def test_a_folder_of_somebody_else_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    assert "belongs to the user" in (writable_by_others(folder) or "")


@pytest.mark.parametrize("mode", [0o755, 0o711, 0o704])
def test_a_folder_that_all_may_read_is_told(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    assert writable_by_others(folder) is None
    assert f"chmod 700 {folder}" in (readable_by_others(folder) or "")


@pytest.mark.usefixtures("no_settings")
@pytest.mark.parametrize(("mode", "said"), [(0o777, "every user"), (0o755, "look into"), (0o700, None)])
def test_doctor_tells_it(run: Command, folder: Path, mode: int, said: str | None) -> None:
    folder.chmod(mode)
    checks = {one["name"]: one for one in run("--data-dir", folder, "doctor", "--json").json["checks"]}
    assert ("rights" in checks) == (said is not None)
    if said:
        assert checks["rights"]["state"] == "warning"
        assert said in checks["rights"]["detail"]
        assert checks["rights"]["mend"] == f"chmod 700 {folder}"


@pytest.mark.slow
@pytest.mark.usefixtures("no_settings")
def test_serve_warns_at_its_start(folder: Path) -> None:
    folder.chmod(0o777)
    with fork_server().start(
        ["--data-dir", folder, "serve", "--port", "0"],
        env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout
        assert re.search("serving http", process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=120)
    assert errors.startswith("rag-app: warning: every user of this machine can change the data folder")
