"""Uploaded files between their upload and the end of the job that ingests them."""

import shutil
from collections.abc import Collection, Iterable
from pathlib import Path
from uuid import uuid4

from ingestion.errors import InvalidInput
from ingestion.storage.catalogue.job_table import FileState
from ingestion.storage.disk_space import explained
from ingestion.storage.originals import readable
from ingestion.text.names import UPLOAD, composed


def file_state(file: Path) -> FileState:
    """Return a file that is ingested from where it lies."""
    try:
        source = str(file.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links: reported when it is read
        source = str(file)
    return FileState(0, str(file), readable(source), composed(readable(file.name)), staged=False)


class Staging:
    """A folder of the library in which each uploaded file has a place of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self, paths: Iterable[Path]) -> list[FileState]:
        """Move uploaded files to where they outlive the upload; all of them, or none.

        Raises InvalidInput where one is not there, DiskFull where there is no room.
        """
        paths = list(paths)
        for path in paths:
            if not path.is_file():
                raise InvalidInput(f"the uploaded file {path.name} is not there any more; upload it again")
        taken: list[FileState] = []
        try:
            with explained(self._folder.parent):
                for path in paths:
                    taken.append(self._move(path))
        except BaseException:
            self.drop(taken)
            raise
        return taken

    def _move(self, path: Path) -> FileState:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        place = self._folder / uuid4().hex
        place.mkdir(mode=0o700)
        kept = place / path.name
        shutil.move(path, kept)
        return FileState(0, str(kept), UPLOAD + composed(path.name), composed(path.name), staged=True)

    def drop(self, files: Iterable[FileState], *, keep: Collection[str] = frozenset()) -> None:
        """Delete the uploads among `files`, but for the paths to `keep`."""
        for file in files:
            if file.staged and file.file not in keep:
                shutil.rmtree(Path(file.file).parent, ignore_errors=True)

    def drop_all_but(self, files: Iterable[FileState]) -> None:
        """Delete what a crash left before its job was written."""
        if self._folder.is_dir():
            known = {Path(file.file).parent for file in files}
            for place in self._folder.iterdir():
                if place not in known:
                    shutil.rmtree(place, ignore_errors=True)
