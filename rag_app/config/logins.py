"""The page's logins: names and passwords."""

import hmac
import secrets
import unicodedata
from collections.abc import Mapping


def read_logins(text: str) -> dict[str, str]:
    """Return the passwords by name from lines NAME:PASSWORD; a password is all after the first colon.

    Blank lines are skipped. Raises ValueError for a wrong line, without quoting it: it may be a password.
    """
    logins: dict[str, str] = {}
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if not line.strip():
            continue
        name, colon, password = line.partition(":")
        name = _composed(name.strip())
        if not (name and colon and password):
            raise ValueError(f"line {number} is not NAME:PASSWORD")
        if name in logins:
            raise ValueError(f"line {number} repeats a name; give each person a different name")
        logins[name] = password
    if not logins:
        raise ValueError("there is no login; write lines NAME:PASSWORD")
    return logins


class Logins:
    """Checks names and passwords. Keeps keyed hashes instead of the passwords."""

    def __init__(self, people: Mapping[str, str]) -> None:
        self._key = secrets.token_bytes(32)
        self._known = [self._digest(name, password) for name, password in people.items()]

    def fits(self, name: str, password: str) -> bool:
        """Return whether name and password belong together, in a time that tells nothing about them."""
        given = self._digest(name.strip(), password)
        matches = [hmac.compare_digest(given, known) for known in self._known]  # all, always
        return any(matches)

    def _digest(self, name: str, password: str) -> bytes:
        name, password = _composed(name), _composed(password)
        joined = f"{len(name)}:{name}:{password}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, joined, "sha256")


def _composed(text: str) -> str:
    """Return text in NFC: some keyboards type é as two characters."""
    return unicodedata.normalize("NFC", text)
