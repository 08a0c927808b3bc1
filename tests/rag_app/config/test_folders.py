"""Folders that only their owner can open; that of temporary files is new for each run."""

import os
import stat
from pathlib import Path

import pytest

from ingestion.errors import RagError
from rag_app.config.folders import make_private, private_temporary_folder


@pytest.fixture(autouse=True)
def unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the variable as it was."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", "/tmp/gradio")


@pytest.mark.parametrize("mask", [0, 0o022])
def test_every_folder_that_was_missing_is_private(tmp_path: Path, mask: int) -> None:
    tmp_path.chmod(0o755)
    before = os.umask(mask)
    try:
        for _ in range(2):
            make_private(tmp_path / "data" / "models" / "hub")
    finally:
        os.umask(before)
    made = [tmp_path / "data", tmp_path / "data" / "models", tmp_path / "data" / "models" / "hub"]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in made} == {0o700}
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755  # a folder that was there keeps its mode


def test_only_this_user_opens_the_folder_and_it_goes_with_the_run(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with private_temporary_folder(tmp_path) as folder:
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            assert Path(os.environ["GRADIO_TEMP_DIR"]).parent == folder
            (folder / "upload.pdf").touch()
    finally:
        os.umask(before)
    assert not folder.exists()


def test_files_of_a_run_that_was_killed_are_removed(tmp_path: Path) -> None:
    left = tmp_path / "temporary" / "gradio" / "hash" / "upload.pdf"
    left.parent.mkdir(parents=True, mode=0o755)
    left.touch()
    with private_temporary_folder(tmp_path) as folder:
        assert list(folder.iterdir()) == []
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_link_is_removed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept.txt").touch()
    (tmp_path / "temporary").symlink_to(tmp_path / "elsewhere")
    with private_temporary_folder(tmp_path) as folder:
        assert not folder.is_symlink()
    assert (tmp_path / "elsewhere" / "kept.txt").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with pytest.raises(RagError, match=f"{missing}/temporary.*remove it"), private_temporary_folder(missing):
        pass
