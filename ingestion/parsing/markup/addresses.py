"""Addresses of links as text."""

import re

# Web, mail and telephone addresses, and files beside this one; not scripts or data within the page.
_ADDRESS = re.compile(r"(?:https?|ftp|mailto|tel):|[^#?:]+\Z|[^#:]+[#?]", re.IGNORECASE)


def address_after(words: str, address: str) -> str:
    """A link's address in brackets, to follow its words; "" for a link within the same text."""
    address = address.strip()
    if not _ADDRESS.match(address) or address.partition(":")[2] == words.strip():
        return ""
    return "" if words.strip() == address else f" ({address})"
