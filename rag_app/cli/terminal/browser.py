"""Opening the page in the browser of the person at this machine."""

import logging
import os
import sys
import webbrowser
from html import escape
from pathlib import Path

from rag_app.config.folders import TEMPORARY_FOLDER

_FILE = "open.html"
_PAGE = """<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={address}">
<title>rag-app</title>
<p><a href="{address}">Open the page</a></p>
"""
_logger = logging.getLogger(__name__)


def open_in_browser(address: str, data_dir: Path) -> bool:
    """Open an address, and return whether there was a browser.

    The browser is given a file, which only this user can read and which leads to the address: all users of
    the machine see a command's arguments, and the address holds a key.
    """
    if not _has_screen():
        return False
    file = data_dir / TEMPORARY_FOLDER / _FILE
    try:
        file.unlink(missing_ok=True)
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as page:  # noqa: PTH123
            page.write(_PAGE.format(address=escape(address)))
        return webbrowser.open(file.as_uri())
    except (OSError, webbrowser.Error):
        _logger.warning("the browser cannot be opened", exc_info=True)
        return False


def _has_screen() -> bool:
    """Return whether a browser would have a window: one that draws into the terminal would block it."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))
