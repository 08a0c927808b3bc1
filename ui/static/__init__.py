"""Style sheet and scripts of the page, in files of their own."""

from importlib.resources import files


def read_static(name: str) -> str:
    """Return the text of one of these files."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
