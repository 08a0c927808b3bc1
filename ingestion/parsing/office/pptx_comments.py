"""Comments on slides, in PowerPoint's old and new formats."""

from collections.abc import Iterator

from lxml import etree

from ingestion.parsing.office.pptx_text import paragraph_text
from ingestion.parsing.shared.xml import child, inner_text, local_name
from ingestion.parsing.shared.zip_archive import OfficePackage

_AUTHORS = ("commentAuthors", "authors")


class SlideComments:
    """Reads comments with the names of their authors.

    Args:
        package: The presentation.
        parts: What its main part is related to: id -> (kind, part).
    """

    def __init__(self, package: OfficePackage, parts: dict[str, tuple[str, str]]) -> None:
        self._package = package
        self._names = {
            author.get("id") or "": " ".join((author.get("name") or "").split())
            for kind, part in parts.values()
            if kind in _AUTHORS and part in package
            for author in package.xml(part)
        }

    def of(self, slide: dict[str, tuple[str, str]]) -> Iterator[str]:
        """The comments on the slide that is related to these parts, replies after what they answer."""
        for kind, part in slide.values():
            if kind == "comments" and part in self._package:
                for element in self._package.xml(part).iter("{*}cm", "{*}reply"):
                    text = _text(element)
                    author = self._names.get(element.get("authorId") or "", "")
                    what = "Reply" if local_name(element) == "reply" else "Comment"
                    if text:
                        yield f"{what}{f' by {author}' if author else ''}: {text}"


def _text(element: etree._Element) -> str:
    if (old := child(element, "text")) is not None:
        return " ".join(inner_text(old).split())
    body = child(element, "txbody")
    texts = [] if body is None else [paragraph_text(part) for part in body if local_name(part) == "p"]
    return " ".join(" ".join(texts).split())
