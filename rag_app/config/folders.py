"""Folders that only this user can open."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingestion.errors import RagError

# In the data folder: the files of the process that serves the page.
TEMPORARY_FOLDER = "temporary"


def make_private(folder: Path) -> None:
    """Make a folder and those above it that are missing; `Path.mkdir` gives its mode to the last alone."""
    for one in reversed([folder, *folder.parents]):
        if not one.exists():
            one.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def private_temporary_folder(data_dir: Path) -> Iterator[Path]:
    """Have Gradio keep its files in a folder that only this user can open, empty before and gone afterwards.

    Gradio's own folder is one for all users of the machine: it is readable to all, or belongs to another.
    The library must be open in this process.

    Raises:
        RagError: The folder cannot be made.
    """
    folder = data_dir / TEMPORARY_FOLDER
    try:
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)
        else:
            folder.unlink(missing_ok=True)
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise RagError(
            f"the folder of temporary files {folder} cannot be renewed: {error.strerror or error}; remove it"
        ) from error
    os.environ["GRADIO_TEMP_DIR"] = str(folder / "gradio")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # what is left goes with the next start
