"""Untrusted XML and HTML trees: parsed without expanding entities or fetching anything."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from html.entities import html5
from typing import Literal

from lxml import etree


def parse_xml(data: bytes, *, encoding: str | None = None) -> etree._Element:
    """Parse untrusted XML: entities are not expanded, and nothing outside the data is read.

    Raises:
        etree.XMLSyntaxError: The data is not well-formed, or exceeds libxml2's bounds of depth and length.
    """
    parser = etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    return etree.fromstring(data, parser)


def local_name(element: etree._Element | None) -> str:
    """The tag without its namespace, in lower case; "" for comments and None."""
    tag = None if element is None else element.tag
    return _local(tag) if isinstance(tag, str) else ""


@lru_cache(4096)  # a format has some hundred names, and each is asked for thousands of times
def _local(tag: str) -> str:
    return tag.rpartition("}")[2].lower()


def local_attribute(element: etree._Element, name: str) -> str | None:
    """An attribute by its name without the namespace: Office files have two sets of namespaces."""
    for key, value in element.attrib.items():
        if str(key).rpartition("}")[2] == name:
            return str(value)
    return None


def keyword(element: etree._Element, name: str) -> str:
    """An attribute of HTML whose case and outer white space mean nothing; "" without it."""
    return (element.get(name) or "").strip().lower()


def whole_number(text: str | None, default: int = 0, *, digits: int = 9) -> int:
    """An attribute as a number; `default` for any other text, also for more digits than a sound file has."""
    return int(text) if text and text.isdecimal() and len(text) <= digits else default


def inner_text(element: etree._Element) -> str:
    """All text within an element, unchanged."""
    return "".join(str(text) for text in element.itertext())


def child(element: etree._Element | None, *path: str) -> etree._Element | None:
    """The element at a path of local names in lower case, the first of each name; None if there is none."""
    for name in path:
        if element is None:
            return None
        element = next((inner for inner in element if local_name(inner) == name), None)
    return element


def walk(
    root: etree._Element, is_leaf: Callable[[etree._Element], bool]
) -> Iterator[tuple[Literal["start", "end", "leaf", "text"], etree._Element, str]]:
    """Yield (step, element, text) at the start and the end of each element; `text` follows that place.

    An element for which `is_leaf` is true is one step, "leaf", and is not entered. A "text" step is a comment
    or an entity. It uses a stack and no recursion, because files nest without limit.
    """
    yield "start", root, root.text or ""
    stack = [(root, iter(root))]
    while stack:
        element, children = stack[-1]
        inner = next(children, None)
        if inner is None:
            stack.pop()
            yield "end", element, (element.tail or "") if stack else ""
        elif not isinstance(inner.tag, str):
            yield "text", inner, _entity_text(inner) + (inner.tail or "")
        elif is_leaf(inner):
            yield "leaf", inner, inner.tail or ""
        else:
            yield "start", inner, inner.text or ""
            stack.append((inner, iter(inner)))


def _entity_text(node: etree._Element) -> str:
    """The character that an entity of HTML names; "" for the file's own entities, and for comments."""
    return html5.get(f"{node.name};", "") if isinstance(node, etree._Entity) else ""
