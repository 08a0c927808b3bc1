"""Addresses of links as text, inside the child process."""

import re

# The web, mail and telephones, and files beside this one; not code, nor data that is written into the page.
_ADDRESS = re.compile(r"(?:https?|ftp|mailto|tel):|[^#?:]+\Z|[^#:]+[#?]", re.IGNORECASE)


def address_after(words: str, address: str) -> str:
    """A link's address in brackets, to stand after its words; "" for a place in the same text."""
    address = address.strip()
    if not _ADDRESS.match(address) or address.partition(":")[2] == words.strip():
        return ""
    return "" if words.strip() == address else f" ({address})"
