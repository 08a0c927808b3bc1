"""Documents as the rules of fields see them: a file's name, its properties and its first pages."""

from ingestion.documents import FileProperties
from ingestion.fields.front_matter import FrontMatter, FrontPage


def front(*pages: str, name: str = "file.pdf", title: str | None = None, **properties: str) -> FrontMatter:
    """Return the front matter of a file with these pages, and a page of prose behind them."""
    texts = [*pages, "Prose that says nothing of the document itself goes on from here to the end of it."]
    return FrontMatter(name, title, FileProperties(**properties), tuple(map(FrontPage, texts)))


def form(kind: str, ended: str, name: str = "ACME CORPORATION") -> str:
    """Return the head of a form of the SEC."""
    return (
        "UNITED STATES\nSECURITIES AND EXCHANGE COMMISSION\nWashington, D.C. 20549\n"
        f"FORM {kind}\n(Mark One)\n☒ REPORT PURSUANT TO SECTION 13 OR 15(d) OF THE SECURITIES EXCHANGE ACT\n"
        f"{ended}\nOR\n☐ TRANSITION REPORT\nFor the transition period from to\n"
        f"Commission File Number 001-37622\n{name}\n"
        "(Exact name of registrant as specified in its charter)\nDelaware 80-0429876\n"
    )
